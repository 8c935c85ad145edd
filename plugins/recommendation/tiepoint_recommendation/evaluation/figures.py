"""Recall, NDCG, MRR, MAP and more, of each query, and with bootstrap intervals over users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.significance import Interval

RESAMPLES = 2000
CUTOFFS = (10, 20)
PER_QUERY = ("Recall@10", "Recall@20", "NDCG@10", "NDCG@20", "MRR", "MAP@20")


@dataclass(frozen=True, slots=True)
class Answers:
    """What one system answered to q queries.

    Attributes:
        ranks: For each query, the 0-based ranks of its relevant items; ties count against us.
        top: (q, 20) int64, the numbers of the best items; -1 where there were fewer.
    """

    ranks: list[NDArray[np.int64]]
    top: NDArray[np.int64]


def per_query(answers: Answers) -> dict[str, NDArray[np.float64]]:
    """Return (q,) of each figure of `PER_QUERY`.

    Recall is the share of the relevant items; NDCG and average precision are relative to the
    best that the cutoff allows.
    """
    n = len(answers.ranks)
    found = {name: np.zeros(n) for name in PER_QUERY}
    for query, ranks in enumerate(answers.ranks):
        ordered = np.sort(ranks)
        total = len(ordered)
        for cutoff in CUTOFFS:
            within = ordered[ordered < cutoff]
            ideal = (1 / np.log2(np.arange(min(total, cutoff)) + 2)).sum()
            found[f"Recall@{cutoff}"][query] = len(within) / total
            found[f"NDCG@{cutoff}"][query] = (1 / np.log2(within + 2)).sum() / ideal
        found["MRR"][query] = 1 / (ordered[0] + 1)
        within = ordered[ordered < 20]
        precision = (np.arange(len(within)) + 1) / (within + 1)
        found["MAP@20"][query] = precision.sum() / min(total, 20)
    return found


def of_list(
    answers: Answers, popularity: NDArray[np.float64], vectors: NDArray[np.float32] | None
) -> dict[str, float]:
    """Return what the lists of 20 are like apart from being right.

    Args:
        answers: The answers.
        popularity: (n_items,) the number of users of each item in training.
        vectors: (n_items, d) unit vectors by which items are alike; None without any.

    Returns:
        `coverage`: the share of the gallery's items in any list; `novelty`: mean bits of
        surprise, -log2 of an item's share of the users; `popularity_bias`: the mean popularity
        of what is listed, relative to that of the items that people met; `gini`: of how often
        each item is listed, 0 where all are equally often; `diversity`: mean of 1 - cosine of
        the pairs in a list.
    """
    listed = answers.top[answers.top >= 0]
    n_items = len(popularity)
    times = np.bincount(listed, minlength=n_items)
    users = max(float(popularity.max(initial=0)), 1.0)
    share = (popularity + 1) / (users + 1)
    met = float((popularity**2).sum() / max(popularity.sum(), 1))
    figures = {
        "coverage": float((times > 0).mean()),
        "novelty": float(-np.log2(share[listed]).mean()) if len(listed) else 0.0,
        "popularity_bias": float(popularity[listed].mean() / met) if len(listed) and met else 0.0,
        "gini": _gini(times),
    }
    if vectors is not None:
        figures["diversity"] = _diversity(answers.top, vectors)
    return figures


def _gini(times: NDArray[np.int64]) -> float:
    ordered = np.sort(times).astype(np.float64)
    n, total = len(ordered), ordered.sum()
    if not total:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))


def _diversity(top: NDArray[np.int64], vectors: NDArray[np.float32]) -> float:
    apart = []
    for row in top:
        items = vectors[row[row >= 0]]
        items = items[items.any(axis=1)]
        n = len(items)
        if n > 1:
            # The sum over all pairs is the squared length of the sum, less the items themselves.
            together = items.sum(axis=0)
            apart.append(1 - (float(together @ together) - n) / (n * (n - 1)))
    return float(np.mean(apart)) if apart else 0.0


def by_user(values: NDArray[np.float64], users: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of each user's queries, by the user's number."""
    _, codes = np.unique(users, return_inverse=True)
    return np.asarray(np.bincount(codes, values) / np.bincount(codes))


def interval(values: NDArray[np.float64], users: NDArray[np.int64], seed: int = 0) -> Interval:
    """Return the mean over users with its 95 % interval, users being drawn.

    Args:
        values: (q,) of each query.
        users: (q,) whose queries they are; each user counts once.
        seed: Of the draws.
    """
    means = by_user(values, users)
    if not len(means):
        return Interval(0.0, 0.0, 0.0)
    drawn = _draws(len(means), seed) @ means / len(means)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(means.mean()), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Paired:
    """Two systems on the same queries.

    Attributes:
        difference: The first's mean less the second's, with its 95 % interval.
        ratio: The first's mean divided by the second's, with its 95 % interval.
    """

    difference: Interval
    ratio: Interval


def paired(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    users: NDArray[np.int64],
    seed: int = 0,
) -> Paired:
    """Compare two systems by a paired bootstrap: the same users are drawn for both."""
    one, other = by_user(first, users), by_user(second, users)
    draws = _draws(len(one), seed) / max(len(one), 1)
    ones, others = draws @ one, draws @ other
    differences = np.percentile(ones - others, [2.5, 97.5]).tolist()
    tiny = 1e-12
    ratios = np.percentile(ones / np.maximum(others, tiny), [2.5, 97.5]).tolist()
    return Paired(
        Interval(float(one.mean() - other.mean()), *differences),
        Interval(float(one.mean() / max(float(other.mean()), tiny)), *ratios),
    )


def _draws(n: int, seed: int) -> NDArray[np.float64]:
    if not n:
        return np.zeros((RESAMPLES, 0))
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLES)
    return drawn.astype(np.float64)


def averaged(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each figure over several splits."""
    names = several[0] if several else {}
    return {name: float(np.mean([one[name] for one in several])) for name in names}
