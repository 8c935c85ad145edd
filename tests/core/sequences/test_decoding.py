"""Frames of real videos come at their times, and what is no video says so in one line."""

from __future__ import annotations

import numpy as np
import pytest

from tests.videos import packaged_clip, plain, write_video
from tiepoint.errors import DecodeError
from tiepoint.sequences import clips, decoding
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import frame_times, read_frames

pytest.importorskip("av", reason="video needs the extra `video`")

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.fixture(scope="module")
def three_colours(tmp_path_factory):
    """Two seconds each of red, green and blue, 10 frames a second."""
    path = tmp_path_factory.mktemp("video") / "colours.mp4"
    return write_video(path, [*plain(RED, 20), *plain(GREEN, 20), *plain(BLUE, 20)])


def colours(frames):
    return [int(np.argmax(frame.pixels.mean((0, 1)))) for frame in frames]


def test_all_frames_come_at_their_times(three_colours):
    frames = list(read_frames(Clip.of(three_colours)))
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(60) / 10, atol=0.002)
    assert colours(frames) == [0] * 20 + [1] * 20 + [2] * 20


def test_a_rate_takes_the_middle_of_equal_steps(three_colours):
    frames = list(read_frames(Clip.of(three_colours), rate=2))
    np.testing.assert_allclose(
        [f.time_s for f in frames], np.arange(12) / 2 + 0.25, atol=0.1 + 1e-6
    )
    assert colours(frames) == [0] * 4 + [1] * 4 + [2] * 4


def test_a_time_range_gives_the_frames_within_it(three_colours):
    assert colours(read_frames(Clip.of(f"{three_colours}#t=2,4"))) == [1] * 20
    assert colours(read_frames(Clip.of(f"{three_colours}#t=,2"))) == [0] * 20
    assert colours(read_frames(Clip.of(f"{three_colours}#t=3.9"))) == [1] + [2] * 20


def test_a_clip_shorter_than_a_step_has_one_frame(three_colours):
    assert len(list(read_frames(Clip.of(f"{three_colours}#t=1,1.2"), rate=1))) == 1


def test_bytes_and_their_file_are_the_same_clip(three_colours):
    content = Clip.of(three_colours.read_bytes())
    assert len(frame_times(content)) == 60
    assert content.content_digest() == Clip.of(str(three_colours)).content_digest()
    ranged = Clip.of(f"{three_colours}#t=2,4")
    assert ranged.content_digest() not in {
        content.content_digest(),
        Clip.of(f"{three_colours}#t=2,5").content_digest(),
    }


def test_a_file_whose_name_looks_like_a_range_is_itself_meant(three_colours, tmp_path):
    odd = tmp_path / "a.mp4#t=1,2"
    odd.write_bytes(three_colours.read_bytes())
    assert len(frame_times(Clip.of(odd))) == 60


def test_a_phone_that_was_held_upright_is_turned(tmp_path):
    av = pytest.importorskip("av")
    frames = [np.zeros((32, 64, 3), np.uint8) for _ in range(4)]
    for pixels in frames:
        pixels[:, :32] = RED
    source = write_video(tmp_path / "lying.mp4", frames)
    content = bytearray(source.read_bytes())
    unit = b"\x00\x01\x00\x00" + b"\x00" * 12 + b"\x00\x01\x00\x00" + b"\x00" * 12 + b"\x40\x00"
    quarter = (
        b"\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
        b"\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00"
    )
    at = content.rindex(unit, 0, content.rindex(b"mdia"))
    content[at : at + len(unit)] = quarter
    with av.open(str(source)) as plainly:
        assert next(plainly.decode(video=0)).rotation == 0
    pixels = next(read_frames(Clip.of(bytes(content)))).pixels
    assert pixels.shape == (64, 32, 3)
    # A quarter turn clockwise brings the left side to the top.
    assert pixels[:24, :, 0].mean() > 200
    assert pixels[40:, :, 0].mean() < 50


def test_large_frames_become_smaller(tmp_path):
    path = write_video(tmp_path / "wide.mp4", [np.zeros((64, 128, 3), np.uint8)])
    [frame] = read_frames(Clip.of(path), short_side=16)
    assert frame.pixels.shape == (16, 32, 3)


def test_a_recording_that_was_cut_off_gives_what_it_has(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (40, 64, 64, 3), dtype=np.uint8)
    whole = write_video(tmp_path / "whole.mkv", noise).read_bytes()
    assert 0 < len(frame_times(Clip(whole[: len(whole) // 2]))) < 40


def test_a_bare_stream_without_seeking_has_its_ranges_too(tmp_path):
    path = write_video(tmp_path / "bare.h264", [*plain(RED, 20), *plain(BLUE, 20)], rate=25)
    assert set(colours(read_frames(Clip.of(f"{path}#t=1,1.5")))) == {2}


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("no.mp4", "no such file"),
        ("empty.mp4", "empty"),
        ("text.mp4", "cannot be decoded"),
        ("broken.mp4", "there is no video in it|cannot be decoded"),
        ("sound.mka", "there is no video"),
        ("list.m3u8", "cannot be decoded"),
        ("good.mp4#t=9,10", "outside the video, whose last frame is at 0.9 s"),
        ("good.mp4#t=9", "outside the video"),
        ("good.mp4#t=3,2", "the time range ends at 2 s"),
        (".", "it is a folder"),
        ("bad\0name.mp4", "cannot be read"),
    ],
)
def test_what_is_no_video_says_so_in_one_line(part, said, tmp_path):
    av = pytest.importorskip("av")
    good = write_video(tmp_path / "good.mp4", plain(RED, 10)).read_bytes()
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video at all\n" * 100)
    (tmp_path / "broken.mp4").write_bytes(good[: len(good) // 2])
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\ngood.mp4\n#EXT-X-ENDLIST\n")
    with av.open(str(tmp_path / "sound.mka"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(DecodeError, match=said) as caught:
        list(read_frames(Clip.of(f"{tmp_path}/{part}")))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_video_without_frames_says_so(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "none.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    with pytest.raises(DecodeError, match=r"no frames|no video|cannot be decoded"):
        list(read_frames(Clip.of(path)))


def test_frames_without_times_or_a_rate_are_refused(tmp_path):
    class Untimed:
        time = None

    class Rateless:
        average_rate = guessed_rate = None

    with pytest.raises(DecodeError, match="neither the times of its frames nor a frame rate"):
        decoding._time(Untimed(), Rateless(), None, Clip(b"x"))


def test_limits_of_size_and_time_are_kept(three_colours, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "MAX_PIXELS", 1000)
        with pytest.raises(DecodeError, match="claims frames of 32 x 32 pixels"):
            list(read_frames(Clip.of(three_colours)))
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "MAX_DECODING_S", -1)
        with pytest.raises(DecodeError, match="decoding takes more than"):
            list(read_frames(Clip.of(three_colours)))
    with monkeypatch.context() as patch:
        patch.setattr(clips, "MAX_BYTES", 100)
        with pytest.raises(DecodeError, match="larger than"):
            list(read_frames(Clip.of(three_colours)))


def test_a_packaged_clip_has_its_ten_seconds():
    times = frame_times(Clip.of(packaged_clip("bikes.mp4")))
    assert len(times) == 250
    assert times[-1] == pytest.approx(9.96)


@pytest.mark.parametrize("times", ["abc", "", ",", "1,x", "1-2"])
def test_a_time_range_that_cannot_be_read_is_told_as_that(three_colours, times):
    with pytest.raises(DecodeError, match=f"the time range '{times}' cannot be read"):
        Clip.of(f"{three_colours}#t={times}")
