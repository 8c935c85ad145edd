"""A file or a folder of frames from beginning to end, as fast as it is taken."""

from __future__ import annotations

from collections.abc import Iterator

from tiepoint.errors import ConfigError
from tiepoint_adapters.clock import Clock
from tiepoint_adapters.media.cameras.decoding import decoded_frames, pixels_of
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_adapters.media.cameras.masks import PrivacyMasks
from tiepoint_adapters.media.cameras.options import CameraOptions


def recorded_frames(
    name: str, options: CameraOptions, clock: Clock, begins_wall_s: float | None = None
) -> Iterator[CameraFrame]:
    """Yield the frames of a recording in order, `fps` of them a second of it, none dropped.

    Args:
        name: The camera's.
        options: The file or folder, and the rest.
        clock: The clocks.
        begins_wall_s: When the recording was begun, in seconds since 1970; now if not given.

    Raises:
        ConfigError: The address is no recording.
        DecodeError: It cannot be read.
    """
    if options.live:
        raise ConfigError(
            "a live camera cannot be played back", where=name, hint="Name a file or a folder."
        )
    masks = PrivacyMasks(options.masks)
    begins_wall_s = clock.wall() if begins_wall_s is None else begins_wall_s
    step_s = 1 / options.fps
    number, due_s, size = 0, float("-inf"), (0, 0)
    for time_s, picture in decoded_frames(options):
        at_s = time_s or 0.0
        if at_s < due_s - 1e-6:
            continue
        due_s = (due_s if due_s > at_s - step_s else at_s) + step_s
        pixels = pixels_of(picture, options.short_side)
        masks.burn_in(pixels)
        new_size = pixels.shape[:2] != size
        size = (pixels.shape[0], pixels.shape[1])
        wall_s = begins_wall_s + at_s
        yield CameraFrame(name, number, at_s, clock.monotonic(), wall_s, pixels, new_size)
        number += 1
