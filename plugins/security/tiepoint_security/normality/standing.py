"""From the motion of a frame to how unusual it is, place by place."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint_security.frames.flow import LaggedFlow
from tiepoint_security.frames.grey import Grey
from tiepoint_security.normality.cells import CellMotion, cell_motion, grid_of, still
from tiepoint_security.normality.speeds import directions
from tiepoint_security.normality.trails import Trails

_BOX_SHARE = 0.5  # cells at least half as unusual as the most unusual one belong to its box


class Standing(NamedTuple):
    """How unusual a frame is.

    Attributes:
        score: The most unusual place's; 1 is the limit of what is usual there. Not negative.
        heat: (rows, columns) float32, that of every cell.
        box: The most unusual region, as left, top, right, bottom in shares of the picture; None
            where nothing moves.
    """

    score: float
    heat: NDArray[np.float32]
    box: tuple[float, float, float, float] | None


class MotionStream:
    """The motion of a stream by cells, frame by frame.

    Args:
        lag: Frames that the flow looks back.
    """

    def __init__(self, lag: int) -> None:
        self._flow = LaggedFlow(lag)

    def step(self, frame: Grey, gap: float = 1.0) -> CellMotion:
        """Take the next frame, (h, w) uint8, so many frames after the one before."""
        flow = self._flow.step(frame, gap)
        height, width = frame.shape
        return still(grid_of((height, width))) if flow is None else cell_motion(flow)


class StandingStream:
    """How unusual each frame of a stream is, from its motion.

    Args:
        limits: (rows, DIRECTIONS) float32, from `speeds.limits`; may be replaced while the
            stream goes on.
        lag: Frames that the flow looks back.
    """

    def __init__(self, limits: NDArray[np.float32], lag: int) -> None:
        self.limits = limits
        self._trails = Trails(lag)

    def step(self, motion: CellMotion) -> Standing:
        """Take the motion of the next frame."""
        rows = np.arange(len(motion.speed))[:, None]
        relative = motion.speed / self.limits[rows, directions(motion)]
        smooth = np.asarray(cv2.blur(relative, (3, 3)), np.float32)
        heat = self._trails.step(smooth, motion)
        return Standing(float(heat.max()), heat, _box(heat))


def _box(heat: NDArray[np.float32]) -> tuple[float, float, float, float] | None:
    peak = float(heat.max())
    if peak <= 0:
        return None
    rows, columns = heat.shape
    mask = (heat >= _BOX_SHARE * peak).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    left, top, width, height, _ = stats[labels[np.unravel_index(int(heat.argmax()), heat.shape)]]
    return (
        float(left / columns),
        float(top / rows),
        float((left + width) / columns),
        float((top + height) / rows),
    )
