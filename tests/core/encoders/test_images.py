"""Pictures of every kind come out as upright sRGB pixels, broken ones as one clear line."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tiepoint.encoders.images import read_image, resize_image
from tiepoint.errors import DecodeError


def photo(width: int = 96, height: int = 64) -> Image.Image:
    """A smooth picture without symmetry."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    channels = [x / width * 255, y / height * 255, (x + 2 * y) % 256]
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8))


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def linear_light_profile() -> bytes:
    """An ICC v2 profile with the primaries of sRGB (D50) and a gamma of 1."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, 256) + b"\0\0"
    name = b"linear light\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * 79
    tags = {
        b"desc": description + b"\0" * (-len(description) % 4),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.4360747, 0.2225045, 0.0139322),
        b"gXYZ": xyz(0.3850649, 0.7168786, 0.0971045),
        b"bXYZ": xyz(0.1430804, 0.0606169, 0.7141733),
        b"rTRC": gamma,
        b"gTRC": gamma,
        b"bTRC": gamma,
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(content))
        body += content
    header = bytearray(128)
    header[0:4] = struct.pack(">I", start + len(body))
    header[8:12] = b"\x02\x10\0\0"
    header[12:24] = b"mntrRGB XYZ "
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    return bytes(header) + table + body


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(photo(), "JPEG", quality=95, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    np.testing.assert_array_equal(read_image(content), expected)


def test_icc_profile_is_applied() -> None:
    grey = Image.new("RGB", (8, 8), (55, 55, 55))
    content = saved(grey, "PNG", icc_profile=linear_light_profile())
    # IEC 61966-2-1: linear light 55/255 is 0.5 in sRGB.
    linear = 55 / 255
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(read_image(content).astype(float) - expected).max() <= 1.5


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_pixels_are_those_of_pillow(mode: str, options: dict[str, Any]) -> None:
    content = saved(photo(101, 67).convert(mode), "JPEG", **options)
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(read_image(content), expected)


def test_jpeg_with_an_icc_profile_is_converted_too() -> None:
    content = saved(
        Image.new("RGB", (8, 8), (55, 55, 55)), "JPEG", icc_profile=linear_light_profile()
    )
    assert np.abs(read_image(content).astype(float) - 128).max() <= 2


def test_damaged_icc_profile_and_exif_do_not_refuse_the_picture() -> None:
    content = saved(photo(), "JPEG", quality=95, icc_profile=b"nonsense" * 30, exif=b"Exif\0\0junk")
    plain = saved(photo(), "JPEG", quality=95)
    np.testing.assert_array_equal(read_image(content), read_image(plain))


def test_grey_and_one_bit_have_three_equal_channels() -> None:
    grey = photo().convert("L")
    pixels = read_image(saved(grey))
    np.testing.assert_array_equal(pixels, np.repeat(np.asarray(grey)[:, :, None], 3, axis=2))
    assert set(np.unique(read_image(saved(grey.convert("1"))))) == {0, 255}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled(kind: str) -> None:
    levels = np.array([[0, 257, 32768, 65535]], np.uint16)
    assert read_image(saved(Image.fromarray(levels), kind))[0, :, 0].tolist() == [0, 1, 128, 255]


def test_float_tiff_is_stretched_from_least_to_greatest() -> None:
    levels = np.array([[-2.0, 0.0, 2.0]], np.float32)
    assert read_image(saved(Image.fromarray(levels), "TIFF"))[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_white(mode: str) -> None:
    clear = Image.new("RGBA", (4, 4), (200, 0, 0, 0))
    clear.putpixel((0, 0), (10, 10, 10, 255))
    content = saved(clear.convert(mode), "PNG")
    pixels = read_image(content)
    assert pixels[3, 3].tolist() == [255, 255, 255]
    assert np.abs(pixels[0, 0].astype(int) - 10).max() <= 3


def test_half_transparent_is_blended_with_white() -> None:
    assert read_image(saved(Image.new("RGBA", (2, 2), (0, 100, 200, 128))))[0, 0].tolist() == [
        127,
        177,
        227,
    ]


def test_cmyk_jpeg_looks_like_its_rgb() -> None:
    content = saved(photo().convert("CMYK"), "JPEG", quality=95)
    difference = read_image(content).astype(int) - np.asarray(photo())
    assert np.abs(difference).mean() < 4


def test_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_image(content)[0, 0].tolist() == [255, 0, 0]


def test_every_form_of_a_part_gives_the_same_pixels(tmp_path: Path) -> None:
    content = saved(photo())
    file = tmp_path / "ä b.png"
    file.write_bytes(content)
    expected = np.asarray(photo())
    forms = [file, str(file), content, bytearray(content), io.BytesIO(content), photo(), expected]
    for form in forms:
        np.testing.assert_array_equal(read_image(form), expected)


def test_arrays_of_every_dtype_are_scaled() -> None:
    grey = np.array([[0, 128, 255]], np.uint8)
    expected = np.repeat(grey[:, :, None], 3, axis=2)
    for array in (
        grey,
        grey[:, :, None],
        (grey / 255).astype(np.float64),
        grey.astype(np.uint16) * 257,
    ):
        np.testing.assert_array_equal(read_image(array), expected)
    assert read_image(np.array([[True, False]]))[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.full((4, 4), np.nan),
        np.full((4, 4), 255.0),
        np.zeros((4, 4), np.int64),
    ],
)
def test_array_that_is_no_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(DecodeError):
        read_image(array)


def test_broken_files_are_one_line_that_names_them(tmp_path: Path) -> None:
    jpeg = saved(photo(400, 300), "JPEG")
    contents = {
        "empty.jpg": (b"", "0 bytes"),
        "text.jpg": ("This is not a picture, ä.".encode() * 40, "text"),
        "junk.png": (os.urandom(5) + b"\x89\xff\xfe" * 300, "not a picture"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "damaged"),
        "page.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "text"),
    }
    for name, (content, reason) in contents.items():
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(DecodeError) as caught:
            read_image(file)
        assert str(caught.value).startswith(f"{file}: ")
        assert reason in str(caught.value)
        assert "\n" not in str(caught.value)


def test_missing_file_folder_and_device_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.jpg", tmp_path, Path("/dev/zero"), "a\0b.jpg"):
        with pytest.raises(DecodeError):
            read_image(path)
    with pytest.raises(DecodeError, match="int cannot be read"):
        read_image(7)


@pytest.mark.parametrize("side", [12_000, 200_000])
def test_bomb_is_refused_before_it_is_decoded(side: int, tmp_path: Path) -> None:
    bomb = saved(Image.new("1", (1, 1)))
    start = bomb.index(b"IHDR")
    header = b"IHDR" + struct.pack(">II", side, side) + bomb[start + 12 : start + 17]
    file = tmp_path / "bomb.png"
    file.write_bytes(
        bomb[:start] + header + struct.pack(">I", zlib.crc32(header)) + bomb[start + 21 :]
    )
    code = f"from tiepoint.encoders.images import read_image; read_image({str(file)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert re.search(r"claims .*more than 100,000,000", done.stderr.splitlines()[-1])
    assert "DecodeError" in done.stderr.splitlines()[-1]
    assert "Warning" not in done.stderr


def test_large_jpeg_is_decoded_smaller_and_resizes_to_nearly_the_same() -> None:
    content = saved(photo(2400, 1800), "JPEG", quality=92)
    whole = read_image(content)
    reduced = read_image(content, least=448)
    assert reduced.shape == (450, 600, 3)
    both = [resize_image(pixels, (224, 224)).astype(int) for pixels in (whole, reduced)]
    assert np.abs(both[0] - both[1]).mean() < 1.5


def test_resizing_is_pillows_to_a_few_levels() -> None:
    random = np.random.default_rng(1)
    noise = Image.fromarray(random.integers(0, 256, (375, 500, 3), np.uint8))
    expected = np.asarray(noise.resize((224, 200), Image.Resampling.BICUBIC)).astype(int)
    difference = np.abs(resize_image(np.asarray(noise), (200, 224)) - expected)
    assert difference.max() <= 8
    assert difference.mean() < 0.5


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"]),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=12),
    st.floats(0.1, 1),
)
def test_damage_is_pixels_or_a_decode_error_and_nothing_else(
    kind: str, changes: list[tuple[int, int]], kept: float
) -> None:
    content = bytearray(saved(photo(), kind))
    for place, value in changes:
        content[place % len(content)] = value
    try:
        pixels = read_image(bytes(content[: max(1, int(len(content) * kept))]))
    except DecodeError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
