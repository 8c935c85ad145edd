"""Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from tiepoint.errors import ConfigError
from tiepoint.fusion.base import Fusion, RouteScores, Weight
from tiepoint.types import Contribution


class RrfFusion(Fusion):
    """Adds weight / (constant + rank) over the routes; ranks start at 1.

    Args:
        constant: Damps the first ranks; > 0. The paper's 60 by default.
        weights: Weight by route name, each >= 0; a route that is not named weighs 1.

    Raises:
        ConfigError: The constant or a weight is out of range.
    """

    def __init__(
        self,
        constant: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0,
        weights: Mapping[str, Weight] | None = None,
    ) -> None:
        self.constant = constant
        self.weights = dict(weights or {})
        bad = [w for w in self.weights.values() if not np.isfinite(w) or w < 0]
        if bad or not np.isfinite(constant) or constant <= 0:
            raise ConfigError(
                "the constant must be > 0 and every weight >= 0",
                where="fusion",
                hint="Correct the values.",
            )

    def named_routes(self) -> list[str]:
        return list(self.weights)

    def fuse(self, routes: Sequence[RouteScores]) -> list[tuple[Contribution, ...]]:
        columns = []
        for route in routes:
            weight = self.weights.get(route.route, 1.0)
            known = ~np.isnan(route.scores)
            ordered = np.argsort(-np.where(known, route.scores, -np.inf), kind="stable")
            ranks = np.empty(len(ordered))
            ranks[ordered] = np.arange(1, len(ordered) + 1)
            columns.append(
                [
                    Contribution(route.route, raw, share, weight, weight * share) if there else None
                    for raw, share, there in zip(
                        route.scores.tolist(),
                        (1.0 / (self.constant + ranks)).tolist(),
                        known.tolist(),
                        strict=True,
                    )
                ]
            )
        return [tuple(c for c in row if c is not None) for row in zip(*columns, strict=True)]
