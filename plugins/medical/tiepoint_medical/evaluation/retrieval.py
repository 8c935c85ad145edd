"""Label-matched precision of rankings, and what it has to be compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LISTED = 10
"""How many candidates of a query are listed."""

_RESAMPLES = 2000


@dataclass(frozen=True)
class Query:
    """What is asked, and what may answer.

    Attributes:
        name: Of the query: an image, or the first image that carries the text.
        label: Its label.
        groups: The patients that it belongs to; none of theirs may answer.
        row: Its row of the features.
    """

    name: str
    label: str
    groups: frozenset[str]
    row: int


@dataclass(frozen=True)
class Candidate:
    """What may answer.

    Attributes:
        name: As a query's.
        label: Its label.
        groups: The patients that it belongs to.
        rows: The rows of the features that carry it.
    """

    name: str
    label: str
    groups: frozenset[str]
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Ranking:
    """The candidates of every query, best first; only those of other patients.

    Attributes:
        queries: The queries.
        candidates: The candidates.
        order: For each query, (LISTED,) positions of candidates or fewer.
        allowed: (n, m) whether a candidate may answer a query.
    """

    queries: Sequence[Query]
    candidates: Sequence[Candidate]
    order: Sequence[NDArray[np.intp]]
    allowed: NDArray[np.bool_]


@dataclass(frozen=True)
class Figure:
    """Precision at 5, macro over labels, with what to compare it with.

    Attributes:
        value: The share of the first five that have the query's label, averaged over the
            queries of a label, then over the labels.
        low: Lower end of the central 95 % over resampled patients.
        high: Upper end.
        chance: What a random order gives.
        ceiling: What a perfect order gives.
        majority: What always answering with the commonest label gives.
        by_label: The value of each label.
    """

    value: float
    low: float
    high: float
    chance: float
    ceiling: float
    majority: float
    by_label: Mapping[str, float]


def rank(
    queries: Sequence[Query],
    candidates: Sequence[Candidate],
    routes: Mapping[str, NDArray[np.float32]],
    weights: Mapping[str, float],
) -> Ranking:
    """Rank by the weighted sum of the routes, each standardised over a query's candidates.

    Args:
        queries: The queries.
        candidates: The candidates; several rows of one count by their best.
        routes: By route, (n, n) similarities of the features' rows, NaN where it says nothing.
        weights: By route; a route that is not named is not asked.
    """
    allowed = np.array([[q.groups.isdisjoint(c.groups) for c in candidates] for q in queries])
    total = np.zeros(allowed.shape)
    for route, weight in weights.items():
        total += weight * _standardised(_by_candidate(queries, candidates, routes[route]), allowed)
    total[~allowed] = -np.inf
    order = []
    for row, may in zip(total, allowed, strict=True):
        best = np.argsort(-row, kind="stable")[:LISTED]
        order.append(best[may[best]])
    return Ranking(queries, candidates, order, allowed)


def precision(ranking: Ranking, at: int = 5, seed: int = 0) -> Figure:
    """Return the label-matched precision of a ranking."""
    labels = np.array([query.label for query in ranking.queries])
    offered = np.array([candidate.label for candidate in ranking.candidates])
    same = offered[None] == labels[:, None]
    hits = np.array(
        [same[row, best[:at]].sum() / at for row, best in enumerate(ranking.order)], np.float64
    )
    right = (same & ranking.allowed).sum(1)
    chance = right / np.maximum(ranking.allowed.sum(1), 1)
    ceiling = np.minimum(right, at) / at
    names, counts = np.unique(offered, return_counts=True)
    commonest = names[counts.argmax()]
    by_label = {str(label): float(hits[labels == label].mean()) for label in np.unique(labels)}
    low, high = _interval(ranking.queries, labels, hits, seed)
    return Figure(
        value=_macro(labels, hits),
        low=low,
        high=high,
        chance=_macro(labels, chance),
        ceiling=_macro(labels, ceiling),
        majority=_macro(labels, np.where(labels == commonest, ceiling, 0.0)),
        by_label=by_label,
    )


def _macro(labels: NDArray[np.str_], values: NDArray[np.float64]) -> float:
    return float(np.mean([values[labels == label].mean() for label in np.unique(labels)]))


def _interval(
    queries: Sequence[Query], labels: NDArray[np.str_], hits: NDArray[np.float64], seed: int
) -> tuple[float, float]:
    """Bootstrap over patients, each label's own, so that every label stays there."""
    generator = np.random.default_rng(seed)
    drawn = np.zeros(_RESAMPLES)
    kinds = np.unique(labels)
    for label in kinds:
        sums: dict[frozenset[str], list[float]] = {}
        for row in np.flatnonzero(labels == label).tolist():
            sums.setdefault(queries[row].groups, []).append(float(hits[row]))
        totals = np.array([sum(values) for values in sums.values()])
        sizes = np.array([len(values) for values in sums.values()])
        picks = generator.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), _RESAMPLES)
        drawn += (picks @ totals) / (picks @ sizes) / len(kinds)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _by_candidate(
    queries: Sequence[Query], candidates: Sequence[Candidate], matrix: NDArray[np.float32]
) -> NDArray[np.float64]:
    rows = matrix[[query.row for query in queries]]
    with np.errstate(invalid="ignore"):
        best = [np.fmax.reduce(rows[:, list(candidate.rows)], axis=1) for candidate in candidates]
    return np.stack(best, 1).astype(np.float64)


def _standardised(scores: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return spreads above the query's mean; 0 where a route says nothing."""
    known = np.where(allowed & np.isfinite(scores), scores, np.nan)
    out = np.zeros_like(scores)
    for row, values in enumerate(known):
        some = np.isfinite(values)
        if some.sum() > 1 and (spread := values[some].std()) > 0:
            out[row, some] = (values[some] - values[some].mean()) / spread
    return out
