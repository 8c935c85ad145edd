"""Learning on line, without learning the intruder.

Three guards. A frame is learnt only after a quarantine that passes without alarm: what led up
to an alarm, and the alarm itself, are thrown away. What is learnt weighs no more than the
footage that was fitted on, however long the stream. And no limit may leave a band around the
fitted one, so that somebody who comes a little faster every day is not made ordinary.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from tiepoint_security.normality.cells import CellMotion
from tiepoint_security.normality.speeds import Counts, count, limits, no_counts

QUARANTINE_S = 10.0
_PAUSE_S = 10.0  # after an alarm nothing is learnt for so long
_EVERY_S = 30.0  # limits are reckoned anew as often
_HALF_LIFE_S = 8 * 3600.0
_BAND = 1.15  # times the fitted limit, at most; divided by it, at least


class Learning:
    """What a stream adds to the fitted counts.

    Args:
        fitted: The counts of the footage that was fitted on; not changed.
        fps: Frames per second.
        learnt: What was added to them before, of the same shape; nothing if None.
    """

    def __init__(self, fitted: Counts, fps: float, learnt: Counts | None = None) -> None:
        self._fitted = fitted
        self._limits = limits(fitted)
        self.learnt = no_counts(len(fitted)) if learnt is None else learnt.copy()
        self._waiting: deque[CellMotion] = deque()
        self._quarantine = max(1, round(QUARANTINE_S * fps))
        self._every = max(1, round(_EVERY_S * fps))
        self._pause = max(1, round(_PAUSE_S * fps))
        self._forget = np.float32(0.5 ** (self._every / (_HALF_LIFE_S * fps)))
        self._paused = 0
        self._frames = 0

    def step(self, motion: CellMotion, *, ordinary: bool) -> NDArray[np.float32] | None:
        """Take the motion of a frame.

        Args:
            motion: By cells.
            ordinary: Whether the frame's score is below the threshold.

        Returns:
            New limits, (rows, DIRECTIONS), now and then.
        """
        if not ordinary:
            self._waiting.clear()
            self._paused = self._pause
        elif self._paused:
            self._paused -= 1
        else:
            self._waiting.append(motion)
            if len(self._waiting) > self._quarantine:
                count(self.learnt, self._waiting.popleft())
        self._frames += 1
        if self._frames % self._every:
            return None
        self.learnt *= self._forget
        return self.together()

    def settle(self) -> None:
        """Take what is still in quarantine as ordinary: the footage is over."""
        while self._waiting:
            count(self.learnt, self._waiting.popleft())

    def together(self) -> NDArray[np.float32]:
        """Return the limits by what was fitted and what was learnt, (rows, DIRECTIONS)."""
        known, new = float(self._fitted.sum()), float(self.learnt.sum())
        weight = min(1.0, known / new) if new else 0.0
        moved = limits(np.asarray(self._fitted + weight * self.learnt, np.float32))
        return np.clip(moved, self._limits / _BAND, self._limits * _BAND)
