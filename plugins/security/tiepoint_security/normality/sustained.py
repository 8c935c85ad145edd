"""The score that an alarm is decided by: one that several of the latest frames reach."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

WINDOW_S = 0.6
SHARE = 2 / 3


class Sustained:
    """The score that two thirds of the frames of the last 0.6 s reach.

    At 10 frames per second: the fourth highest of the latest six. Until there are as many
    frames it is 0.

    Args:
        fps: Frames per second.
    """

    def __init__(self, fps: float) -> None:
        window = max(1, round(WINDOW_S * fps))
        self._needed = max(1, round(SHARE * window))
        self._latest: deque[float] = deque(maxlen=window)

    def step(self, score: float) -> float:
        """Take the score of the next frame; return the sustained score."""
        self._latest.append(score)
        if len(self._latest) < self._needed:
            return 0.0
        return sorted(self._latest, reverse=True)[self._needed - 1]


def sustained(scores: Iterable[float], fps: float) -> list[float]:
    """Return the sustained score after each frame of a clip.

    >>> sustained([1, 9, 1, 9, 9, 9, 9], 10.0)
    [0.0, 0.0, 0.0, 1, 1, 9, 9]
    """
    stream = Sustained(fps)
    return [stream.step(score) for score in scores]
