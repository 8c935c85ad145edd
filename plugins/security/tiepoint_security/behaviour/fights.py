"""Fight-like motion: bodies that move against each other in one place.

Walking people move one way for a second or more; whoever strikes, wrestles or is pulled makes
neighbouring pixels move fast in opposite directions. So the flow of a frame is averaged in
windows about as large as a person: what the mean speed exceeds the speed of the mean by is
opposed motion. Its mean over two seconds and its share of the motion make the score.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tiepoint_security.frames.flow import Flow, LaggedFlow
from tiepoint_security.frames.grey import Grey

WIDTH = 240
"""Pixels of the working picture's width."""

FPS = 10.0
"""Analysed frames per second that the score is made for."""

_WINDOW = 20.0  # frames: two seconds
_SMOOTH = (5, 5)
_PERSON = (31, 31)  # in pixels of the working picture
_HIGHEST = 400  # pixels: the place of the fight, not the picture
_LITTLE = 0.3  # pixels a frame; slower opposed motion is noise
_LATE = 0.9  # quantile over the window


class OpposedMotion(NamedTuple):
    """Opposed motion of a frame.

    Attributes:
        speed: Of the places where it is strongest, in pixels a frame.
        share: Its largest share of the motion of a place, 0 to 1.
    """

    speed: float
    share: float


def opposed_motion(flow: Flow | None) -> OpposedMotion:
    """Return the opposed motion in a flow (h, w, 2); None is a frame in which nothing moves."""
    if flow is None:
        return OpposedMotion(0.0, 0.0)
    smooth = cv2.blur(flow, _SMOOTH)
    smooth = smooth - np.median(smooth.reshape(-1, 2), axis=0)  # the camera's own motion
    x, y = np.ascontiguousarray(smooth[..., 0]), np.ascontiguousarray(smooth[..., 1])
    mean_speed = cv2.blur(cv2.magnitude(x, y), _PERSON)
    speed_of_mean = cv2.magnitude(cv2.blur(x, _PERSON), cv2.blur(y, _PERSON))
    opposed = np.maximum(mean_speed - speed_of_mean, 0)
    highest = np.partition(opposed.ravel(), -min(_HIGHEST, opposed.size))[-_HIGHEST:]
    share = float((opposed / (mean_speed + _LITTLE)).max())
    return OpposedMotion(float(highest.mean()), share)


def window_features(window: Iterable[OpposedMotion]) -> NDArray[np.float64]:
    """Return the two features of a stretch of frames, (2,); at least one frame."""
    frames = list(window)
    speed = float(np.mean([frame.speed for frame in frames]))
    share = float(np.quantile([frame.share for frame in frames], _LATE))
    return np.log(np.array([speed, share]) + 1e-3)


class FightWeights(BaseModel):
    """What turns the features into a score, and what that was fitted on.

    Attributes:
        slopes: Of the features in the log-odds.
        intercept: Of the log-odds.
        clips: Number of labelled clips it was fitted on.
        auc: Clip AUC by cross-validation, clips of one scene kept together.
        data: What the clips were.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slopes: tuple[float, float]
    intercept: float
    clips: int = Field(ge=1)
    auc: float = Field(ge=0, le=1)
    data: str

    def score(self, features: NDArray[np.float64]) -> float:
        """Return how fight-like a stretch is, 0 to 1, from `window_features`."""
        return float(1 / (1 + np.exp(-(features @ np.array(self.slopes) + self.intercept))))


@cache
def default_weights() -> FightWeights:
    """Return the weights that come with this package."""
    text = files("tiepoint_security.behaviour").joinpath("fights.json").read_text("utf-8")
    return FightWeights.model_validate_json(text)


class FightStream:
    """How fight-like the latest two seconds of a stream are, frame by frame.

    Args:
        weights: Those of the package if not given.
    """

    def __init__(self, weights: FightWeights | None = None) -> None:
        self._weights = weights or default_weights()
        self._flow = LaggedFlow(1)
        self._at = 0.0
        self._window: deque[tuple[float, float, OpposedMotion]] = deque()

    def step(self, frame: Grey, gap: float = 1.0) -> float:
        """Take the next frame of `FPS` a second, (h, w) uint8 and `WIDTH` wide.

        Args:
            frame: The frame.
            gap: Time since the frame before, in times the usual one: 2 where one was dropped.

        Returns:
            The score, 0 to 1; 0 until motion is known of half a window.
        """
        flow = self._flow.step(frame, gap)
        self._at += gap
        if not self._flow.begins:
            self._window.append((self._at, gap, opposed_motion(flow)))
        while self._window and self._at - self._window[0][0] >= _WINDOW:
            self._window.popleft()
        if 2 * sum(gap for _, gap, _ in self._window) < _WINDOW:
            return 0.0
        return self._weights.score(window_features(motion for *_, motion in self._window))
