"""Evidence gathered along what moves: one odd frame is noise, an odd thing stays odd.

Each cell's standing is averaged with that of the place its content came from, found by the
flow itself, so that evidence follows the thing across the picture. Only earlier frames count.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint_security.normality.cells import CELL, CellMotion

_KEEP = 0.6  # of the evidence a lag ago
_CERTAIN = 0.8  # of the limit: faster cells surely move, slower ones count less
_LITTLE = 0.15  # so that hardly moving cells stand low

Map = NDArray[np.float32]


class Trails:
    """Evidence of one stream.

    Args:
        lag: Frames that the flow looks back.
    """

    def __init__(self, lag: int) -> None:
        self._lag = lag
        self._past: deque[tuple[Map, Map]] = deque(maxlen=lag)

    def step(self, standing: Map, motion: CellMotion) -> Map:
        """Take a frame's standings; return them averaged along the motion.

        Args:
            standing: (rows, columns) float32, speed over its limit.
            motion: The motion of the same frame.
        """
        weight = np.clip(standing / _CERTAIN, 0, 1) ** 2
        total, weights = weight * standing, weight.copy()
        if self._past:
            share = len(self._past) / self._lag
            rows, columns = np.indices(standing.shape, np.float32)
            x = np.asarray(columns + motion.back_x / CELL * share, np.float32)
            y = np.asarray(rows + motion.back_y / CELL * share, np.float32)
            earlier_total, earlier_weights = self._past[0]
            total += _KEEP * cv2.remap(earlier_total, x, y, cv2.INTER_LINEAR)
            weights += _KEEP * cv2.remap(earlier_weights, x, y, cv2.INTER_LINEAR)
        self._past.append((total, weights))
        return np.asarray(total / (weights + _LITTLE) * np.minimum(2 * weight, 1), np.float32)
