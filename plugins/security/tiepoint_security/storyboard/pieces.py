"""A video in small pieces: what each looks like, how much moves in it, and its best frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tiepoint.encoders.base import Vectors
from tiepoint.encoders.images import Pixels
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import read_frames
from tiepoint.sequences.segments import Segmentation
from tiepoint_security.footage.motion import MotionMeter

if TYPE_CHECKING:
    from tiepoint.host import Host

_LONGEST_S = 5.0
_RATE = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A few seconds of a video.

    Attributes:
        start_s: From the beginning of the video.
        end_s: Likewise.
        vector: (d,) float32, unit norm, in the joint space.
        motion: The share of the picture that moves, on average.
        frame: (h, w, 3) uint8 RGB: the frame in which most moves, the middle one if nothing does.
        frame_s: When that frame is.
    """

    start_s: float
    end_s: float
    vector: Vectors
    motion: float
    frame: Pixels
    frame_s: float


def pieces_of(
    file: Path, host: Host, progress: Callable[[int, int | None], None]
) -> Iterator[Piece]:
    """Yield the pieces of a video: shots, cut where they are longer than five seconds.

    Args:
        file: The video.
        host: Its encoders and aligner take videos.
        progress: Called with how many pieces are done, and how many there are.

    Raises:
        DecodeError: The video cannot be read.
    """
    meter = MotionMeter()
    segments = Segmentation("shots", longest_s=_LONGEST_S).of(Clip(file))
    for number, segment in enumerate(segments):
        read = list(read_frames(Clip(file, segment.start_s, segment.end_s), _RATE))
        frames = [frame for frame in read if frame.pixels.shape == read[0].pixels.shape]
        motion = np.array([meter.look(frame.pixels, frame.time_s).share for frame in frames])
        best = int(motion.argmax()) if motion.any() else len(frames) // 2
        [vector] = host.embed(video=[np.stack([frame.pixels for frame in frames])])
        yield Piece(
            segment.start_s,
            segment.end_s,
            vector,
            float(motion.mean()),
            frames[best].pixels,
            frames[best].time_s,
        )
        progress(number + 1, len(segments))
