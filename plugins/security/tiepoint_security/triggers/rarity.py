"""How rare a score is on a camera's own ordinary footage: one threshold, one rate of alerts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.fusion.calibration import BackgroundQuantile
from tiepoint_security.triggers.base import Readiness

LEAST = 100
"""Scores of ordinary footage without which nothing is said."""

_MOST_SHARE = 0.05  # of ordinary things, however few there are in an hour
_HIGHEST = 4.0  # times the threshold


class Rarity:
    """The scores of ordinary footage, and where in their tail a score lies.

    A thing that is looked at ten times raises one alert, not ten. So the threshold is where
    the share of ordinary looks above it is that of the things of an hour that may alert; looks
    at one thing are alike, so that few things have looks on both sides.

    Args:
        alerts_per_hour: How many of an hour's ordinary things may reach the threshold.
    """

    def __init__(self, alerts_per_hour: float) -> None:
        self.alerts_per_hour = alerts_per_hour
        self._background: BackgroundQuantile | None = None
        self._share = _MOST_SHARE

    @property
    def ready(self) -> bool:
        """Whether there is enough footage."""
        return self._background is not None

    def learn(self, scores: ArrayLike, per_hour: float) -> None:
        """Take the scores of ordinary footage, (n,), in place of those before.

        Args:
            scores: A sample of them.
            per_hour: How many things an hour of it has.
        """
        sample = np.asarray(scores, np.float64).ravel()
        if len(sample) < LEAST:
            return
        self._background = BackgroundQuantile.fit(sample)
        self._share = min(_MOST_SHARE, self.alerts_per_hour / max(per_hour, 1e-6))

    def ratio(self, score: float) -> float:
        """Return how rare a score is, in times the threshold, on a scale of logarithms.

        1 is the threshold; 2 is as rare as two such alerts that have nothing to do with each
        other. 0 without enough footage.
        """
        if self._background is None:
            return 0.0
        share = float(self._background.exceedance(score))
        if share <= self._share**_HIGHEST:
            return _HIGHEST
        return math.log(share) / math.log(self._share)

    def readiness(self, noun: str, count: int, waiting: int, per_hour: float) -> Readiness:
        """Return whether there is enough footage and, if not, how much more is needed.

        Args:
            noun: What is counted, such as `looks at moving things`.
            count: How many of them are ordinary so far.
            waiting: How many others will be, unless there is an alert about them.
            per_hour: How many an hour has.
        """
        if self.ready:
            return Readiness()
        left = LEAST - count
        if left <= 0:
            return Readiness(False, f"{count} {noun} are known now, and were too few so far")
        more = f"{left} more {noun} of ordinary footage are needed ({count} of {LEAST}"
        more += f", {waiting} taken just now)" if waiting else ")"
        if per_hour > 0:
            minutes = max(1, math.ceil(60 * max(left - waiting, 0) / per_hour))
            more += f", about {minutes} min at the present rate"
        return Readiness(False, more)


def recent_mean(scores: Sequence[float]) -> float:
    """Return the mean of scores; NaN counts as nothing, and so does an empty sequence."""
    finite = [score for score in scores if math.isfinite(score)]
    return sum(finite) / len(finite) if finite else -1.0
