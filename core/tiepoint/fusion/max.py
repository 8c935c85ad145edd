"""The maximum over routes: an item is as good as what speaks best for it (CombMAX)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tiepoint.fusion.base import Fusion, RouteScores, Weight
from tiepoint.fusion.contributions import checked_weights, contributions
from tiepoint.types import Contribution


class MaxFusion(Fusion):
    """Takes the highest of weight x standardised similarity (Fox and Shaw, TREC-2, 1994).

    The route that is highest for a candidate contributes with its weight, the others with
    weight 0; of equal ones the first counts.

    Args:
        weights: Weight by route name, each >= 0; a route that is not named weighs 1.

    Raises:
        ConfigError: A weight is negative or not finite.
    """

    def __init__(self, weights: Mapping[str, Weight] | None = None) -> None:
        self.weights = checked_weights(weights)

    def named_routes(self) -> list[str]:
        return list(self.weights)

    def fuse(self, routes: Sequence[RouteScores]) -> list[tuple[Contribution, ...]]:
        weights = np.array([self.weights.get(route.route, 1.0) for route in routes])
        standardised = np.stack([route.standardised for route in routes])
        values = np.where(np.isnan(standardised), -np.inf, weights[:, None] * standardised)
        wins = np.arange(len(routes))[:, None] == values.argmax(axis=0)
        return contributions(routes, list(standardised), list(wins * weights[:, None]))
