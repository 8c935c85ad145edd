"""Item-to-item tables: the strongest entries of each row, and what histories score by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from tiepoint_recommendation.histories import Floats, Histories, History

DENSE_ITEMS = 5_000
"""Up to so many items a table is kept whole; beyond, the strongest entries of each row."""
NEIGHBOURS = 200


class ItemTable:
    """A sparse (n_items, n_items) table; a row says what an item speaks for.

    Args:
        matrix: float32, with sorted indices.
    """

    def __init__(self, matrix: csr_matrix) -> None:
        self.matrix = matrix

    @classmethod
    def strongest(cls, matrix: csr_matrix, most: int = NEIGHBOURS) -> ItemTable:
        """Return a table of the largest entries of each row; all, where items are few."""
        matrix = csr_matrix(matrix, dtype=np.float32)
        if matrix.shape[0] > DENSE_ITEMS:
            matrix = _largest(matrix, most)
        matrix.sum_duplicates()
        return cls(matrix)

    def scores(self, histories: Histories, weights: NDArray[Any]) -> Floats:
        """Return (n, n_items) float32: the sum of the rows of each history's items.

        Args:
            histories: The histories.
            weights: (entries,) how much each entry counts.
        """
        n_items = self.matrix.shape[0]
        if len(histories) > 1:
            product = histories.matrix(weights, n_items) @ self.matrix
            return np.asarray(product.toarray(), np.float32)
        rows = self.matrix[histories.items]
        return np.asarray(rows.T @ np.asarray(weights, np.float32), np.float32)[None]

    def reasons(self, history: History, weights: NDArray[Any], item: int) -> Floats:
        """Return (h,) float32: what each entry gives to an item."""
        column = self.matrix[history.items][:, [item]].toarray()[:, 0]
        return np.asarray(weights * column, np.float32)

    def state(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the table as arrays, of which the names begin with `name`."""
        return {
            f"{name}.data": self.matrix.data,
            f"{name}.indices": self.matrix.indices.astype(np.int32),
            f"{name}.indptr": self.matrix.indptr.astype(np.int64),
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]], name: str) -> ItemTable:
        """Return the table that `state` has described."""
        indptr = state[f"{name}.indptr"]
        shape = (len(indptr) - 1, len(indptr) - 1)
        parts = (state[f"{name}.data"], state[f"{name}.indices"], indptr)
        return cls(csr_matrix(parts, shape=shape))


def _largest(matrix: csr_matrix, most: int) -> csr_matrix:
    """Return a matrix with at most so many entries in each row, those of largest value."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((-matrix.data, rows))
    place = np.arange(len(rows)) - np.repeat(matrix.indptr[:-1], np.diff(matrix.indptr))
    kept = order[place < most]
    parts = (matrix.data[kept], (rows[kept], matrix.indices[kept]))
    return csr_matrix(parts, shape=matrix.shape)
