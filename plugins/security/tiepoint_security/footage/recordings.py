"""Files that a camera once recorded, cut into segments like what it sees now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tiepoint_adapters.clock import Clock
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.playback import recorded_frames
from tiepoint_security.footage.segment import Segment
from tiepoint_security.footage.settings import FootageSettings
from tiepoint_security.footage.store import FootageStore
from tiepoint_security.footage.writer import SegmentWriter


def recorded_segments(
    camera: str,
    options: CameraOptions,
    begins_wall_s: float,
    store: FootageStore,
    settings: FootageSettings,
    clock: Clock,
) -> Iterator[Segment]:
    """Yield the segments of a recording as they are written; the last one at its end.

    Args:
        camera: The camera's name.
        options: The file or folder, and what is masked.
        begins_wall_s: When it was begun, in seconds since 1970.
        store: Where segments go.
        settings: Their lengths.
        clock: The clocks.

    Raises:
        DecodeError: It cannot be read.
        OSError: A segment cannot be written.
    """
    writer = SegmentWriter(camera, store, settings)
    try:
        for frame in recorded_frames(camera, options, clock, begins_wall_s):
            ended = writer.add(frame)
            if ended is not None:
                yield ended
    finally:
        last = writer.close()
    if last is not None:
        yield last


def begun_at(file: Path) -> float:
    """Return when a recording was begun, as far as its file tells: when it was changed last."""
    return file.stat().st_mtime
