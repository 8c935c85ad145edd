"""Files that a camera once recorded, cut into segments like what it sees now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tiepoint.errors import DecodeError
from tiepoint_adapters.clock import Clock
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.playback import recorded_frames
from tiepoint_security.footage.segment import Segment
from tiepoint_security.footage.settings import FootageSettings
from tiepoint_security.footage.store import FootageStore
from tiepoint_security.footage.writer import SegmentWriter

_UNSET_YEAR = 1970  # 1904 and 1970 are what cameras state whose clock was never set


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
    """Return when a recording was begun, in seconds since 1970, as far as the file tells.

    That is the time that a video states as its creation; without one, when the file was
    written last, less the length of the video.

    Raises:
        DecodeError: There is no such file or folder.
    """
    try:
        written_s = file.stat().st_mtime
    except OSError as error:
        raise DecodeError(
            f"it cannot be read ({error.strerror})", where=str(file), hint="Check the path."
        ) from error
    if file.is_dir():
        return written_s
    import av

    try:
        with av.open(f"file:{file}", options={"protocol_whitelist": "file"}) as container:
            stated = container.metadata.get("creation_time")
            length_s = float(container.duration or 0) / float(av.time_base)
    except (av.FFmpegError, ValueError, OSError):
        return written_s  # reading its frames will tell what is wrong
    with suppress(ValueError):
        if stated and (moment := datetime.fromisoformat(stated)).year > _UNSET_YEAR:
            return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    return written_s - length_s
