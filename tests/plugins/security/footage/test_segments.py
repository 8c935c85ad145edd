"""What a camera sees becomes segments on disk, each with a clip, a thumbnail and a note."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from PIL import Image

from tests.footage import scene
from tests.plugins.security.footage.camera import NOON_S, frames
from tiepoint.errors import DecodeError
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import read_frames
from tiepoint_security.footage.motion import MotionMeter
from tiepoint_security.footage.retention import due
from tiepoint_security.footage.segment import Segment
from tiepoint_security.footage.settings import FootageSettings
from tiepoint_security.footage.store import FootageStore
from tiepoint_security.footage.writer import SegmentWriter

SETTINGS = FootageSettings(segment_s=4, still_s=10)


@pytest.fixture
def store(tmp_path) -> FootageStore:
    return FootageStore(tmp_path / "footage")


def written(store, *stretches, **given) -> list[Segment]:
    writer = SegmentWriter("gate", store, SETTINGS)
    found = [writer.add(frame, **given) for frame in chain(*stretches)]
    found.append(writer.close())
    return [segment for segment in found if segment is not None]


def lengths(segments) -> list[float]:
    return [round(segment.end_s - segment.start_s, 1) for segment in segments]


def test_motion_is_cut_by_the_clock_and_stillness_is_one_long_segment(store):
    assert lengths(written(store, frames(10))) == [3.8, 3.8, 1.8]
    assert lengths(written(store, frames(15, moves=False))) == [9.8, 4.8]


def test_what_begins_to_move_begins_a_segment(store):
    segments = written(store, frames(6, moves=False), frames(3, begins_s=6))
    assert len(segments) == 2
    assert segments[1].start_s == pytest.approx(NOON_S + 6.2, abs=0.25)


def test_a_segment_is_a_clip_that_plays_with_the_frame_in_which_most_moved(store):
    [segment] = written(store, frames(3, moves=False), zones=("yard",), severity="warning")
    [busy] = written(store, frames(2))
    assert segment.id == "gate/20260501T120000.000Z"
    assert (segment.zones, segment.severity) == (("yard",), "warning")
    clip = store.folder / f"{busy.stem}.mp4"
    shown = [frame.time_s for frame in read_frames(Clip(clip))]
    assert shown == pytest.approx([n * 0.2 for n in range(10)], abs=0.002)
    with Image.open(clip.with_suffix(".jpg")) as thumbnail:
        difference = np.asarray(thumbnail, int) - scene(0)
    assert np.abs(difference[40:60]).max() > 60  # the square is elsewhere than at first


@pytest.mark.parametrize(
    "second",
    [
        frames(2, begins_s=30),
        frames(2, begins_s=2, wall_s=NOON_S + 3600),
        frames(2, begins_s=2, width=200),
    ],
    ids=["a pause", "a clock that was set", "another size"],
)
def test_a_break_ends_a_segment(store, second):
    assert lengths(written(store, frames(2), second)) == [1.8, 1.8]


def test_what_is_on_disk_is_found_again_by_another_process(store):
    segments = written(store, frames(10), zones=("yard",), severity="critical")
    again = FootageStore(store.folder)
    assert list(again.segments()) == segments
    assert again.cameras() == ["gate"]
    assert all(again.size(segment) > 1000 for segment in segments)


def test_a_camera_may_be_called_anything_and_stays_in_the_folder(store):
    writer = SegmentWriter("../門 1", store, SETTINGS)
    for frame in frames(1, camera="../門 1"):
        writer.add(frame)
    segment = writer.close()
    assert store.cameras() == ["../門 1"]
    assert list(store.segments()) == [segment]
    assert {path.parent for path in store.folder.parent.iterdir()} == {store.folder.parent}
    assert len(list(store.folder.parent.iterdir())) == 1


def test_what_a_killed_process_left_is_removed_and_the_rest_is_kept(store):
    [whole] = written(store, frames(2))
    folder = (store.folder / whole.stem).parent
    (folder / "20260501T130000.000Z.mp4.partial").write_bytes(b"x")
    (folder / "20260501T130000.000Z.mp4").write_bytes(b"x")
    (folder / "20260501T140000.000Z.json").write_text("{}")
    assert store.remove_unfinished() == 2
    assert list(store.segments()) == [whole]


def test_notes_that_are_none_are_refused():
    for text in ("", "[]", '{"camera": "a"}', "null"):
        with pytest.raises(DecodeError, match="no note of a segment"):
            Segment.from_note(text)


DAY_S = 86_400.0


def segment(days_ago: float, severity=None) -> tuple[Segment, int]:
    end_s = NOON_S - days_ago * DAY_S
    return Segment("gate", end_s - 10, end_s, (), severity), 2**30


def test_old_footage_goes_and_what_had_an_alert_stays_longer():
    kept, old = segment(3), segment(20)
    alert, old_alert = segment(20, "info"), segment(70, "critical")
    gone = due([kept, old, alert, old_alert], FootageSettings(), NOON_S)
    assert gone == [old[0], old_alert[0]]


def test_too_much_footage_goes_from_the_oldest_and_alerts_last():
    segments = [segment(3), segment(2), segment(4, "warning"), segment(1)]
    gone = due(segments, FootageSettings(most_gib=2), NOON_S)
    assert gone == [segments[0][0], segments[1][0]]
    assert due(segments, FootageSettings(most_gib=0.5), NOON_S)[-1] == segments[2][0]


def test_a_change_of_light_is_no_motion_and_what_moves_in_it_is_found():
    meter = MotionMeter()
    meter.look(scene(0), 0.0)
    brighter = np.clip(scene(0).astype(int) + 25, 0, 255).astype(np.uint8)
    assert meter.look(brighter, 0.2).share < 0.05
    moved = np.clip(scene(10).astype(int) - 25, 0, 255).astype(np.uint8)
    share, square = meter.look(moved, 0.4)
    assert 0 < share < 0.15
    assert square is not None
    left, top, side = square
    assert left <= 40 < left + side
    assert top <= 50 < top + side
