"""EASE: the linear model that predicts each item from all others, in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_matrix

from tiepoint_recommendation.histories import Floats, Histories, History
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker, RankerOptions
from tiepoint_recommendation.rankers.recency import RecencyOptions, fading
from tiepoint_recommendation.rankers.tables import ItemTable


class EaseOptions(RecencyOptions):
    """How strongly the linear model is held back, and of how many items it is made."""

    regularisation: float = Field(
        default=300.0, gt=0, title="Regularisation", description="What weights are held back."
    )
    most_items: int = Field(
        default=4000,
        ge=2,
        title="Most items",
        description="Only so many of the most popular items take part: time grows with the cube"
        " of their number, memory with the square.",
    )


class Ease(Ranker):
    """Embarrassingly shallow autoencoder (Steck, 2019); old entries fade."""

    name: ClassVar[str] = "ease"
    Options: ClassVar[type[RankerOptions]] = EaseOptions

    def __init__(self, options: EaseOptions) -> None:
        super().__init__(options)
        self.recency = options
        self._table = ItemTable(csr_matrix((0, 0), dtype=np.float32))

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        from scipy.linalg import lapack

        n_items = len(space)
        liked = (histories.strengths > 0).astype(np.float32)
        matrix = histories.matrix(liked, n_items)
        counts = np.asarray(matrix.sum(axis=0)).ravel()
        chosen = np.argsort(-counts, kind="stable")[: self.recency.most_items]
        chosen = np.sort(chosen[counts[chosen] > 0])
        some = matrix[:, chosen]
        gram = (some.T @ some).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += self.recency.regularisation
        if len(chosen):  # positive definite, so that neither step can fail
            factor, _ = lapack.dpotrf(gram, lower=1)
            half, _ = lapack.dpotri(factor, lower=1)
            gram = np.tril(half) + np.tril(half, -1).T
        weights = -(gram / np.diag(gram)).astype(np.float32)
        np.fill_diagonal(weights, 0)
        lengths = np.zeros(n_items, np.int64)
        lengths[chosen] = len(chosen)
        rows = np.r_[0, np.cumsum(lengths)]
        columns = np.tile(chosen, len(chosen)).astype(np.int32)
        table = csr_matrix((weights.ravel(), columns, rows), shape=(n_items, n_items))
        self._table = ItemTable.strongest(table)

    def scores(self, histories: Histories) -> Floats:
        return self._table.scores(histories, fading(histories, self.recency))

    def state(self) -> dict[str, NDArray[Any]]:
        return self._table.state("weights")

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._table = ItemTable.restored(state, "weights")

    def reasons(self, history: History, item: int) -> Floats:
        weights = fading(Histories.of([history], 0.0), self.recency)
        return self._table.reasons(history, weights, item)
