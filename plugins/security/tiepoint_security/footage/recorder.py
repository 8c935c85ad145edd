"""The recorder: what cameras see becomes segments, which are indexed as they happen."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, NamedTuple

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

_MOST_FRAMES = 48
_MOST_SEGMENTS = 1000
_CLEAN_EVERY_S = 3600.0
_WAIT_S = 30.0


class _Seen(NamedTuple):
    frame: CameraFrame
    zones: frozenset[str]
    severity: Severity | None


class Recorder:
    """Takes the frames of all cameras; one thread writes segments, another indexes them.

    Nobody waits for it: where the disk is too slow, frames are left out and counted; where it
    is full, segments are lost and the cameras go on; a segment that could not be indexed is
    indexed at the next start.

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
        self._seen: queue.Queue[_Seen | None] = queue.Queue(_MOST_FRAMES)
        self._ended: queue.Queue[Segment | None] = queue.Queue(_MOST_SEGMENTS)
        self._threads: list[threading.Thread] = []
        self._indexed = self._failed = self._removed = self._dropped = 0
        self._error: str | None = None

    @property
    def store(self) -> FootageStore:
        """Where segments are."""
        return self.index.store

    def start(self) -> None:
        """Take up what an earlier process left, and begin to write and to index."""
        self.store.remove_unfinished()
        self._threads = [
            threading.Thread(target=self._write_all, name="footage", daemon=True),
            threading.Thread(target=self._index_all, name="footage index", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Write what waits, end the open segments, and index them."""
        if self._threads:
            self._seen.put(None)
            for thread in self._threads:
                thread.join()
            self._threads = []

    def add(
        self,
        frame: CameraFrame,
        zones: Collection[str] = (),
        severity: Severity | None = None,
    ) -> None:
        """Take a frame of any camera; returns at once.

        Args:
            frame: The next frame of its camera; nobody changes it any more.
            zones: The zones in which something is.
            severity: Of the worst alert that goes on; None if none does.
        """
        try:
            self._seen.put_nowait(_Seen(frame, frozenset(zones), severity))
        except queue.Full:
            self._dropped += 1

    def health(self) -> dict[str, Any]:
        """Return plain data: what was indexed, waits, failed, was left out and was removed."""
        return {
            "status": "ok" if self._error is None else "degraded",
            "indexed": self._indexed,
            "waiting": self._ended.qsize(),
            "failed": self._failed,
            "dropped_frames": self._dropped,
            "removed": self._removed,
            "error": self._error,
        }

    def _write_all(self) -> None:
        while (seen := self._seen.get()) is not None:
            self._try(partial(self._write, seen), "a segment cannot be written")
        for writer in self._writers.values():
            self._try(partial(self._close, writer), "a segment cannot be written")
        self._ended.put(None)

    def _write(self, seen: _Seen) -> None:
        camera = seen.frame.camera
        if camera not in self._writers:
            self._writers[camera] = SegmentWriter(camera, self.store, self.settings)
        self._hand_over(self._writers[camera].add(seen.frame, seen.zones, seen.severity))

    def _close(self, writer: SegmentWriter) -> None:
        self._hand_over(writer.close())

    def _hand_over(self, segment: Segment | None) -> None:
        if segment is None:
            return
        try:
            self._ended.put_nowait(segment)
        except queue.Full:
            self._fail("a segment is indexed at the next start only", "too many wait")

    def _index_all(self) -> None:
        what = "footage cannot be indexed or removed"
        self._try(self._catch_up, what)
        cleaned_s = float("-inf")
        while True:
            if self.clock.monotonic() - cleaned_s >= _CLEAN_EVERY_S:
                cleaned_s = self.clock.monotonic()
                self._try(self._clean, what)
            try:
                segment = self._ended.get(timeout=_WAIT_S)
            except queue.Empty:
                continue
            if segment is None:
                return
            self._try(partial(self._index, segment), what)

    def _try(self, work: Callable[[], None], what: str) -> None:
        try:
            work()
        except (TiepointError, OSError) as error:
            self._fail(what, error)

    def _catch_up(self) -> None:
        self._indexed += self.index.catch_up().added

    def _index(self, segment: Segment) -> None:
        report = self.index.add([segment])
        self._indexed += report.added
        for skipped in report.skipped:
            self._fail(f"segment {skipped.where} cannot be indexed", skipped.reason)
        if not report.skipped:
            self._error = None

    def _clean(self) -> None:
        sized = [(segment, self.store.size(segment)) for segment in self.store.segments()]
        gone = due(sized, self.settings, self.clock.wall())
        self.index.remove(gone)
        self._removed += len(gone)

    def _fail(self, what: str, error: object) -> None:
        self._failed += 1
        self._error = f"{what} ({error})"
        logger.error("%s (%s)", what, error)
