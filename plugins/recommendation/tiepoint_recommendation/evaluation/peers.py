"""Peers on the same split: the package `implicit`, tuned on the same inner part."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from tiepoint_recommendation.evaluation.answering import Scorer, answer
from tiepoint_recommendation.evaluation.figures import per_query
from tiepoint_recommendation.histories import Floats, Histories
from tiepoint_recommendation.interactions import EventLog
from tiepoint_recommendation.splits import Split


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer with its best setting.

    Attributes:
        name: What it is called.
        setting: The options that were best on the inner part.
        scorer: Fitted on the training part with them.
    """

    name: str
    setting: dict[str, Any]
    scorer: Scorer


Fit = Callable[[csr_matrix, dict[str, Any]], Callable[[csr_matrix], Floats]]
"""Fits on (users, items) and returns what scores (n, items) histories."""


def tuned_peers(split: Split, inner: Split, cap: float) -> Iterator[Peer]:
    """Yield each peer, fitted on a split with the setting that was best on the inner one.

    Args:
        split: What is measured.
        inner: A split of the same kind of its training part.
        cap: Of repeated events, as for our rankers.
    """
    offered = np.ones(len(split.gallery), bool)
    for name, fit, grid in _PEERS:
        best, best_setting = -1.0, grid[0]
        for setting in grid if len(grid) > 1 else ():
            scorer = _scorer(fit, inner.train, setting, cap)
            found = per_query(answer(inner, scorer, offered))["Recall@20"].mean()
            if found > best:
                best, best_setting = float(found), setting
        yield Peer(name, best_setting, _scorer(fit, split.train, best_setting, cap))


def _scorer(fit: Fit, train: EventLog, setting: dict[str, Any], cap: float) -> Scorer:
    n_items = len(train.items)
    score = fit(_matrix(train.histories(0.0, cap), n_items), setting)
    return lambda histories: score(_matrix(histories, n_items))


def _matrix(histories: Histories, n_items: int) -> csr_matrix:
    matrix = histories.matrix(np.maximum(histories.strengths, 0), n_items)
    matrix.eliminate_zeros()
    return matrix


def _als(matrix: csr_matrix, setting: dict[str, Any]) -> Callable[[csr_matrix], Floats]:
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(random_state=0, num_threads=1, **setting)
    model.fit(matrix, show_progress=False)

    def score(asked: csr_matrix) -> Floats:
        users = model.recalculate_user(np.arange(asked.shape[0]), asked)
        return np.asarray(users @ model.item_factors.T, np.float32)

    return score


def _bpr(matrix: csr_matrix, setting: dict[str, Any]) -> Callable[[csr_matrix], Floats]:
    """BPR has no folding in: a history is the mean of its items' factors, with their biases."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(random_state=0, num_threads=1, **setting)
    model.fit(matrix, show_progress=False)
    known = {_key(matrix, user): user for user in range(matrix.shape[0])}

    def score(asked: csr_matrix) -> Floats:
        rows = []
        for user in range(asked.shape[0]):
            at = known.get(_key(asked, user))
            if at is not None:
                rows.append(model.user_factors[at])
                continue
            items = asked.indices[asked.indptr[user] : asked.indptr[user + 1]]
            mean = model.item_factors[items].mean(axis=0) if len(items) else 0.0
            own = np.zeros(model.item_factors.shape[1], np.float32)
            own += mean
            own[-1] = 1.0
            rows.append(own)
        return np.asarray(np.stack(rows) @ model.item_factors.T, np.float32)

    return score


def _key(matrix: csr_matrix, user: int) -> bytes:
    return bytes(np.sort(matrix.indices[matrix.indptr[user] : matrix.indptr[user + 1]]).tobytes())


def _cosine(matrix: csr_matrix, setting: dict[str, Any]) -> Callable[[csr_matrix], Floats]:
    from implicit.nearest_neighbours import CosineRecommender

    return _neighbours(CosineRecommender(num_threads=1, **setting), matrix)


def _bm25(matrix: csr_matrix, setting: dict[str, Any]) -> Callable[[csr_matrix], Floats]:
    from implicit.nearest_neighbours import BM25Recommender

    return _neighbours(BM25Recommender(num_threads=1, **setting), matrix)


def _neighbours(model: Any, matrix: csr_matrix) -> Callable[[csr_matrix], Floats]:
    from implicit.utils import ParameterWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ParameterWarning)  # of what it passes to itself
        model.fit(matrix, show_progress=False)
    return lambda asked: np.asarray((asked @ model.similarity).toarray(), np.float32)


def _popular(matrix: csr_matrix, setting: dict[str, Any]) -> Callable[[csr_matrix], Floats]:
    counts = np.asarray((matrix > 0).sum(axis=0), np.float32)
    return lambda asked: np.broadcast_to(counts, asked.shape)


_PEERS: tuple[tuple[str, Fit, list[dict[str, Any]]], ...] = (
    ("popular", _popular, [{}]),
    (
        "implicit ALS",
        _als,
        [
            {"factors": factors, "regularization": 0.05, "alpha": alpha, "iterations": 15}
            for factors in (16, 32, 64, 128)
            for alpha in (1.0, 4.0, 16.0)
        ],
    ),
    (
        "implicit BPR",
        _bpr,
        [
            {"factors": factors, "learning_rate": rate, "regularization": 0.01, "iterations": 150}
            for factors in (32, 64)
            for rate in (0.02, 0.05)
        ],
    ),
    ("implicit cosine", _cosine, [{"K": k} for k in (20, 50, 100, 300)]),
    (
        "implicit BM25",
        _bm25,
        [{"K": k, "K1": 1.2, "B": b} for k in (50, 200, 600, 2000) for b in (0.2, 0.75)],
    ),
)
