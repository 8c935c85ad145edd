"""Writes the evidence of alerts, on a thread of its own, so that nobody who watches waits."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.images import Pixels
from tiepoint.errors import TiepointError
from tiepoint.saving import replace_together
from tiepoint_security.alerts.observation import Box
from tiepoint_security.evidence.pictures import heat_map, jpeg, snapshot, strip
from tiepoint_security.evidence.recorder import Kept, write_clip

logger = logging.getLogger(__name__)

_MOST_WAITING = 64

Tell = Callable[[str, str, Path], None]
"""Called with an alert's id, the kind of evidence, and its file, once it is written."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is known at the moment of an alert.

    Attributes:
        alert_id: The alert.
        wall_s: When it was raised.
        pixels: The frame, (h, w, 3) uint8, masked.
        box: Of what it is about.
        heat: How unusual each place was; None if unknown.
        threshold: The value of `heat` from which a place is alarming.
        usual: JPEGs of what usually is there and looks most like it.
    """

    alert_id: str
    wall_s: float
    pixels: Pixels
    box: Box | None
    heat: NDArray[np.float32] | None
    threshold: float
    usual: tuple[bytes, ...] = ()


class EvidenceKeeper:
    """Writes snapshots, heat maps, examples of what is usual, and clips below a folder.

    What cannot be written in time is left out and counted; a disk that is full or slow stops
    no alert.

    Args:
        folder: Where the files go, by day.
        tell: Told of each file.
    """

    def __init__(self, folder: Path, tell: Tell) -> None:
        self._folder = folder
        self._tell = tell
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self.written = self.lost = 0
        self.error: str | None = None

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def keep_pictures(self, scene: Scene) -> None:
        """Write the pictures of an alert; returns at once."""
        self._put(lambda: self._write_pictures(scene))

    def keep_clip(self, alert_id: str, wall_s: float, frames: list[Kept]) -> None:
        """Write the clip of an alert; returns at once."""
        self._put(lambda: self._write_clip(alert_id, wall_s, frames))

    def _put(self, work: Callable[[], None]) -> None:
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            self.lost += 1

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None:
            try:
                work()
                self.error = None
            except (TiepointError, OSError, ValueError, av.FFmpegError) as error:
                self.lost += 1
                if self.error is None:
                    logger.error("evidence cannot be written: %s", error)
                self.error = str(error)

    def _write_pictures(self, scene: Scene) -> None:
        contents = {"snapshot": jpeg(snapshot(scene.pixels, scene.box))}
        heat = scene.heat
        if heat is not None and (map_ := heat_map(scene.pixels, heat, scene.threshold)) is not None:
            contents["heatmap"] = jpeg(map_)
        if scene.usual:
            contents["usual"] = strip(scene.usual)
        for kind, content in contents.items():
            file = self._file(scene.alert_id, scene.wall_s, f"{kind}.jpg")
            replace_together({file: content})
            self._written(scene.alert_id, kind, file)

    def _write_clip(self, alert_id: str, wall_s: float, frames: list[Kept]) -> None:
        file = self._file(alert_id, wall_s, "clip.mp4")
        write_clip(frames, file)
        self._written(alert_id, "clip", file)

    def _written(self, alert_id: str, kind: str, file: Path) -> None:
        self._tell(alert_id, kind, file)
        self.written += 1

    def _file(self, alert_id: str, wall_s: float, name: str) -> Path:
        day = datetime.fromtimestamp(wall_s, UTC).strftime("%Y%m%d")
        folder = self._folder / day
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{alert_id}-{name}"
