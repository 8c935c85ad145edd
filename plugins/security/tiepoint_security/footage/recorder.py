"""The recorder: what cameras see becomes segments, which are indexed as they happen."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from tiepoint.errors import TiepointError
from tiepoint_adapters.clock import Clock
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_security.alerts.severity import Severity
from tiepoint_security.footage.index import FootageIndex
from tiepoint_security.footage.retention import due
from tiepoint_security.footage.segment import Segment
from tiepoint_security.footage.settings import FootageSettings
from tiepoint_security.footage.store import FootageStore
from tiepoint_security.footage.writer import SegmentWriter

logger = logging.getLogger(__name__)

_MOST_WAITING = 1000
_CLEAN_EVERY_S = 3600.0


class Recorder:
    """Takes the frames of all cameras; indexing and removing is done by a thread of its own.

    A full disk costs segments and never stops the cameras; a segment that could not be indexed
    is indexed at the next start.

    Args:
        index: Where segments are indexed.
        settings: Of footage.
        clock: The clocks.
    """

    def __init__(self, index: FootageIndex, settings: FootageSettings, clock: Clock) -> None:
        self.index = index
        self.settings = settings
        self.clock = clock
        self._writers: dict[str, SegmentWriter] = {}
        self._waiting: queue.Queue[Segment | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._indexed = self._failed = self._removed = 0
        self._error: str | None = None

    @property
    def store(self) -> FootageStore:
        """Where segments are."""
        return self.index.store

    def start(self) -> None:
        """Take up what an earlier process left, and begin to index."""
        self.store.remove_unfinished()
        self._thread = threading.Thread(target=self._run, name="footage", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the open segments, and index what waits."""
        for camera in list(self._writers):
            self.end(camera)
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def add(
        self,
        frame: CameraFrame,
        zones: Collection[str] = (),
        severity: Severity | None = None,
    ) -> None:
        """Take a frame of any camera; from one thread for each camera.

        Args:
            frame: The next frame of its camera.
            zones: The zones in which something is.
            severity: Of the worst alert that goes on; None if none does.
        """
        writer = self._writers.get(frame.camera)
        if writer is None:
            writer = SegmentWriter(frame.camera, self.store, self.settings)
            self._writers[frame.camera] = writer
        try:
            self._ended(writer.add(frame, zones, severity))
        except (OSError, TiepointError) as error:
            self._fail("a segment cannot be written", error)

    def end(self, camera: str) -> None:
        """End a camera's open segment, as when the camera is gone."""
        writer = self._writers.pop(camera, None)
        if writer is None:
            return
        try:
            self._ended(writer.close())
        except (OSError, TiepointError) as error:
            self._fail("a segment cannot be written", error)

    def health(self) -> dict[str, Any]:
        """Return plain data: what was indexed, waits, failed and was removed."""
        return {
            "status": "ok" if self._error is None else "degraded",
            "indexed": self._indexed,
            "waiting": self._waiting.qsize(),
            "failed": self._failed,
            "removed": self._removed,
            "error": self._error,
        }

    def _ended(self, segment: Segment | None) -> None:
        if segment is None:
            return
        try:
            self._waiting.put_nowait(segment)
        except queue.Full:
            self._fail("a segment waits for the next start to be indexed", "too many wait")

    def _run(self) -> None:
        self._try(self._catch_up)
        cleaned_s = float("-inf")
        while True:
            if self.clock.monotonic() - cleaned_s >= _CLEAN_EVERY_S:
                cleaned_s = self.clock.monotonic()
                self._try(self._clean)
            try:
                segment = self._waiting.get(timeout=_CLEAN_EVERY_S / 60)
            except queue.Empty:
                continue
            if segment is None:
                return
            self._try(partial(self._index, [segment]))

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
            self._error = None
        except (TiepointError, OSError) as error:
            self._fail("footage cannot be indexed or removed", error)

    def _catch_up(self) -> None:
        report = self.index.catch_up()
        self._indexed += report.added

    def _index(self, segments: list[Segment]) -> None:
        report = self.index.add(segments)
        self._indexed += report.added
        for skipped in report.skipped:
            self._fail(f"segment {skipped.where} cannot be indexed", skipped.reason)

    def _clean(self) -> None:
        sized = [(segment, self.store.size(segment)) for segment in self.store.segments()]
        gone = due(sized, self.settings, self.clock.wall())
        self.index.remove(gone)
        self._removed += len(gone)

    def _fail(self, what: str, error: object) -> None:
        self._failed += 1
        self._error = f"{what} ({error})"
        logger.error("%s (%s)", what, error)
