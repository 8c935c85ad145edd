"""The contract of rankers (entry points: `tiepoint_recommendation.rankers`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.sections import Section
from tiepoint_recommendation.histories import Floats, Histories, History

GROUP = "tiepoint_recommendation.rankers"


class RankerOptions(Section):
    """Base of a ranker's options; unknown keys are refused."""


@dataclass(frozen=True, slots=True)
class ItemSpace:
    """What is known of the n items of a model apart from behaviour.

    Attributes:
        ids: Their ids; the position is the item's number.
        vectors: (n, d) float32 unit vectors by name (`text`, `image`, `fused`); a row of zeros
            where an item lacks that part.
        groups: (n,) int32; items of the same group are variants or near-duplicates.
        categories: (n,) int32, the number of each item's category; -1 where it has none.
        added_s: (n,) float64, when each item came into the catalogue; nan where unknown.
        offered: (n,) bool, whether the catalogue has the item; events may tell of others, which
            say something about their users and are never recommended.
    """

    ids: tuple[str, ...]
    vectors: Mapping[str, Floats]
    groups: NDArray[np.int32]
    categories: NDArray[np.int32]
    added_s: NDArray[np.float64]
    offered: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)


class Ranker(ABC):
    """Scores every item for a history: never for a user's id, so nothing is retrained to follow.

    Constructed cheaply; `fit` learns from the histories of all users, `state` and `restore`
    carry what was learned, as arrays. Afterwards it is read-only, and threads may share it.

    Attributes:
        name: The name of its entry point.
        Options: The model of its options.
    """

    name: ClassVar[str]
    Options: ClassVar[type[RankerOptions]] = RankerOptions

    def __init__(self, options: RankerOptions) -> None:
        self.options = options

    @abstractmethod
    def fit(self, histories: Histories, space: ItemSpace) -> None:
        """Learn from what users did.

        Args:
            histories: Of all users; `now_s` is the time that the model is to serve from.
            space: The items.
        """

    @abstractmethod
    def scores(self, histories: Histories) -> Floats:
        """Return (n, n_items) float32: for each history, how much each item is wanted.

        Only the order and the distances within a row mean something. What the ranker knows
        nothing of is 0.
        """

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """Return what was learned: arrays by name, none of them of Python objects."""

    @abstractmethod
    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        """Take up what `state` has returned.

        Args:
            state: The arrays, by name.
            space: The items that it was fitted with.
        """

    def reasons(self, history: History, item: int) -> Floats:
        """Return (h,) float32: what each entry of a history gave to an item's score.

        Zeros where a score does not come from single entries.
        """
        return np.zeros(len(history), np.float32)
