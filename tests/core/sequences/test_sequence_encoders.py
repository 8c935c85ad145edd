"""Videos and volumes through an image encoder: as every encoder, and as pictures are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.small_encoders import COLOUR_COMPONENTS, registered
from tests.videos import packaged_clip, plain, write_video
from tiepoint.encoders.nested import encoder_of, one_of_each
from tiepoint.encoders.video import VideoEncoder
from tiepoint.encoders.volume import VolumeEncoder
from tiepoint.errors import ConfigError, DecodeError
from tiepoint.sequences import volumes
from tiepoint.testing.encoder import EncoderConformance

pytest.importorskip("av", reason="video needs the extra `video`")

COLOUR = {"type": "pixel-colour"}


@pytest.fixture(autouse=True, scope="module")
def small_components():
    with registered(*COLOUR_COMPONENTS):
        yield


def clip(red, green, blue):
    """Return frames of red, then green, then blue, each so many."""
    runs = zip(((255, 0, 0), (0, 255, 0), (0, 0, 255)), (red, green, blue), strict=True)
    return np.stack([frame for colour, count in runs for frame in plain(colour, count, 8)])


class TestVideo(EncoderConformance):
    def make_encoder(self):
        return VideoEncoder(COLOUR)

    def parts(self):
        return [clip(2, 0, 0), clip(0, 9, 0), clip(1, 0, 3), clip(1, 1, 1)]

    def broken_parts(self):
        return [b"no video", "/no/such/file.mp4", clip(1, 0, 0)[:0], np.zeros(3, np.uint8), 7]


class TestVolume(EncoderConformance):
    def make_encoder(self):
        return VolumeEncoder(COLOUR, window=(0, 100))

    def parts(self):
        ramp = np.linspace(0, 100, 64).reshape(4, 4, 4)
        return [np.full((3, 4, 5), 0.0), np.full((9, 4, 5), 100), ramp, ramp.astype(np.int16)]

    def broken_parts(self):
        return [b"x", "/no/such.npy", np.zeros((0, 4, 4)), np.zeros((4, 4)), np.array(["a"]),
                np.full((2, 2, 2), np.nan), np.zeros((2, 2, 2), np.complex64)]  # fmt: skip


def test_the_vectors_of_a_clip_are_those_of_its_pictures():
    encoder = VideoEncoder(COLOUR)
    frames = clip(1, 0, 3)
    vectors = encoder.frame_vectors(frames)
    np.testing.assert_allclose(vectors, encoder.frames.encode(list(frames)), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    with pytest.raises(DecodeError):
        encoder.frame_vectors(b"no video")


def test_a_packaged_clip_lies_near_its_own_pictures():
    encoder = VideoEncoder({"type": "timm", "preset": "fast"})
    bikes, film = packaged_clip("bikes.mp4"), packaged_clip("bigbuckbunny.mp4")
    shot, other, rabbit = encoder.encode([f"{bikes}#t=8,10", f"{bikes}#t=1.3,3", film])
    assert encoder.stands_for("video")[0] is encoder.frames
    pictures = encoder.pictures(f"{bikes}#t=9,9.4")
    [picture] = encoder.encode(pictures, "image")
    np.testing.assert_allclose(picture, encoder.frames.encode(pictures)[0], atol=1e-6)
    assert picture @ shot > 0.7 > picture @ other > picture @ rabbit


def test_a_long_clip_is_thinned_evenly(tmp_path):
    frames = [np.full((16, 16, 3), grey, np.uint8) for grey in range(0, 200, 2)]
    path = write_video(tmp_path / "grey.mkv", frames, codec="ffv1")
    taken = VideoEncoder(COLOUR, rate=10, most=8).pictures(str(path))
    levels = [int(pixels.mean()) for pixels in taken]
    assert len(levels) == 7
    assert set(np.diff(levels)) <= {31, 32, 33}
    array = np.stack(frames)
    assert len(VideoEncoder(COLOUR, most=8).pictures(array)) == 8


def test_the_fingerprint_names_all_that_vectors_depend_on():
    made = [
        VideoEncoder(COLOUR),
        VideoEncoder(COLOUR, rate=1),
        VideoEncoder(COLOUR, most=4),
        VideoEncoder(COLOUR, pooling="max"),
        VideoEncoder({**COLOUR, "version": 2}),
        VolumeEncoder(COLOUR),
        VolumeEncoder(COLOUR, window=(0, 9)),
    ]
    assert len({encoder.fingerprint for encoder in made}) == len(made)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"frames": {"type": "colour-words"}}, "takes text"),
        ({"frames": {"version": 1}}, "needs a type"),
        ({"frames": COLOUR, "rate": 0}, "the rate is 0"),
        ({"frames": COLOUR, "most": 0}, "most is 0"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        VideoEncoder(**options)


def test_a_pooling_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no pooling"):
        _ = VideoEncoder(COLOUR, pooling=str(tmp_path / "none")).fingerprint
    with pytest.raises(ConfigError, match="window"):
        VolumeEncoder(COLOUR, window=(3, 3))


def test_equal_sections_share_one_model():
    with one_of_each():
        photo = encoder_of({"type": "pixel-colour"}, "encoders.photo")
        video = encoder_of({"type": "video", "frames": {"type": "pixel-colour"}}, "encoders.clip")
    assert video.frames is photo
    assert encoder_of({"type": "pixel-colour"}, "x") is not photo


def test_a_volume_is_the_same_as_an_array_a_file_or_pictures(tmp_path):
    volume = np.linspace(0, 255, 6 * 8 * 8).reshape(6, 8, 8).astype(np.uint8)
    np.save(tmp_path / "volume.npy", volume)
    folder = tmp_path / "slices"
    folder.mkdir()
    for number, pixels in enumerate(volume):
        Image.fromarray(pixels).save(folder / f"slice{number + 5}.png")
    encoder = VolumeEncoder(COLOUR, window=(0, 255), most=3)
    array, file, pictures = encoder.encode([volume, tmp_path / "volume.npy", str(folder)])
    np.testing.assert_array_equal(array, file)
    np.testing.assert_allclose(array, pictures, atol=1e-6)
    taken = encoder.pictures(folder)
    assert [path.name for path in taken] == ["slice6.png", "slice8.png", "slice10.png"]


def test_what_is_no_volume_says_so_in_one_line(tmp_path, monkeypatch):
    encoder = VolumeEncoder(COLOUR)
    (tmp_path / "text.npy").write_text("hello")
    np.save(tmp_path / "flat.npy", np.zeros((4, 4)))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "several.npz", a=np.zeros((2, 2, 2)))
    (tmp_path / "empty").mkdir()
    for name, said in {
        "text.npy": "no array in NumPy's format",
        "flat.npy": r"an array of shape \(4, 4\) is no volume",
        "objects.npy": "no array in NumPy's format",
        "several.npz": "several arrays",
        "empty": "the folder holds 0 pictures",
    }.items():
        with pytest.raises(DecodeError, match=said) as caught:
            encoder.prepare(tmp_path / name)
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(volumes, "MAX_VALUES", 7)
    with pytest.raises(DecodeError, match="is no volume"):
        encoder.prepare(np.zeros((2, 2, 2)))
