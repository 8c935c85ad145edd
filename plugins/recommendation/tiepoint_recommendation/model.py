"""A fitted model: the items, the rankers, and the blend; it answers for any history."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.blending.blend import Blend
from tiepoint_recommendation.histories import Floats, Histories, History
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker


@dataclass(frozen=True)
class Scored:
    """How much every item is wanted, and what made it so.

    Attributes:
        total: (n, n_items) float32, the blended scores.
        parts: (n, n_items) float32 by ranker; their sum is the total.
    """

    total: Floats
    parts: dict[str, Floats]


@dataclass(frozen=True)
class Model:
    """Fitted rankers and their blend; read-only, threads may share it.

    Attributes:
        space: The items.
        rankers: By name.
        blend: The weights.
        generation: Names the fit that made it.
        last_event: The number of the last event that it has seen.
    """

    space: ItemSpace
    rankers: dict[str, Ranker]
    blend: Blend
    generation: str = ""
    last_event: int = 0

    @cached_property
    def number_of(self) -> dict[str, int]:
        """The number of each item, by id."""
        return {id_: number for number, id_ in enumerate(self.space.ids)}

    def score(self, histories: Histories, gallery: NDArray[np.bool_] | None = None) -> Scored:
        """Return the scores of all items for each history; seen items are not left out.

        Args:
            histories: Who asks.
            gallery: (n_items,) bool, the items that scores are standardised by, where only
                these are ranked; all if None.
        """
        lengths = histories.lengths
        used = self.blend.used(lengths)
        raw = {name: self.rankers[name].scores(histories) for name in used}
        parts = self.blend.parts(raw, lengths, gallery)
        total = np.zeros((len(histories), len(self.space)), np.float32)
        for part in parts.values():
            total += part
        return Scored(total, parts)

    def reasons(self, history: History, item: int) -> dict[str, Floats]:
        """Return (h,) by ranker: what each entry of a history gave to an item's score."""
        return {name: ranker.reasons(history, item) for name, ranker in self.rankers.items()}
