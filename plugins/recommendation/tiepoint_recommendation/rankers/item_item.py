"""What the same people did: cosines between items, with fading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_matrix, diags

from tiepoint_recommendation.histories import Floats, Histories, History
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker, RankerOptions
from tiepoint_recommendation.rankers.recency import RecencyOptions, fading
from tiepoint_recommendation.rankers.tables import ItemTable


class ItemItemOptions(RecencyOptions):
    """How items are told to belong together."""

    shrink: float = Field(
        default=10.0, ge=0, title="Shrink", description="What pairs are held back that are rare."
    )
    most_items: int = Field(
        default=1000,
        ge=2,
        title="Most items",
        description="Of longer histories only so many of the latest items count.",
    )


class ItemItem(Ranker):
    """Item-based neighbours by cosine (Sarwar et al., 2001); old entries fade."""

    name: ClassVar[str] = "item-item"
    Options: ClassVar[type[RankerOptions]] = ItemItemOptions

    def __init__(self, options: ItemItemOptions) -> None:
        super().__init__(options)
        self.recency = options
        self._table = ItemTable(csr_matrix((0, 0), dtype=np.float32))

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        counted = (histories.strengths > 0) & (histories.positions < self.recency.most_items)
        matrix = histories.matrix(counted.astype(np.float32), len(space))
        matrix.eliminate_zeros()
        counts = np.asarray(matrix.sum(axis=0)).ravel()
        pairs = (matrix.T @ matrix).tocsr()
        pairs.setdiag(0)
        pairs.eliminate_zeros()
        scale = diags(1 / np.sqrt(counts + self.recency.shrink))
        self._table = ItemTable.strongest((scale @ pairs @ scale).tocsr())

    def scores(self, histories: Histories) -> Floats:
        return self._table.scores(histories, fading(histories, self.recency))

    def state(self) -> dict[str, NDArray[Any]]:
        return self._table.state("pairs")

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._table = ItemTable.restored(state, "pairs")

    def reasons(self, history: History, item: int) -> Floats:
        weights = fading(Histories.of([history], 0.0), self.recency)
        return self._table.reasons(history, weights, item)
