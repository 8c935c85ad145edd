"""How much moves in a frame and where, cheaply: what cuts segments and is shown of them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.images import Pixels

_WIDTH = 64
_CHANGE = 8.0  # grey levels, of the mean of a cell: more than noise and compression make
_APART_S = 0.15
_MARGIN = 1.2
_SMALLEST = 0.3  # of the picture's shorter side: a thing is known by what is around it, too


class Motion(NamedTuple):
    """What moves in a frame.

    Attributes:
        share: Of the picture, in [0, 1].
        square: Left, top and side in pixels of a square around the largest moving thing; None
            if nothing moves.
    """

    share: float
    square: tuple[int, int, int] | None


NONE = Motion(0.0, None)


class MotionMeter:
    """Compares the frames of one camera, each with one a little earlier."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._before_s = float("-inf")
        self._motion = NONE

    def look(self, pixels: Pixels, time_s: float) -> Motion:
        """Return what moves in a frame; nothing in the first one.

        Args:
            pixels: (h, w, 3) uint8 RGB.
            time_s: The time of the stream.
        """
        if 0 <= time_s - self._before_s < _APART_S:
            return self._motion
        height = max(1, round(pixels.shape[0] * _WIDTH / pixels.shape[1]))
        small = cv2.resize(pixels, (_WIDTH, height), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        self._motion = NONE
        if self._before is not None and self._before.shape == grey.shape:
            change = grey - self._before
            change -= np.median(change)  # what the light or the exposure did to all of it
            changed = (np.abs(change) >= _CHANGE).astype(np.uint8)
            if changed.any():
                self._motion = Motion(float(changed.mean()), _square(changed, pixels))
        self._before, self._before_s = grey, time_s
        return self._motion


def _square(changed: NDArray[np.uint8], pixels: Pixels) -> tuple[int, int, int]:
    """Return a square around the largest patch of cells that changed, inside the picture."""
    joined = cv2.dilate(changed, np.ones((3, 3), np.uint8))
    _, _, patches, _ = cv2.connectedComponentsWithStats(joined)
    left, top, width, height, _ = patches[1:][patches[1:, cv2.CC_STAT_AREA].argmax()]
    cell = pixels.shape[1] / changed.shape[1]
    shorter = min(pixels.shape[:2])
    side = min(max(width * cell, height * cell, _SMALLEST * shorter) * _MARGIN, shorter)
    x = np.clip((left + width / 2) * cell - side / 2, 0, pixels.shape[1] - side)
    y = np.clip((top + height / 2) * cell - side / 2, 0, pixels.shape[0] - side)
    return int(x), int(y), int(side)
