"""The last seconds of a camera in memory, and the clips that are cut out of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import simplejpeg

from tiepoint.encoders.images import Pixels
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_adapters.media.clip_writer import ClipWriter
from tiepoint_security.evidence.pictures import jpeg

_MOST_OPEN = 16
_QUALITY = 80


class Kept(NamedTuple):
    """A frame that is kept.

    Attributes:
        time_s: The stream's time.
        size: Height and width.
        content: JPEG.
    """

    time_s: float
    size: tuple[int, int]
    content: bytes


@dataclass(slots=True, eq=False)
class _Open:
    alert_id: str
    until_s: float
    frames: list[Kept]


class Recorder:
    """Keeps the last seconds of a camera, masked as they are, as JPEGs.

    Memory is bounded: `before_s` of frames, and as many clips that are open at a time as
    cameras have alerts, at most 16, which share their frames.

    Args:
        before_s: Seconds of a clip before the alert.
        after_s: Seconds of it after.
    """

    def __init__(self, before_s: float, after_s: float) -> None:
        self._before_s = before_s
        self._after_s = after_s
        self._past: deque[Kept] = deque()
        self._open: list[_Open] = []

    def add(self, frame: CameraFrame) -> list[tuple[str, list[Kept]]]:
        """Take the next frame; return the alerts whose clips are complete, with the frames."""
        size = (frame.pixels.shape[0], frame.pixels.shape[1])
        kept = Kept(frame.time_s, size, jpeg(frame.pixels, _QUALITY))
        self._past.append(kept)
        while frame.time_s - self._past[0].time_s > self._before_s:
            self._past.popleft()
        for one in self._open:
            one.frames.append(kept)
        complete = [one for one in self._open if frame.time_s >= one.until_s]
        self._open = [one for one in self._open if frame.time_s < one.until_s]
        return [(one.alert_id, one.frames) for one in complete]

    def begin(self, alert_id: str, time_s: float) -> bool:
        """Begin the clip of an alert that was just raised; False where too many are open."""
        if len(self._open) >= _MOST_OPEN:
            return False
        self._open.append(_Open(alert_id, time_s + self._after_s, list(self._past)))
        return True

    def finish(self) -> list[tuple[str, list[Kept]]]:
        """Return all clips that are open, as they are: no further frame comes."""
        open_now, self._open = self._open, []
        return [(one.alert_id, one.frames) for one in open_now]


def write_clip(frames: list[Kept], file: Path) -> None:
    """Write frames as an MP4; those of another size than the last one are left out.

    Raises:
        DecodeError: There are none.
        MissingDependencyError: PyAV is not installed.
        OSError: It cannot be written.
    """
    with ClipWriter(file) as clip:
        for kept in frames:
            if kept.size == frames[-1].size:
                pixels: Pixels = simplejpeg.decode_jpeg(kept.content)
                clip.add(pixels, kept.time_s - frames[0].time_s)
