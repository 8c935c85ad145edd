"""How much moves in a frame, cheaply: what cuts segments and chooses their thumbnails."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.images import Pixels

_WIDTH = 64
_CHANGE = 8.0  # grey levels, of the mean of a cell: more than noise and compression make
_APART_S = 0.15


class MotionMeter:
    """Compares the frames of one camera, each with one a little earlier."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._before_s = float("-inf")
        self._share = 0.0

    def share(self, pixels: Pixels, time_s: float) -> float:
        """Return the share of the picture that changed, in [0, 1]; 0 for the first frame.

        Args:
            pixels: (h, w, 3) uint8 RGB.
            time_s: The time of the stream.
        """
        height = max(1, round(pixels.shape[0] * _WIDTH / pixels.shape[1]))
        small = cv2.resize(pixels, (_WIDTH, height), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        if self._before is None or self._before.shape != grey.shape:
            self._share = 0.0
        elif 0 <= time_s - self._before_s < _APART_S:
            return self._share
        else:
            self._share = float((np.abs(grey - self._before) >= _CHANGE).mean())
        self._before, self._before_s = grey, time_s
        return self._share
