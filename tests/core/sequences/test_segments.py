"""Videos are cut at their shots, or by the clock, without gaps."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.videos import packaged_clip, plain, write_video
from tiepoint.errors import ConfigError, DecodeError
from tiepoint.sequences import segments
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.segments import Segmentation

pytest.importorskip("av", reason="video needs the extra `video`")
pytest.importorskip("scenedetect", reason="shots need the extra `video`")


@pytest.fixture(autouse=True)
def own_segments(tmp_path, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))


def test_shots_of_a_real_film_are_found():
    found = Segmentation().of(Clip.of(packaged_clip("bikes.mp4")))
    # Where its frames differ most from those before them.
    assert [s.start_s for s in found[1:]] == pytest.approx([1.2, 3.04, 5.48, 7.48], abs=0.08)
    shorter = Segmentation(shortest_s=0.2).of(Clip.of(packaged_clip("bikes.mp4")))
    assert [s.start_s for s in shorter[5:]] == pytest.approx([9.68], abs=0.08)
    assert found[0].start_s == 0
    assert found[-1].end_s == pytest.approx(10, abs=0.05)
    assert all(one.end_s == two.start_s for one, two in itertools.pairwise(found))


@pytest.mark.parametrize("name", ["carphone_pristine.mp4", "bigbuckbunny.mp4"])
def test_motion_alone_is_no_cut(name):
    assert len(Segmentation().of(Clip.of(packaged_clip(name)))) == 1


def test_windows_cut_by_the_clock():
    found = Segmentation("windows", longest_s=4).of(Clip.of(packaged_clip("bikes.mp4")))
    assert [tuple(s) for s in found] == [(0, 3.333), (3.333, 6.667), (6.667, 10)]


def test_long_shots_are_cut_into_equal_pieces():
    found = Segmentation(longest_s=2).of(Clip.of(packaged_clip("bikes.mp4")))
    assert max(s.end_s - s.start_s for s in found) <= 2.001
    assert [s.start_s for s in found] == pytest.approx([0, 1.2, 3.04, 4.26, 5.48, 7.48, 8.74])


def test_video_whose_times_go_back_is_refused(tmp_path):
    generator = np.random.default_rng(0)
    small = generator.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    parts = [
        write_video(tmp_path / f"{number}.ts", [picture] * 30)
        for number, picture in enumerate((small, np.repeat(np.repeat(small, 2, 0), 2, 1)))
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises(DecodeError, match="do not go on"):
        Segmentation().of(Clip.of(joined))


def test_no_shot_is_shorter_than_asked(tmp_path):
    generator = np.random.default_rng(0)
    patterns = [generator.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(4)]
    frames = [p for p, count in zip(patterns, (20, 5, 20, 20), strict=True) for p in [p] * count]
    path = write_video(tmp_path / "flash.mp4", frames)
    assert len(Segmentation(shortest_s=0.4).of(Clip.of(path))) == 4
    lengths = [s.end_s - s.start_s for s in Segmentation(shortest_s=1).of(Clip.of(path))]
    assert len(lengths) == 3
    assert min(lengths) >= 1


def test_one_frame_is_one_segment(tmp_path):
    path = write_video(tmp_path / "one.mp4", plain((9, 9, 9), 1))
    for method in ("shots", "windows"):
        [found] = Segmentation(method).of(Clip.of(path))
        assert found.start_s == 0 < found.end_s


def test_segments_are_found_once(monkeypatch):
    video = Clip.of(packaged_clip("bikes.mp4"))
    first = Segmentation().of(video)
    monkeypatch.setattr(segments, "shots", None)
    assert Segmentation().of(video) == first
    for file in Path(segments.cache_dir("segments")).iterdir():
        file.write_text("[[1", "ascii")
    with pytest.raises(TypeError):  # a damaged memory is not believed: it is looked at again
        Segmentation().of(video)


def test_a_broken_video_has_no_segments(tmp_path):
    (tmp_path / "x.mp4").write_bytes(b"nothing")
    with pytest.raises(DecodeError, match="cannot be decoded"):
        Segmentation().of(Clip.of(tmp_path / "x.mp4"))


@pytest.mark.parametrize(
    "options",
    [{"method": "scenes"}, {"shortest_s": 0}, {"shortest_s": 5, "longest_s": 2}],
)
def test_segments_that_cannot_be_are_refused(options):
    with pytest.raises(ConfigError):
        Segmentation(**options)
