"""How hard a proposer has to search for the recall that is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.index import metrics
from tiepoint.index.kinds.base import NEIGHBOURS, Proposer, Shortcut, candidates_for

TRIALS = 256
_MARGIN = 0.4  # of what may be missed, as vectors are added until it is tuned again
_TIE = 1e-6
_STEP = 65_536
_FAR_TAKEN_FOR_NEAR = 0.01  # at most this share of far queries
_WORTH = 0.5  # share of near queries that a shortcut has to serve


def tune(proposer: Proposer, trials: Vectors, vectors: Vectors, recall: float) -> None:
    """Set the least effort that finds this share of the 10 nearest, or else the greatest.

    Where less is enough for queries like the stored vectors, and such are told by how near
    their first proposal is, a shortcut is set too.

    An answer counts if it is as near as the tenth neighbour: which of several equal vectors
    is found does not matter.

    Args:
        proposer: What is tuned.
        trials: (m, dim) vectors like the stored ones, but not among them. Half of them are
            asked as they are, and half with as much noise as signal, 45 degrees away: queries
            from another modality lie beside what they ask for.
        vectors: (n, dim) the stored vectors by position; those of the trials may be there.
        recall: What is asked for.
    """
    queries = _queries(trials)
    threshold = _tenth_best(proposer, queries, vectors)
    target = recall + _MARGIN * (1 - recall)
    proposer.shortcut = None
    for effort in proposer.ladder():
        proposer.effort = effort
        proposer.recall = _recall(proposer, queries, threshold, vectors)
        if proposer.recall >= target:
            break
    far, near = queries[::2].copy(), queries[1::2].copy()
    proposer.shortcut = _shortcut(proposer, far, near, threshold[1::2], vectors, target)
    proposer.tuned_at = len(proposer)


def _shortcut(
    proposer: Proposer,
    far: Vectors,
    near: Vectors,
    threshold: NDArray[np.float32],
    vectors: Vectors,
    target: float,
) -> Shortcut | None:
    if proposer.metric == "inner_product" or not len(near):  # nearness depends on lengths there
        return None
    tuned = proposer.effort
    for effort in proposer.ladder():
        proposer.effort = tuned._replace(breadth=effort.breadth)
        if _recall(proposer, near, threshold, vectors) >= target:
            break
    breadth, proposer.effort = proposer.effort.breadth, tuned
    if breadth >= tuned.breadth:
        return None
    count = min(candidates_for(min(NEIGHBOURS, len(proposer)), tuned.oversampling), len(proposer))
    nearness = np.quantile(proposer.nearness(far, count, breadth), 1 - _FAR_TAKEN_FOR_NEAR)
    served = proposer.nearness(near, count, breadth) > nearness
    if served.mean() < _WORTH:
        return None
    return Shortcut(breadth, float(np.nextafter(np.float32(nearness), np.float32(np.inf))))


def _queries(trials: Vectors) -> Vectors:
    rng = np.random.default_rng(0)
    queries = rng.permutation(trials)[:TRIALS]
    lengths = np.linalg.norm(queries[::2], axis=1, keepdims=True)
    noise = rng.standard_normal(queries[::2].shape, np.float32)
    noise *= lengths / np.linalg.norm(noise, axis=1, keepdims=True)
    moved = queries[::2] + noise
    moved *= lengths / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12)
    queries[::2] = moved
    return queries


def _tenth_best(proposer: Proposer, queries: Vectors, vectors: Vectors) -> NDArray[np.float32]:
    """Return (m,) score of the tenth neighbour among what the proposer holds."""
    order = proposer.order
    k = min(NEIGHBOURS, len(order))
    best = np.full((len(queries), k), -np.inf, np.float32)
    for start in range(0, len(order), _STEP):  # bounds what is copied at once
        step = vectors[order[start : start + _STEP]]
        found = metrics.nearest(proposer.metric, step, queries, min(k, len(step)))[1]
        best = -np.sort(-np.concatenate([best, found], axis=1), axis=1)[:, :k]
    return best[:, -1]


def _recall(
    proposer: Proposer, queries: Vectors, threshold: NDArray[np.float32], vectors: Vectors
) -> float:
    k = min(NEIGHBOURS, len(proposer))
    count = min(candidates_for(k, proposer.effort.oversampling), len(proposer))
    positions = proposer.propose(queries, count)
    scores = metrics.scores_of_each(proposer.metric, vectors, positions, queries)
    slack = _TIE * np.maximum(1.0, np.abs(threshold))
    near = (scores >= (threshold - slack)[:, None]).sum(1)
    return float(np.minimum(near, k).mean() / k)
