"""How weighted shares of several routes become the contributions of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import ConfigError
from tiepoint.fusion.base import RouteScores
from tiepoint.types import Contribution


def contributions(
    routes: Sequence[RouteScores],
    shares: Sequence[NDArray[np.floating]],
    weights: Sequence[float | NDArray[np.floating]],
) -> list[tuple[Contribution, ...]]:
    """Return each candidate's contributions: weight x share of every route that knows it.

    Args:
        routes: Each route's view of the n candidates.
        shares: By route, (n,) what it says in units that routes share.
        weights: By route, its weight, or (n,) one for each candidate.
    """
    columns = []
    for route, share, weight in zip(routes, shares, weights, strict=True):
        each = np.broadcast_to(np.asarray(weight, np.float64), len(route.scores)).tolist()
        columns.append(
            [
                # NaN is the only number that differs from itself.
                None if raw != raw else Contribution(route.route, raw, said, w, w * said)
                for raw, said, w in zip(route.scores.tolist(), share.tolist(), each, strict=True)
            ]
        )
    return [tuple(c for c in row if c is not None) for row in zip(*columns, strict=True)]


def checked_weights(weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the weights by route.

    Raises:
        ConfigError: A weight is negative or not finite.
    """
    for route, weight in (weights or {}).items():
        if not np.isfinite(weight) or weight < 0:
            raise ConfigError(
                f"the weight of route {route!r} is {weight}",
                where="fusion.weights",
                hint="Give a number >= 0.",
            )
    return dict(weights or {})
