"""A frame of a camera, as the rest of the program gets it: masked already."""

from __future__ import annotations

from dataclasses import dataclass

from tiepoint.encoders.images import Pixels


@dataclass(frozen=True, slots=True, eq=False)
class CameraFrame:
    """A picture that a camera took.

    Attributes:
        camera: The camera's name.
        number: Counts the frames that were given out of this camera, from 0.
        time_s: The time of the stream, in seconds from its first frame; never goes back, also
            where the camera's own clock does or the connection was made anew.
        arrived_s: When it was decoded (monotonic).
        wall_s: When it was taken, in seconds since 1970: of live streams when it came, of
            files their beginning and `time_s`.
        pixels: (h, w, 3) uint8 RGB; what the privacy masks cover is black.
        new_size: Whether it is the first frame, or the first of another size than before:
            what was learned of earlier frames' pixels does not fit it.
    """

    camera: str
    number: int
    time_s: float
    arrived_s: float
    wall_s: float
    pixels: Pixels
    new_size: bool
