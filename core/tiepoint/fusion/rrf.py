"""Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from tiepoint.errors import ConfigError
from tiepoint.fusion.base import Fusion, RouteScores, Weight
from tiepoint.fusion.contributions import checked_weights, contributions
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
        self.weights = checked_weights(weights)
        if not np.isfinite(constant) or constant <= 0:
            raise ConfigError(
                f"the constant is {constant}",
                where="fusion.constant",
                hint="Give a number over 0.",
            )

    def named_routes(self) -> list[str]:
        return list(self.weights)

    def fuse(self, routes: Sequence[RouteScores]) -> list[tuple[Contribution, ...]]:
        shares = []
        for route in routes:
            ordered = np.argsort(-np.nan_to_num(route.scores, nan=-np.inf), kind="stable")
            ranks = np.empty(len(ordered))
            ranks[ordered] = np.arange(1, len(ordered) + 1)
            shares.append(1.0 / (self.constant + ranks))
        return contributions(
            routes, shares, [self.weights.get(route.route, 1.0) for route in routes]
        )
