"""A decoder that hangs in spite of its timeouts is left behind, and another one takes over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.footage import scene
from tests.simulated_clock import SimulatedClock
from tiepoint_adapters.media.cameras import reader as reader_module
from tiepoint_adapters.media.cameras.decoding import Decoded
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.reader import MOST_ABANDONED, CameraReader


class HangingDecoder:
    """Hangs the first `times` that it is asked, as a broken driver does; then it gives frames."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.released = threading.Event()
        self.asked = threading.Semaphore(0)

    def __call__(self, _: CameraOptions) -> Iterator[Decoded]:
        self.left -= 1
        self.asked.release()
        if self.left >= 0:
            self.released.wait(20)
            yield Decoded(0.0, scene(99))
            return
        for number in range(10**6):
            yield Decoded(number / 10, scene(number))
            time.sleep(0.01)


def started(times: int, monkeypatch: pytest.MonkeyPatch) -> tuple[CameraReader, HangingDecoder]:
    decoder = HangingDecoder(times)
    monkeypatch.setattr(reader_module, "decoded_frames", decoder)
    options = CameraOptions(address="webcam:/dev/video9", connect_timeout_s=1, read_timeout_s=1)
    camera = CameraReader("gate", options, SimulatedClock())
    camera.start()
    assert decoder.asked.acquire(timeout=5)
    return camera, decoder


def let_pass(camera: CameraReader, seconds: float) -> None:
    clock = camera.clock
    assert isinstance(clock, SimulatedClock)
    clock.pass_by(seconds)
    camera.watch()


def test_hanging_decoder_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    camera, decoder = started(1, monkeypatch)
    let_pass(camera, 3)
    assert camera.health()["hanging_decoders"] == 0
    let_pass(camera, 10)
    assert decoder.asked.acquire(timeout=5)
    decoder.released.set()  # what the first one says now no longer counts
    deadline = time.monotonic() + 5
    while (frame := camera.take()) is None:
        assert time.monotonic() < deadline
    assert frame.time_s < 50
    assert camera.health()["hanging_decoders"] == 1
    camera.stop()


def test_decoder_that_always_hangs_does_not_fill_the_process_with_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera, decoder = started(100, monkeypatch)
    before = threading.active_count()
    for _ in range(20):
        let_pass(camera, 60)
    assert camera.health()["status"] == "failed"
    assert threading.active_count() <= before + MOST_ABANDONED
    decoder.released.set()
    camera.stop()
