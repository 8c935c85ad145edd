"""What a store's log of impressions says of a policy that did not make them."""

from __future__ import annotations

from tiepoint.errors import InputError
from tiepoint_recommendation.exploration.off_policy import (
    Estimate,
    inverse_propensity,
    self_normalised,
)
from tiepoint_recommendation.exploration.policies import Epsilon
from tiepoint_recommendation.live.impressions import ImpressionStore


def click_rate_under(epsilon: float, impressions: ImpressionStore) -> dict[str, Estimate]:
    """Return the click rate that explored places would have under another epsilon.

    Args:
        epsilon: From 0 (always the best) to 1 (any one).
        impressions: What was shown, with propensities.

    Returns:
        The estimates by IPS and by SNIPS.

    Raises:
        InputError: Nothing was logged under exploration.
    """
    if not 0 <= epsilon <= 1:
        raise InputError(f"epsilon is {epsilon}", hint="Give a number from 0 to 1.")
    explored = impressions.explored()
    target = Epsilon(epsilon).propensities(explored.best, explored.candidates)
    clicks = explored.clicked.astype(float)
    return {
        "ips": inverse_propensity(clicks, explored.propensity, target),
        "snips": self_normalised(clicks, explored.propensity, target),
    }
