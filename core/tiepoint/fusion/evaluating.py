"""How well fusions answer labelled queries, beside each route alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.retrieval import CUTOFFS, recalls
from tiepoint.fusion.base import Fusion
from tiepoint.fusion.examples import NOT_FOUND, FusionExamples, Rows
from tiepoint.fusion.rrf import RrfFusion
from tiepoint.fusion.weighted import WeightedFusion


def fused_scores(fusion: Fusion, examples: FusionExamples) -> NDArray[np.float64]:
    """Return (q, c) scores of the candidates of labelled queries, -inf in the padding.

    They are those of `Fusion.fuse`, query by query.
    """
    found = np.full(examples.candidates.shape, -np.inf)
    for query in range(len(examples)):
        shares = fusion.fuse(examples.route_scores(query))
        found[query, : len(shares)] = [sum(c.value for c in share) for share in shares]
    return found


def ranks_by_method(fusions: Mapping[str, Fusion], examples: FusionExamples) -> dict[str, Rows]:
    """Return (q,) 0-based ranks of the first relevant item: every route alone, then the fusions.

    Reciprocal ranks and equal weights, which learn nothing, stand before those that are given.
    """
    found = {
        route: examples.ranks(np.nan_to_num(examples.standing[:, :, column], nan=-np.inf))
        for column, route in enumerate(examples.routes)
    }
    for name, fusion in {"rrf": RrfFusion(), "equal weights": WeightedFusion(), **fusions}.items():
        found[name] = examples.ranks(fused_scores(fusion, examples))
    return found


def figures(ranks: Rows) -> dict[str, float]:
    """Return R@1, R@5, R@10 in percent, their sum, and the mean reciprocal rank.

    >>> figures(np.array([0, 3]))
    {'R@1': 50.0, 'R@5': 100.0, 'R@10': 100.0, 'rsum': 250.0, 'MRR': 0.625}
    """
    found = recalls(ranks)
    reciprocal = np.where(ranks == NOT_FOUND, 0, 1 / (1 + ranks.astype(np.float64)))
    return {**found, "rsum": sum(found.values()), "MRR": float(reciprocal.mean())}


def difference(
    first: Rows, second: Rows, groups: Rows, seed: int = 0, resamples: int = 2000
) -> dict[str, float]:
    """Return how much better the first ranks are in R@1 + R@5 + R@10, by a paired bootstrap.

    Args:
        first: (q,) ranks by one method.
        second: (q,) ranks by another, of the same queries.
        groups: (q,) what is drawn as one, such as the item that several queries ask for.
        seed: Of the resampling.
        resamples: How many.

    Returns:
        `difference` in percentage points, the ends `low` and `high` of its central 95 %, and
        the two-sided `p`: how often the sign is the other one.
    """
    _, group = np.unique(groups, return_inverse=True)
    gained = sum((first < k).astype(float) - (second < k).astype(float) for k in CUTOFFS)
    sums = np.bincount(group, weights=gained)
    counts = np.bincount(group)
    n = len(sums)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples)
    drawn = 100 * (draws @ sums) / (draws @ counts)
    value = float(100 * np.mean(gained))
    low, high = np.percentile(drawn, [2.5, 97.5])
    other_sign = float(np.mean(drawn <= 0 if value > 0 else drawn >= 0))
    return {
        "difference": value,
        "low": float(low),
        "high": float(high),
        "p": min(1.0, 2 * other_sign),
    }
