"""Motion by place: flow summed up in cells, each with its fastest motion."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint_security.frames.flow import Flow

CELL = 8
"""Side of a cell in pixels of the working picture."""

_BLUR = (7, 7)  # a limb's width: noise goes, bodies stay


class CellMotion(NamedTuple):
    """The fastest motion in each cell.

    Attributes:
        speed: (rows, columns) float32, pixels per lag.
        back_x: (rows, columns) float32, where the cell's content was, to the right, in pixels.
        back_y: The same, downwards.
    """

    speed: NDArray[np.float32]
    back_x: NDArray[np.float32]
    back_y: NDArray[np.float32]


def grid_of(shape: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of the cells that cover a picture of (height, width).

    >>> grid_of((171, 256))
    (22, 32)
    """
    return -(-shape[0] // CELL), -(-shape[1] // CELL)


def still(grid: tuple[int, int]) -> CellMotion:
    """Return the motion of a frame in which nothing moves."""
    nothing = np.zeros(grid, np.float32)
    return CellMotion(nothing, nothing, nothing)


def cell_motion(flow: Flow) -> CellMotion:
    """Return the fastest smoothed motion of each cell.

    Args:
        flow: (h, w, 2) float32, pixels per lag.
    """
    x, y = cv2.blur(flow[..., 0], _BLUR), cv2.blur(flow[..., 1], _BLUR)
    rows, columns = grid_of((flow.shape[0], flow.shape[1]))
    padding = ((0, rows * CELL - flow.shape[0]), (0, columns * CELL - flow.shape[1]))

    def in_cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
        padded = np.pad(values, padding)
        split = padded.reshape(rows, CELL, columns, CELL).transpose(0, 2, 1, 3)
        return split.reshape(rows, columns, CELL * CELL)

    speed = in_cells(np.asarray(cv2.magnitude(x, y), np.float32))
    fastest = speed.argmax(-1)[..., None]
    return CellMotion(
        *(
            np.take_along_axis(values, fastest, -1)[..., 0]
            for values in (speed, in_cells(np.asarray(x)), in_cells(np.asarray(y)))
        )
    )
