"""Standardised weighted sum: the tuned convex combination of Bruch et al. (2210.11934)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tiepoint.fusion.base import Fusion, RouteScores, Weight
from tiepoint.fusion.contributions import checked_weights, contributions
from tiepoint.types import Contribution


class WeightedFusion(Fusion):
    """Adds weight x standardised similarity over the routes.

    A similarity is standardised against the query's own background: `(s - mean) / scale` says
    how many spreads it stands above an item that has nothing to do with the query. Cosines of
    unlike spaces and BM25 scores become comparable that way.

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
        return contributions(
            routes,
            [route.standardised for route in routes],
            [self.weights.get(route.route, 1.0) for route in routes],
        )
