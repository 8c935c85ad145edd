"""While cameras run, what they see can be searched a segment later, and is removed in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.security.footage.camera import NOON_S, frames
from tests.simulated_clock import SimulatedClock
from tests.waiting import until
from tiepoint import Host
from tiepoint_security.footage.index import FootageIndex
from tiepoint_security.footage.recorder import Recorder
from tiepoint_security.footage.settings import FootageSettings
from tiepoint_security.footage.store import FootageStore
from tiepoint_security.footage.writer import SegmentWriter

SETTINGS = FootageSettings(segment_s=2, still_s=2)


@pytest.fixture
def host(config: Path):
    with Host.from_config(config) as host:
        yield host


@pytest.fixture
def recorder(host, tmp_path) -> Recorder:
    index = FootageIndex(host, "footage", FootageStore(tmp_path / "footage"))
    return Recorder(index, SETTINGS, SimulatedClock())


def test_a_segment_is_found_while_the_camera_goes_on(recorder, host):
    recorder.start()
    try:
        for frame in frames(3):
            recorder.add(frame, zones=["yard"], severity="warning")
        until(lambda: recorder.health()["indexed"] == 1)
        [hit] = host.search(text="red", where='zones contains "yard"', collection="footage")
        assert hit.metadata["severity"] == 2
        assert hit.metadata["start_s"] == NOON_S
    finally:
        recorder.stop()
    assert len(host.collection("footage")) == 2  # the open one was ended, and indexed
    assert recorder.health() == {
        "status": "ok",
        "indexed": 2,
        "waiting": 0,
        "failed": 0,
        "dropped_frames": 0,
        "removed": 0,
        "error": None,
    }


def test_what_a_process_wrote_and_did_not_index_is_indexed_at_the_next_start(recorder, host):
    write(recorder, 5)
    recorder.start()
    recorder.stop()
    assert len(host.collection("footage")) == 3


def test_old_footage_is_removed_from_disk_and_from_the_collection(recorder, host):
    recorder.clock.pass_by(NOON_S + 30 * 86_400 - recorder.clock.wall())
    write(recorder, 5)
    recorder.start()
    until(lambda: recorder.health()["removed"] == 3)
    recorder.stop()
    assert len(host.collection("footage")) == 0
    assert list(recorder.store.segments()) == []


def test_a_disk_that_takes_nothing_costs_segments_and_not_the_camera(recorder, tmp_path):
    recorder.start()
    (tmp_path / "footage").write_text("a file stands where the folder should be")
    for frame in frames(1):
        recorder.add(frame)
    until(lambda: recorder.health()["failed"] == 5)
    assert recorder.health()["status"] == "degraded"
    assert "cannot be written" in recorder.health()["error"]
    (tmp_path / "footage").unlink()
    for frame in frames(1, begins_s=1):
        recorder.add(frame)
    recorder.stop()
    assert len(list(recorder.store.segments())) == 1
    assert recorder.health()["status"] == "ok"


def test_who_gives_frames_never_waits(recorder):
    for frame in frames(60):
        recorder.add(frame)  # nothing takes them
    assert recorder.health()["dropped_frames"] > 200


def write(recorder: Recorder, seconds: float) -> None:
    """Write segments as a process that is killed before it indexes them."""
    writer = SegmentWriter("gate", recorder.store, SETTINGS)
    for frame in frames(seconds):
        writer.add(frame)
    writer.close()
