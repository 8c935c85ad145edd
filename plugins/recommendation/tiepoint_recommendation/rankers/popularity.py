"""What many did lately."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint_recommendation.histories import Floats, Histories
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker, RankerOptions
from tiepoint_recommendation.rankers.recency import DAY_S


class PopularityOptions(RankerOptions):
    """How quickly popularity fades."""

    half_life_days: float = Field(
        default=365.0,
        gt=0,
        title="Half-life (days)",
        description="The time in which an event comes to count half.",
    )


class Popularity(Ranker):
    """The logarithm of each item's events, faded by their age; the same for everybody."""

    name: ClassVar[str] = "popularity"
    Options: ClassVar[type[RankerOptions]] = PopularityOptions

    def __init__(self, options: PopularityOptions) -> None:
        super().__init__(options)
        self._half_life_days = options.half_life_days
        self._scores: Floats = np.zeros(0, np.float32)

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        fade = 0.5 ** (histories.ages_s / DAY_S / self._half_life_days)
        counts = np.bincount(
            histories.items, np.maximum(histories.strengths, 0) * fade, minlength=len(space)
        )
        self._scores = np.log1p(counts / max(counts.mean(), 1e-12)).astype(np.float32)

    def scores(self, histories: Histories) -> Floats:
        return np.broadcast_to(self._scores, (len(histories), len(self._scores)))

    def state(self) -> dict[str, NDArray[Any]]:
        return {"scores": self._scores}

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._scores = state["scores"]
