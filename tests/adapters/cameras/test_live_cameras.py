"""Live cameras: the latest frame and no backlog, through every way in which they fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.footage import Picture, scene, write_video
from tests.mjpeg_server import mjpeg_camera
from tests.ports import free_port
from tests.rtsp_server import BALL, H264, SOUND, UNKNOWN, needs_rtsp_server, rtsp_server
from tiepoint.errors import ConfigError
from tiepoint_adapters.clock import SystemClock
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.pool import CameraPool
from tiepoint_adapters.media.cameras.tampering import TamperSettings

IMPATIENT: dict[str, Any] = {
    "connect_timeout_s": 5,
    "read_timeout_s": 1,
    "first_wait_s": 0.1,
    "longest_wait_s": 0.3,
    "fps": 20,
}


@contextmanager
def watching(
    tampering: TamperSettings | None = None, **cameras: str | dict[str, Any]
) -> Iterator[CameraPool]:
    options = {
        name: CameraOptions(
            **{**IMPATIENT, **(given if isinstance(given, dict) else {"address": given})}
        )
        for name, given in cameras.items()
    }
    pool = CameraPool(options, SystemClock(), tampering)
    pool.start()
    try:
        yield pool
    finally:
        pool.stop()


def collect(
    pool: CameraPool, enough: Callable[[list[CameraFrame]], bool], timeout_s: float = 20.0
) -> list[CameraFrame]:
    frames: list[CameraFrame] = []
    deadline = time.monotonic() + timeout_s
    while not enough(frames):
        assert time.monotonic() < deadline, pool.health()
        frames += pool.next_frames(0.2)
        pool.watch()
    return frames


def await_health(pool: CameraPool, camera: str, timeout_s: float = 20.0, **wanted: Any) -> Any:
    deadline = time.monotonic() + timeout_s
    while True:
        pool.next_frames(0.05)
        health = pool.health()[camera]
        if all(health[key] == value for key, value in wanted.items()):
            return health
        assert time.monotonic() < deadline, health


@needs_rtsp_server
@pytest.mark.parametrize("launch", [BALL, H264], ids=["mjpeg", "h264"])
def test_rtsp_camera_is_read_and_its_health_is_known(launch: str) -> None:
    with rtsp_server(launch) as address, watching(gate=address) as pool:
        frames = collect(pool, lambda frames: len(frames) >= 20)
        health = pool.health()["gate"]
    assert frames[0].pixels.shape == (240, 320, 3)
    assert health["status"] == "ok"
    assert health["fps"] > 5
    assert health["lag_s"] < 1
    assert health["last_frame_age_s"] < 1
    times = [frame.time_s for frame in frames]
    assert times == sorted(times)


@needs_rtsp_server
def test_rtsp_camera_that_goes_and_comes_back_is_read_again() -> None:
    port = free_port()
    with watching(gate=f"rtsp://127.0.0.1:{port}/camera") as pool:
        with rtsp_server(port=port):
            before = collect(pool, lambda frames: len(frames) >= 3)
        await_health(pool, "gate", status="lost")
        with rtsp_server(port=port):
            after = collect(pool, lambda frames: len(frames) >= 3)
            health = pool.health()["gate"]
    assert health["connections"] == 2
    assert after[-1].time_s > before[-1].time_s
    assert after[-1].number > before[-1].number


@needs_rtsp_server
@pytest.mark.parametrize("launch", [UNKNOWN, SOUND], ids=["unknown codec", "sound only"])
def test_stream_that_cannot_be_decoded_says_so_and_is_tried_again(launch: str) -> None:
    with rtsp_server(launch) as address, watching(gate=address) as pool:
        deadline = time.monotonic() + 30
        while pool.health()["gate"]["failures_in_a_row"] < 2:
            assert time.monotonic() < deadline, pool.health()
            pool.next_frames(0.1)
        health = pool.health()["gate"]
    assert health["status"] == "lost"
    assert health["error"]


def test_http_camera_is_read() -> None:
    with mjpeg_camera(scene) as address, watching(gate=address) as pool:
        frames = collect(pool, lambda frames: len(frames) >= 10)
    assert np.abs(frames[0].pixels.astype(int) - scene(0)).mean() < 40


def test_camera_that_falls_silent_without_closing_is_connected_to_anew() -> None:
    begun = time.monotonic()

    def silent_after_five(number: int) -> Picture | None:
        return scene(number) if number < 5 else None

    with mjpeg_camera(silent_after_five) as address, watching(gate=address) as pool:
        collect(pool, lambda _: pool.health()["gate"]["connections"] >= 2)
    assert time.monotonic() - begun < 15


def test_slow_taker_gets_the_latest_frame_and_drops_are_counted() -> None:
    with mjpeg_camera(scene) as address, watching(gate=address) as pool:
        collect(pool, lambda frames: len(frames) >= 1)
        time.sleep(1.5)
        (frame,) = pool.next_frames(1)
        health = pool.health()["gate"]
    assert time.monotonic() - frame.arrived_s < 1
    assert health["dropped"] >= 10
    assert health["frames"] <= 3


def test_frames_are_taken_at_the_chosen_rate() -> None:
    with mjpeg_camera(scene) as address:
        slow = {"address": address, "fps": 5}
        with watching(gate=slow) as pool:
            collect(pool, lambda frames: len(frames) >= 1)
            began = time.monotonic()
            collect(pool, lambda frames: len(frames) >= 10)
            took_s = time.monotonic() - began
            assert pool.health()["gate"]["dropped"] == 0
    assert took_s == pytest.approx(2.0, abs=0.5)


def test_size_that_changes_while_it_runs_is_told_with_the_frame() -> None:
    def growing(number: int) -> Picture:
        return scene(number, width=160 if number < 10 else 320)

    with mjpeg_camera(growing) as address:
        masked = {"address": address, "masks": [[(0, 0), (0.4, 0), (0.4, 0.4), (0, 0.4)]]}
        with watching(gate=masked) as pool:
            frames = collect(pool, lambda frames: any(f.pixels.shape[1] == 320 for f in frames))
            assert pool.health()["gate"]["size_changes"] == 1
    assert [frame.pixels.shape[1] for frame in frames if frame.new_size] == [160, 320]
    assert not frames[-1].pixels[:40, :100].any()


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        ("black", np.zeros((120, 160, 3), np.uint8)),
        ("covered", np.full((120, 160, 3), 90, np.uint8)),
        ("frozen", scene(0)),
    ],
)
def test_camera_that_shows_no_scene_any_more_is_tampered_with(fault: str, shown: Picture) -> None:
    limits = TamperSettings(after_s=0.5, frozen_after_s=0.5)

    def struck(number: int) -> Picture:
        return scene(number) if number < 10 else shown

    with mjpeg_camera(struck) as address, watching(limits, gate=address) as pool:
        await_health(pool, "gate", status="ok")
        health = await_health(pool, "gate", status="tampered")
    assert fault in health["faults"]


def test_camera_that_is_gone_keeps_no_other_waiting(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", map(scene, range(20)))
    gone = f"http://127.0.0.1:{free_port()}/video"
    with watching(gone=gone, file={"address": str(video), "loop": True}) as pool:
        frames = collect(pool, lambda frames: len(frames) >= 30)
        health = pool.health()
    assert {frame.camera for frame in frames} == {"file"}
    assert health["gone"]["status"] == "lost"
    assert health["file"]["status"] == "ok"
    assert health["file"]["connections"] >= 2


def test_file_that_ends_is_over(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", map(scene, range(5)))
    with watching(file=str(video)) as pool:
        collect(pool, lambda _: pool.over)
        assert pool.health()["file"]["status"] == "ended"


def test_file_that_cannot_be_read_is_not_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_text("no video")
    with watching(file=str(file)) as pool:
        health = await_health(pool, "file", status="failed")
    assert health["connections"] == 0
    assert "opened" in health["error"]


def test_password_is_shown_nowhere() -> None:
    address = f"http://user:hunter2@127.0.0.1:{free_port()}/video?token=hunter2"
    with watching(gate=address) as pool:
        health = await_health(pool, "gate", state="waiting")
    assert "hunter2" not in str(health)


def test_names_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ConfigError, match="told apart"), watching(Gate="a.mp4", gate="b.mp4"):
        pass
