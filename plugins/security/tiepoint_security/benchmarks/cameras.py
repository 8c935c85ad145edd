"""How many cameras a machine takes: N of them in real time, under every kind of trigger."""

from __future__ import annotations

import gc
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.assembly import Assembly
from tiepoint.embedded import embedded_deployment
from tiepoint.errors import InputError
from tiepoint_adapters.clock import SystemClock
from tiepoint_adapters.media.cameras.decoding import decoded_frames
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.sinks.base import Message
from tiepoint_adapters.sinks.log import LogSink
from tiepoint_security.alarm import Alarm
from tiepoint_security.benchmarks.rules import PLACES, RULES
from tiepoint_security.scene.vision import Vision
from tiepoint_security.settings import AlarmSettings
from tiepoint_security.watching.live import LiveWatch
from tiepoint_security.watching.settings import WatchSettings
from tiepoint_security.watching.watching import Judged

WARM_UP_S = 20.0


class _Taking(LogSink):
    """A sink that notes when each message about a new alert reached it."""

    def __init__(self) -> None:
        super().__init__()
        self.took_s: dict[str, float] = {}

    def send(self, message: Message, timeout_s: float) -> None:
        if message.body["type"] == "new":
            self.took_s[message.body["id"]] = time.monotonic()


@dataclass(frozen=True, slots=True)
class Load:
    """What is measured.

    Attributes:
        footage: Files, which the cameras show in turn and again and again.
        cameras: How many cameras.
        fps: Analysed frames a second of each.
        seconds: How long, after a warm-up.
    """

    footage: Sequence[Path]
    cameras: int
    fps: float
    seconds: float


def measure(load: Load, report: Callable[[int, int | None], None]) -> dict[str, Any]:
    """Return figures of a load: frames, delays from arrival to desk and to sink, memory.

    Args:
        load: The load.
        report: Told the seconds that are done, and all; the warm-up is among them.

    Raises:
        InputError: There is no footage.
        DecodeError: It cannot be read.
    """
    if not load.footage:
        raise InputError("there is no footage", hint="Give --footage, or leave it out.")
    for file in load.footage:
        next(decoded_frames(CameraOptions(address=str(file))))
    with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as folder:
        sink = _Taking()
        clock = SystemClock()
        alarm = Alarm(AlarmSettings(), {"bench": sink}, str(Path(folder) / "data"), "bench", clock)
        watch = LiveWatch(_settings(load), _vision(), alarm, clock)
        alarm.start()
        watch.start()
        try:
            return _measured(load, watch, sink, report)
        finally:
            watch.stop()
            alarm.stop()


def _measured(
    load: Load, watch: LiveWatch, sink: _Taking, report: Callable[[int, int | None], None]
) -> dict[str, Any]:
    total = round(WARM_UP_S + load.seconds)
    _wait(WARM_UP_S, lambda done: report(round(done), total))
    waits_s: list[float] = []
    raised_s: dict[str, float] = {}

    def note(judged: Judged) -> None:
        waits_s.append(time.monotonic() - judged.view.frame.arrived_s)
        for alert in judged.raised:
            raised_s[alert.id] = judged.view.frame.arrived_s

    before, spent = watch.pool.health(), time.process_time()
    watch.watching.listeners.append(note)
    memory: list[tuple[float, float]] = []
    started = time.monotonic()

    def look(done: float) -> None:
        memory.append((done, resident_mib()))
        report(round(WARM_UP_S + done), total)

    gc.collect()
    _wait(load.seconds, look)
    lasted = time.monotonic() - started
    spent = time.process_time() - spent
    watch.watching.listeners.remove(note)
    after = watch.pool.health()
    taken = sum(after[name]["frames"] - before[name]["frames"] for name in after)
    dropped = sum(after[name]["dropped"] - before[name]["dropped"] for name in after)
    waits = 1000 * np.array(waits_s or [np.nan])
    slope, low, high = slope_per_hour(memory)
    told = [
        1000 * (sink.took_s[one] - at_s) for one, at_s in raised_s.items() if one in sink.took_s
    ]
    return {
        "cameras": load.cameras,
        "seconds": round(lasted, 1),
        "fps_per_camera": round(taken / lasted / load.cameras, 2),
        "dropped": dropped,
        "dropped_share": round(dropped / max(1, taken + dropped), 4),
        "to_desk_ms_p50": round(float(np.percentile(waits, 50)), 1),
        "to_desk_ms_p95": round(float(np.percentile(waits, 95)), 1),
        "alerts": len(told),
        "to_sink_ms_p95": round(float(np.percentile(told, 95)), 1) if told else None,
        "cores_used": round(spent / lasted, 2),
        "cpu_ms_per_frame": round(1000 * spent / max(1, taken), 1),
        "looks_per_s": round(watch.watching.health()["looks"] / (lasted + WARM_UP_S), 1),
        "memory_mib": round(memory[-1][1]),
        "memory_mib_per_hour": round(slope, 1),
        "memory_mib_per_hour_95": [round(low, 1), round(high, 1)],
        "failures": watch.watching.failures,
    }


def _settings(load: Load) -> WatchSettings:
    cameras = {
        f"camera{number}": {
            "address": str(load.footage[number % len(load.footage)]),
            "loop": True,
            "fps": load.fps,
            **PLACES,
        }
        for number in range(load.cameras)
    }
    given = {"cameras": cameras, "rules": RULES, "learning": {"seconds": 40}}
    return WatchSettings.model_validate(given)


def _vision() -> Vision:
    made = Assembly(embedded_deployment("unused"))
    vision = Vision.chosen(None, made.aligner, made.encoders.__getitem__)
    if vision is None:
        raise InputError("the embedded default has no encoder of pictures")
    return vision


def _wait(seconds: float, look: Callable[[float], None]) -> None:
    """Let time pass, looking once a second."""
    started, ended = time.monotonic(), threading.Event()
    while (done := time.monotonic() - started) < seconds:
        look(done)
        ended.wait(min(1.0, seconds - done))


def resident_mib() -> float:
    """Return the memory that this process holds, in MiB (Linux); 0 where that is not told."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    for line in status.read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) / 1024
    return 0.0


def slope_per_hour(memory: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return how memory grows over its second half, with the ends of its 95 % interval.

    The median of slopes (Theil, 1950; interval by Sen, 1968) between the means of 30 stretches,
    since one second's memory is much like the next's. NaN ends where there is too little.

    Args:
        memory: Seconds and MiB, in order.
    """
    from scipy.stats import theilslopes

    late = np.array(memory[len(memory) // 2 :], np.float64)
    if len(late) < 2:
        return 0.0, float("nan"), float("nan")
    means = np.array([part.mean(axis=0) for part in np.array_split(late, min(30, len(late)))])
    found = theilslopes(means[:, 1], means[:, 0])
    return 3600 * found.slope, 3600 * found.low_slope, 3600 * found.high_slope
