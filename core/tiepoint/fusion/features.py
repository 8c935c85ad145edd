"""What a route's own scores say about how well it understood a query."""

from __future__ import annotations

import numpy as np

from tiepoint.encoders.base import Vectors

FEATURES = ("top", "lead", "mean", "spread", "known")
"""Highest standing; its lead over the second; mean and spread of the ten highest; the share of
candidates that the route knows. Predictors of a query's performance from its scores alone, in
the manner of Shtok et al. (Predicting query performance by query drift, 2012)."""

_HIGHEST = 10
_LIMIT = 20.0
"""Standings beyond this many spreads say no more."""


def query_features(standing: Vectors) -> Vectors:
    """Return (5,) float32 `FEATURES` of one route's answer to one query.

    Args:
        standing: (n,) standardised similarities of the candidates, NaN where unknown.

    >>> query_features(np.array([3.0, 1.0, np.nan, 2.0], np.float32)).round(2).tolist()
    [3.0, 1.0, 2.0, 0.8199999928474426, 0.75]
    """
    known = standing[~np.isnan(standing)]
    if not len(known):
        return np.zeros(len(FEATURES), np.float32)
    highest = np.clip(np.sort(known)[::-1][:_HIGHEST], -_LIMIT, _LIMIT)
    lead = highest[0] - highest[1] if len(highest) > 1 else 0.0
    share = len(known) / len(standing)
    return np.array([highest[0], lead, highest.mean(), highest.std(), share], np.float32)
