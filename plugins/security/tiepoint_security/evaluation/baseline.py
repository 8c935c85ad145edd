"""The recipe to beat: plain flow magnitude per cell over its row's high quantile.

DIS flow, preset medium, to the frame a lag before; magnitude blurred by 5x5; the maximum in
cells of 8 pixels; divided by the 99th percentile of the row's moving cells in training; blurred
by 3x3; the mean of the four highest cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint_security.frames.flow import LaggedFlow
from tiepoint_security.frames.grey import Grey
from tiepoint_security.normality.cells import CELL, grid_of

_MOVING = 0.5  # pixels per lag
_SHARE = 0.99
_FEWEST = 200
_HIGHEST = 4

CellSpeeds = NDArray[np.float32]
"""(frames, rows, columns)."""


def cell_speeds(frames: Iterable[Grey], lag: int) -> CellSpeeds:
    """Return the fastest blurred speed of each cell of each frame, in pixels per lag."""
    stream = LaggedFlow(lag)
    found = []
    for frame in frames:
        flow = stream.step(frame)
        rows, columns = grid_of((frame.shape[0], frame.shape[1]))
        padded = np.zeros((rows * CELL, columns * CELL), np.float32)
        if flow is not None:
            speed = cv2.magnitude(flow[..., 0], flow[..., 1])
            padded[: frame.shape[0], : frame.shape[1]] = cv2.blur(speed, (5, 5))
        found.append(padded.reshape(rows, CELL, columns, CELL).max((1, 3)))
    return np.stack(found)


def row_limits(training: Sequence[CellSpeeds]) -> NDArray[np.float32]:
    """Return each row's 99th percentile of moving cells, (rows,)."""
    rows = np.concatenate(list(training)).transpose(1, 0, 2)
    moving = [row[row > _MOVING] for row in rows]
    known = [i for i, values in enumerate(moving) if len(values) > _FEWEST]
    if not known:
        return np.ones(len(moving), np.float32)
    limits = [np.quantile(moving[i], _SHARE) for i in known]
    return np.asarray(np.interp(np.arange(len(moving)), known, limits), np.float32)


def scores(speeds: CellSpeeds, limits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the score of each frame."""
    smooth = np.stack([cv2.blur(frame / limits[:, None], (3, 3)) for frame in speeds])
    cells = np.sort(smooth.reshape(len(smooth), -1), axis=1)
    return np.asarray(cells[:, -_HIGHEST:].mean(1), np.float64)
