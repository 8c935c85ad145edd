"""Motion gating: frames in which nothing changed cost no more than this comparison."""

from __future__ import annotations

import cv2

from tiepoint_security.frames.grey import Grey

_CELL = 8
_CHANGE = 6.0  # grey levels, mean of a cell: several times what compression and noise make


def moves(frame: Grey, earlier: Grey) -> bool:
    """Tell whether some place of a frame differs from an earlier frame of the same size.

    Args:
        frame: (h, w) uint8.
        earlier: (h, w) uint8.
    """
    difference = cv2.absdiff(frame, earlier)
    height, width = frame.shape
    size = (max(1, width // _CELL), max(1, height // _CELL))
    cells = cv2.resize(difference, size, interpolation=cv2.INTER_AREA)
    return bool(cells.max() >= _CHANGE)
