"""Optical flow between a frame and the one a fixed time before it, where anything moves."""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint_security.frames.grey import Grey
from tiepoint_security.frames.motion import moves

Flow: TypeAlias = NDArray[np.float32]

LAG_S = 0.3
"""Between the frames compared: long enough that walking and cycling differ by several pixels."""

_PAUSE = 2.0  # times the lag: over longer ones nothing is followed
_LEAST_GAP = 0.1  # of the usual time between frames


def gap_of(since_s: float, fps: float) -> float:
    """Return the time since the frame before, in times the usual one; `LaggedFlow` takes it.

    Args:
        since_s: Seconds by the stream's time.
        fps: The usual frames a second.
    """
    return max(_LEAST_GAP, round(since_s * fps, 2))


def lag_frames(fps: float) -> int:
    """Return how many frames back the flow looks at a frame rate.

    >>> lag_frames(10.0), lag_frames(5.0), lag_frames(1.0)
    (3, 2, 1)
    """
    return max(1, round(LAG_S * fps + 1e-9))


class LaggedFlow:
    """Flow of a stream, frame by frame; it looks back only.

    DIS flow (Kroeger et al., 2016), preset medium, from each frame to the one `lag` frames
    earlier. Where there is none just so far back, as at first and after frames were dropped,
    the nearest is taken, and the flow is scaled as if it went on. A frame of another size, or
    after a long pause, begins anew.

    Args:
        lag: Frames to look back.

    Attributes:
        begins: Whether the latest frame was compared with none, as the first one is.
    """

    def __init__(self, lag: int) -> None:
        self.lag = lag
        self.begins = True
        self._past: deque[tuple[float, Grey]] = deque(maxlen=lag)
        self._at = 0.0
        self._method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def step(self, frame: Grey, gap: float = 1.0) -> Flow | None:
        """Take the next frame; return where each pixel was, as (h, w, 2) pixels per lag.

        None for the first frame, and where nothing moves.

        Args:
            frame: (h, w) uint8.
            gap: Time since the frame before, in times the usual one: 2 where one was dropped.
        """
        if self._past and (self._past[-1][1].shape != frame.shape or gap > _PAUSE * self.lag):
            self._past.clear()
        self._at += gap
        known = [(self._at - at, picture) for at, picture in self._past]
        self._past.append((self._at, frame))
        self.begins = not known
        if self.begins:
            return None
        back, earlier = min(known, key=lambda one: abs(one[0] - self.lag))
        if not moves(frame, earlier):
            return None
        if min(frame.shape) < 16:  # the method's coarsest patches need as much
            return None
        flow = self._method.calc(frame, earlier, np.zeros((*frame.shape, 2), np.float32))
        return np.asarray(flow * (self.lag / back), np.float32)
