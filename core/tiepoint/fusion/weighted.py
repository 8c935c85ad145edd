"""Standardised weighted sum: the tuned convex combination of Bruch et al. (2210.11934)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tiepoint.errors import ConfigError
from tiepoint.fusion.base import Fusion, RouteScores, Weight
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
        self.weights = dict(weights or {})
        for route, weight in self.weights.items():
            if not np.isfinite(weight) or weight < 0:
                raise ConfigError(
                    f"the weight of route {route!r} is {weight}",
                    where="fusion.weights",
                    hint="Give a number >= 0.",
                )

    def named_routes(self) -> list[str]:
        return list(self.weights)

    def fuse(self, routes: Sequence[RouteScores]) -> list[tuple[Contribution, ...]]:
        columns = []
        for route in routes:
            weight = self.weights.get(route.route, 1.0)
            standardised = (route.scores - route.mean) / route.scale
            columns.append(
                [
                    None
                    if value != value
                    else Contribution(route.route, raw, value, weight, weight * value)
                    for raw, value in zip(route.scores.tolist(), standardised.tolist(), strict=True)
                ]
            )
        return [tuple(c for c in row if c is not None) for row in zip(*columns, strict=True)]
