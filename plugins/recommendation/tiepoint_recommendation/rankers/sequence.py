"""What is done next after what: directed co-occurrence along the histories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import coo_matrix, csr_matrix

from tiepoint_recommendation.histories import Floats, Histories, History
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker, RankerOptions
from tiepoint_recommendation.rankers.recency import RecencyOptions, fading
from tiepoint_recommendation.rankers.tables import ItemTable


class SequenceOptions(RecencyOptions):
    """How far along a history items belong together."""

    fade_items: float = Field(
        default=5.0, gt=0, title="Fade (items)", description="See `item-item`; shorter here."
    )
    gap_items: float = Field(
        default=8.0,
        gt=0,
        title="Gap (items)",
        description="A pair that is n places apart counts exp(-n / this).",
    )
    most_gap: int = Field(
        default=40, ge=1, title="Most gap", description="Pairs further apart do not count."
    )
    backward: float = Field(
        default=0.3,
        ge=0,
        le=1,
        title="Backward",
        description="What a pair counts against its order, as part of what it counts along it.",
    )
    popularity_power: float = Field(
        default=0.4,
        ge=0,
        le=1,
        title="Popularity power",
        description="Pairs are divided by the popularity of both to this power.",
    )
    shrink: float = Field(
        default=2.0, ge=0, title="Shrink", description="What pairs are held back that are rare."
    )


class Sequence(Ranker):
    """Directed sequence co-occurrence: the rows of the latest items, summed."""

    name: ClassVar[str] = "sequence"
    Options: ClassVar[type[RankerOptions]] = SequenceOptions

    def __init__(self, options: SequenceOptions) -> None:
        super().__init__(options)
        self.recency = options
        self._table = ItemTable(csr_matrix((0, 0), dtype=np.float32))

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        options, n_items = self.recency, len(space)
        liked = histories.strengths > 0
        users, items = histories.users[liked], histories.items[liked]
        total = csr_matrix((n_items, n_items), dtype=np.float32)
        for gap in range(1, min(options.most_gap, len(items) - 1) + 1):
            same = users[gap:] == users[:-gap]
            if not same.any():
                break
            weight = np.full(int(same.sum()), np.exp(-gap / options.gap_items), np.float32)
            pairs = (items[:-gap][same], items[gap:][same])
            total = total + coo_matrix((weight, pairs), shape=total.shape).tocsr()
        total = (total + options.backward * total.T).tocoo()
        counts = np.bincount(items, minlength=n_items).astype(np.float64)
        both = (counts[total.row] * counts[total.col]) ** options.popularity_power
        values = (total.data / (both + options.shrink)).astype(np.float32)
        self._table = ItemTable.strongest(
            csr_matrix((values, (total.row, total.col)), shape=total.shape)
        )

    def scores(self, histories: Histories) -> Floats:
        return self._table.scores(histories, fading(histories, self.recency))

    def state(self) -> dict[str, NDArray[Any]]:
        return self._table.state("pairs")

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._table = ItemTable.restored(state, "pairs")

    def reasons(self, history: History, item: int) -> Floats:
        weights = fading(Histories.of([history], 0.0), self.recency)
        return self._table.reasons(history, weights, item)
