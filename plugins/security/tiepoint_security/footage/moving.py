"""What moved in a segment, cut out of it: the scene stays, so this tells segments apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tiepoint.encoders.images import Pixels
from tiepoint_adapters.media.clip_writer import ClipWriter
from tiepoint_security.footage.motion import Motion

_STRETCHES = 6
_SIDE = 256
_SHOWN_S = 0.5
_COPIES = 2  # of each cutout, so that an encoder that takes two frames a second sees each once


class Cutouts:
    """Keeps, for each sixth of a segment, the cutout in which most moved.

    Args:
        segment_s: How long a segment in which something moves is.
    """

    def __init__(self, segment_s: float) -> None:
        self._stretch_s = segment_s / _STRETCHES
        self._best: dict[int, tuple[float, Pixels]] = {}

    def look(self, pixels: Pixels, motion: Motion, time_s: float) -> None:
        """Take a frame.

        Args:
            pixels: (h, w, 3) uint8 RGB.
            motion: What moves in it.
            time_s: From the beginning of the segment.
        """
        stretch = int(time_s / self._stretch_s)
        if motion.square is None or motion.share <= self._best.get(stretch, (0.0,))[0]:
            return
        left, top, side = motion.square
        cutout = pixels[top : top + side, left : left + side]
        scaled = cv2.resize(cutout, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        self._best[stretch] = (motion.share, np.asarray(scaled, np.uint8))

    def write(self, path: Path) -> bool:
        """Write the cutouts as a clip of a few frames; return False if nothing moved."""
        if not self._best:
            return False
        with ClipWriter(path, quality=20) as clip:
            for place, stretch in enumerate(sorted(self._best)):
                for copy in range(_COPIES):
                    clip.add(self._best[stretch][1], (place + copy / _COPIES) * _SHOWN_S)
        return True
