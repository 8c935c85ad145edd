"""What the routes' answers say about how well each of them understood a query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiepoint.encoders.base import Vectors
from tiepoint.fusion.base import RouteScores

FEATURES = (
    "top",
    "lead",
    "mean",
    "spread",
    "known",
    "agreement",
    "background",
    "deviation",
)
"""Highest standing; its lead over the second; mean and spread of the ten highest; the share of
candidates that the route knows; what the other routes think of its best candidate; the mean of
the query's background, and the logarithm of its spread. Predictors of a query's performance from
its scores alone, in the manner of Shtok et al. (Predicting query performance by query drift,
2012)."""

_HIGHEST = 10
_LIMIT = 20.0
"""Standings beyond this many spreads say no more."""


def query_features(routes: Sequence[RouteScores]) -> Vectors:
    """Return (r, 8) float32 `FEATURES` of each route's answer to one query.

    >>> scores = np.array([3.0, 1.0, np.nan, 2.0], np.float32)
    >>> query_features([RouteScores("a", scores, 0.0, 1.0)]).round(2).tolist()[0][:5]
    [3.0, 1.0, 2.0, 0.8199999928474426, 0.75]
    """
    standing = np.stack([np.clip(route.standardised, -_LIMIT, _LIMIT) for route in routes])
    known = ~np.isnan(standing)
    filled = np.where(known, standing, 0)
    found = np.zeros((len(routes), len(FEATURES)), np.float32)
    for row, route in enumerate(routes):
        found[row, 6:] = route.mean, np.log(route.scale)
        said = standing[row, known[row]]
        if not len(said):
            continue
        highest = -np.sort(-said)[:_HIGHEST]
        lead = highest[0] - highest[1] if len(highest) > 1 else 0.0
        best = int(np.where(known[row], standing[row], -np.inf).argmax())
        others = np.delete(filled[:, best], row)
        found[row, :6] = (
            highest[0],
            lead,
            highest.mean(),
            highest.std(),
            known[row].mean(),
            others.mean() if len(others) else 0.0,
        )
    return found
