"""From the frames of one camera to segments on disk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from tiepoint.encoders.images import Pixels
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_adapters.media.clip_writer import ClipWriter
from tiepoint_security.alerts.severity import Severity, worst
from tiepoint_security.footage.motion import MotionMeter
from tiepoint_security.footage.moving import Cutouts
from tiepoint_security.footage.segment import Segment
from tiepoint_security.footage.settings import FootageSettings
from tiepoint_security.footage.store import FootageStore

_GAP_S = 5.0
"""A longer time without frames ends a segment."""

_SHORTEST_S = 2.0
"""A still segment is at least so long when motion ends it."""


@dataclass(slots=True)
class _Open:
    segment: Segment
    clip: ClipWriter
    began_s: float
    last_s: float
    thumbnail: Pixels
    cutouts: Cutouts
    most_motion: float = 0.0
    zones: set[str] = field(default_factory=set)
    severity: Severity | None = None

    @property
    def moved(self) -> bool:
        return self.most_motion > 0


class SegmentWriter:
    """Cuts what one camera sees into segments, and writes them as it sees it.

    A segment lasts `segment_s`; one in which nothing moves goes on up to `still_s`, and ends
    when something does, so that what happens begins a segment. Its thumbnail is the frame in
    which most moved. A pause, another size of the pictures, or a clock that was set ends a
    segment, too.

    Args:
        camera: The camera's name.
        store: Where segments go.
        settings: Their lengths.
    """

    def __init__(self, camera: str, store: FootageStore, settings: FootageSettings) -> None:
        self.camera = camera
        self.store = store
        self.settings = settings
        self._meter = MotionMeter()
        self._open: _Open | None = None

    def add(
        self,
        frame: CameraFrame,
        zones: Collection[str] = (),
        severity: Severity | None = None,
    ) -> Segment | None:
        """Take the next frame; return the segment that ended with the one before, if one did.

        Args:
            frame: Of this camera, in the order of time.
            zones: The zones in which something is.
            severity: Of the worst alert that goes on; None if none does.

        Raises:
            OSError: The segment cannot be written, as where the disk is full; the next frame
                begins another.
        """
        motion = self._meter.look(frame.pixels, frame.time_s)
        ended = self.close() if self._ends(frame, motion.share > 0) else None
        if self._open is None:
            self._open = self._begun(frame)
        current = self._open
        try:
            current.clip.add(frame.pixels, frame.time_s - current.began_s)
        except OSError:
            self._open = None
            current.clip.discard()
            raise
        current.last_s = frame.time_s
        current.cutouts.look(frame.pixels, motion, frame.time_s - current.began_s)
        if motion.share > current.most_motion:
            current.most_motion, current.thumbnail = motion.share, frame.pixels
        current.zones.update(zones)
        current.severity = worst(current.severity, severity)
        return ended

    def close(self) -> Segment | None:
        """End the open segment; return it, or None if there is none.

        Raises:
            OSError: It cannot be written.
        """
        current, self._open = self._open, None
        if current is None:
            return None
        began = current.segment
        segment = Segment(
            camera=self.camera,
            start_s=began.start_s,
            end_s=began.start_s + max(current.last_s - current.began_s, 0.001),
            zones=tuple(sorted(current.zones)),
            severity=current.severity,
        )
        try:
            current.clip.close()
        except OSError:
            current.clip.discard()
            raise
        self.store.finish(segment, current.thumbnail, current.cutouts)
        return segment

    def _begun(self, frame: CameraFrame) -> _Open:
        segment = Segment(self.camera, round(frame.wall_s, 3), frame.wall_s)
        clip = ClipWriter(self.store.begin(segment), self.settings.quality)
        cutouts = Cutouts(self.settings.segment_s)
        return _Open(segment, clip, frame.time_s, frame.time_s, frame.pixels, cutouts)

    def _ends(self, frame: CameraFrame, moves: bool) -> bool:
        current = self._open
        if current is None:
            return False
        lasted_s = frame.time_s - current.began_s
        drift_s = abs((frame.wall_s - current.segment.start_s) - lasted_s)
        if frame.new_size or frame.time_s - current.last_s > _GAP_S or drift_s > _GAP_S:
            return True
        if current.moved:
            return lasted_s >= self.settings.segment_s
        return lasted_s >= (_SHORTEST_S if moves else self.settings.still_s)
