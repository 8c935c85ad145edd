"""Read a picture from whatever a user has of it: the same upright sRGB pixels every time.

A part may be a path, bytes, an open binary file, a PIL image or an array. What comes out is
the first frame, turned upright by its EXIF orientation, in sRGB (an embedded ICC profile is
applied), transparent parts on white. A DICOM object gives its frame, or the middle one of
several, as it is meant to be looked at. See `image_modes` for each kind of pixel.
"""

from __future__ import annotations

import io
import os
import struct
import threading
import warnings
import zlib
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tiepoint.encoders.files import read_bytes
from tiepoint.encoders.image_modes import (
    array_to_rgb,
    image_to_rgb,
    is_plain_rgb,
    orientation,
    upright,
)
from tiepoint.encoders.readers import dicom_reader, is_dicom
from tiepoint.errors import DecodeError

Pixels: TypeAlias = NDArray[np.uint8]

MAX_PIXELS = 100_000_000
"""Most pixels that are decoded; a small file can claim to hold any number of them."""

# Pillow's other decoders run other programs (EPS), or read formats that are not pictures.
_FORMATS = (
    "JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "ICO", "TGA"
)  # fmt: skip

# What Pillow's decoders were seen to raise for damaged files.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    ZeroDivisionError,
    AttributeError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)

# The limit is ours and is an error; Pillow's warning about the same thing would be a second line.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def read_image(part: Any, least: int = 0) -> Pixels:
    """Return a picture's pixels, (h, w, 3) uint8 in sRGB.

    Args:
        part: A path, bytes, a binary file, a PIL image, or an array (h, w), (h, w, 1), (h, w, 3)
            or (h, w, 4) of uint8, of uint16 (65535 is white), of bool, or of float in [0, 1].
        least: A JPEG may be decoded at a half, a quarter or an eighth of its size, as long as
            both sides keep this many pixels; 0 for full size. Give at least twice the size
            that the picture will be resized to.

    Raises:
        DecodeError: It is missing, empty, too large, damaged, or not a picture.
    """
    if isinstance(part, np.ndarray):
        return _refuse_damage(array_to_rgb, part, None)
    if isinstance(part, Image.Image):
        return _refuse_damage(image_to_rgb, part, None)
    where = os.fspath(part) if isinstance(part, str | os.PathLike) else None
    content = read_bytes(part)
    return _refuse_damage(lambda given: _decode(given, least, where), content, where)


def _decode(content: bytes, least: int, where: str | None) -> Pixels:
    if is_dicom(content):
        return array_to_rgb(dicom_reader().picture(content))
    Image.init()
    image = Image.open(io.BytesIO(content), formats=_FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DecodeError(
            f"the picture claims {width} x {height} pixels, more than {MAX_PIXELS:,}",
            where=where,
            hint="Make it smaller.",
        )
    if least and image.format == "JPEG":
        image.draft(None, (least, least))
    if image.format == "JPEG" and image.size == (width, height) and is_plain_rgb(image):
        with suppress(ValueError):
            # Decodes to the same pixels in two thirds of the time. What it refuses is left to
            # Pillow, which knows more about damaged files.
            return upright(simplejpeg.decode_jpeg(content), orientation(image))
    return image_to_rgb(image)


def _refuse_damage(decode: Any, part: Any, where: str | None) -> Pixels:
    """Call a decoder, with every way in which it can fail as one `DecodeError`."""
    try:
        pixels: Pixels = decode(part)
    except DecodeError:
        raise
    except UnidentifiedImageError:
        found = "a text" if isinstance(part, bytes) and _is_text(part[:512]) else "not a picture"
        raise DecodeError(
            f"the content is {found}",
            where=where,
            hint="Give a JPEG, PNG, WebP, GIF, TIFF or DICOM file.",
        ) from None
    except Image.DecompressionBombError as error:
        raise DecodeError(
            f"the picture claims more than {MAX_PIXELS:,} pixels",
            where=where,
            hint="Make it smaller.",
        ) from error
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
        raise DecodeError(
            f"the picture is damaged ({reason})", where=where, hint="Replace it."
        ) from error
    return pixels


def _is_text(start: bytes) -> bool:
    text = start.decode("utf-8", "ignore")
    return len(text.encode()) > len(start) - 4 and all(c.isprintable() or c.isspace() for c in text)


_local = threading.local()


def resize_image(pixels: Pixels, size: tuple[int, int], filter_name: str = "bicubic") -> Pixels:
    """Return the picture squashed to a size, with an antialiased filter.

    The result is within a few levels of Pillow's filter of the same name, in a sixth of its
    time.

    Args:
        pixels: (h, w, 3) uint8.
        size: Height and width in pixels.
        filter_name: `bicubic` (a = -0.5), `bilinear`, or `lanczos`.
    """
    from cykooz_resizer import FilterType, ImageData, PixelType, ResizeAlg, ResizeOptions, Resizer

    if pixels.shape[:2] == size:
        return pixels
    if not hasattr(_local, "resizer"):
        _local.resizer = Resizer()
    filters = {
        "bicubic": FilterType.catmull_rom,
        "bilinear": FilterType.bilinear,
        "lanczos": FilterType.lanczos3,
    }
    target = ImageData(size[1], size[0], PixelType.U8x3)
    source = ImageData(pixels.shape[1], pixels.shape[0], PixelType.U8x3, pixels.tobytes())
    options = ResizeOptions(resize_alg=ResizeAlg.convolution(filters[filter_name]), use_alpha=False)
    _local.resizer.resize(source, target, options)
    return np.frombuffer(target.get_buffer(), np.uint8).reshape(*size, 3)
