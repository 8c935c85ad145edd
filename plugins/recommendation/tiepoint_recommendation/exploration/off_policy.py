"""What another policy would have earned, from what was logged under this one."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import InputError

Floats64 = NDArray[np.float64]
_NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Estimate:
    """A policy's mean reward.

    Attributes:
        value: The estimate.
        low: Lower end of the 95 % interval (normal approximation).
        high: Its upper end.
        rows: How many logged choices it is from.
        effective: How many choices of the policy itself they are worth: (sum w)^2 / sum w^2.
    """

    value: float
    low: float
    high: float
    rows: int
    effective: float

    def as_dict(self) -> dict[str, Any]:
        """Return the estimate as plain data."""
        return asdict(self)


def inverse_propensity(rewards: Floats64, logged: Floats64, target: Floats64) -> Estimate:
    """Return the inverse propensity score estimate (Horvitz and Thompson, 1952): unbiased.

    Args:
        rewards: (n,) what each logged choice earned.
        logged: (n,) how likely the logging policy was to choose it; above 0.
        target: (n,) how likely the policy in question is to choose it.

    Raises:
        InputError: There are no choices, or a logged propensity is not above 0.
    """
    weights = _weights(rewards, logged, target)
    terms = weights * rewards
    spread = float(terms.std(ddof=1)) / math.sqrt(len(terms)) if len(terms) > 1 else math.inf
    return _estimate(float(terms.mean()), spread, weights)


def self_normalised(rewards: Floats64, logged: Floats64, target: Floats64) -> Estimate:
    """Return the SNIPS estimate (Swaminathan and Joachims, NIPS 2015): less spread, some bias.

    The weighted mean of the rewards; its deviation is by the delta method.

    Args:
        rewards: See `inverse_propensity`.
        logged: Likewise.
        target: Likewise.

    Raises:
        InputError: See `inverse_propensity`; or the policy would choose nothing that was logged.
    """
    weights = _weights(rewards, logged, target)
    total = float(weights.sum())
    if total == 0:
        raise InputError(
            "the policy would have chosen none of the logged choices",
            hint="Log with more exploration.",
        )
    value = float((weights * rewards).sum()) / total
    spread = float(np.sqrt(np.sum((weights * (rewards - value)) ** 2))) / total
    return _estimate(value, spread, weights)


def _weights(rewards: Floats64, logged: Floats64, target: Floats64) -> Floats64:
    if not len(rewards):
        raise InputError(
            "nothing was logged to estimate from",
            hint="Turn exploration on: plugins.recommendation.live.exploration.",
        )
    if not (logged > 0).all():
        raise InputError("a logged propensity is not above 0")
    return np.asarray(target / logged)


def _estimate(value: float, spread: float, weights: Floats64) -> Estimate:
    squares = float((weights**2).sum())
    effective = float(weights.sum()) ** 2 / squares if squares else 0.0
    reach = _NORMAL_95 * spread
    return Estimate(value, value - reach, value + reach, len(weights), effective)
