"""Clips are whole MP4 files that play at their own times, or they are not there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.footage import scene
from tiepoint.errors import DecodeError
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import read_frames
from tiepoint_adapters.media.clip_writer import ClipWriter

pytest.importorskip("av", reason="video needs the extra `video`")


def square(pixels: np.ndarray) -> int:
    """Return where the bright square begins."""
    bright = pixels[45:55].mean((0, 2)) > 220
    return int(bright.argmax())


def test_frames_come_back_at_their_times(tmp_path):
    path = tmp_path / "clip.mp4"
    times = [0.0, 0.2, 0.45, 1.5, 1.7]
    with ClipWriter(path) as clip:
        for number, time_s in enumerate(times):
            clip.add(scene(number), time_s)
        assert not path.exists()
    frames = list(read_frames(Clip(path)))
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=0.002)
    assert [square(frame.pixels) for frame in frames] == [0, 4, 8, 12, 16]
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]


def test_odd_sides_lose_a_row_and_a_column(tmp_path):
    with ClipWriter(tmp_path / "clip.mp4") as clip:
        clip.add(scene(0)[:121, :159], 0.0)
    [frame] = read_frames(Clip(tmp_path / "clip.mp4"))
    assert frame.pixels.shape == (120, 158, 3)


def test_a_time_that_does_not_go_on_loses_no_frame(tmp_path):
    with ClipWriter(tmp_path / "clip.mp4") as clip:
        for number, time_s in enumerate((0.0, 0.5, 0.5, 0.4, 1.0)):
            clip.add(scene(number), time_s)
    assert len(list(read_frames(Clip(tmp_path / "clip.mp4")))) == 5


def test_what_is_interrupted_leaves_nothing(tmp_path):
    clip = ClipWriter(tmp_path / "clip.mp4")
    clip.add(scene(0), 0.0)
    clip.__exit__(RuntimeError, RuntimeError("the camera is gone"), None)
    assert list(tmp_path.iterdir()) == []


def test_a_clip_without_frames_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(DecodeError, match="needs a frame"), ClipWriter(tmp_path / "clip.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []
