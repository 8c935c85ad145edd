"""What was done around the same items by people who did the same lately."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint_recommendation.histories import Floats, Histories, History
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker
from tiepoint_recommendation.rankers.recency import RecencyOptions, fading


class NeighbourOptions(RecencyOptions):
    """How neighbours are found, and what of their histories counts."""

    fade_items: float = Field(
        default=5.0, gt=0, title="Fade (items)", description="See `item-item`; shorter here."
    )
    latest: int = Field(
        default=20, ge=1, title="Latest", description="So many of the latest items are compared."
    )
    neighbours: int = Field(default=100, ge=1, title="Neighbours", description="Their number.")
    power: float = Field(
        default=2.0, gt=0, title="Power", description="Of the likeness that neighbours count by."
    )
    gap_items: float = Field(
        default=8.0,
        gt=0,
        title="Gap (items)",
        description="What a neighbour did n places from a shared item counts exp(-n / this).",
    )
    most_gap: int = Field(
        default=30, ge=1, title="Most gap", description="Items further away do not count."
    )
    backward: float = Field(
        default=0.4,
        ge=0,
        le=1,
        title="Backward",
        description="What counts that a neighbour did before the shared item.",
    )
    most_users: int = Field(
        default=1000,
        ge=1,
        title="Most users",
        description="Of a popular item, only so many of the users who met it last are compared.",
    )


class _Matches(NamedTuple):
    """Where neighbours met a history's items.

    Attributes:
        entry: (m,) the entry of the history.
        user: (m,) the neighbour.
        place: (m,) where in all histories the neighbour's entry is.
        weight: (m,) float64, what it counts.
    """

    entry: NDArray[np.int64]
    user: NDArray[np.int64]
    place: NDArray[np.int64]
    weight: NDArray[np.float64]


class Neighbours(Ranker):
    """Neighbours by their order of doing things, as in session-based kNN (Ludewig et al., 2018).

    People are alike by the latest items that they share, rare ones most; each counts for what
    it did shortly after, and less for what it did before, the shared items.
    """

    name: ClassVar[str] = "neighbours"
    Options = NeighbourOptions

    def __init__(self, options: NeighbourOptions) -> None:
        super().__init__(options)
        self.recency = options
        self._items = np.zeros(0, np.int32)
        self._offsets = np.zeros(1, np.int64)
        self._n_items = 0

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        liked = histories.strengths > 0
        counts = np.bincount(histories.users[liked], minlength=len(histories))
        times = histories.times_s[liked]
        self._take(histories.items[liked], np.r_[0, np.cumsum(counts)], times, len(space))

    def _take(
        self,
        items: NDArray[np.int32],
        offsets: NDArray[np.int64],
        times: NDArray[np.float64],
        n_items: int,
    ) -> None:
        """Keep histories, and find each item's latest entries in them."""
        self._items, self._offsets, self._n_items = items, offsets, n_items
        self._times = times
        self._user = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        self._places = np.lexsort((-times, items))
        ordered = items[self._places]
        self._starts = np.searchsorted(ordered, np.arange(n_items + 1))
        met = np.maximum(np.diff(self._starts), 1)
        self._rarity = np.log(max(len(offsets) - 1, 1) / met).clip(min=0)
        self._damping = np.maximum(np.diff(offsets), 1) ** -0.3

    def scores(self, histories: Histories) -> Floats:
        return np.stack([self._scores(one) for one in histories])

    def _scores(self, history: History) -> Floats:
        matches = self._matches(history)
        if not len(matches.entry):
            return np.zeros(self._n_items, np.float32)
        reached, weights = self._around(matches)
        found = np.bincount(self._items[reached], weights, minlength=self._n_items)
        return found.astype(np.float32)

    def _matches(self, history: History) -> _Matches:
        options = self.recency
        weights = fading(Histories.of([history], 0.0), options)
        entries = np.flatnonzero(weights > 0)[-options.latest :]
        lists = []
        for entry in entries:
            start, stop = self._starts[history.items[entry] : history.items[entry] + 2]
            lists.append(self._places[start : min(stop, start + options.most_users)])
        if not lists:
            none = np.zeros(0, np.int64)
            return _Matches(none, none, none, np.zeros(0))
        place = np.concatenate(lists)
        entry = np.repeat(entries, [len(one) for one in lists])
        user = self._user[place]
        weight = weights[entry] * self._rarity[history.items[entry]]
        alike = np.bincount(user, weight, minlength=len(self._damping)) * self._damping
        if np.count_nonzero(alike) > options.neighbours:
            bound = -np.partition(-alike, options.neighbours - 1)[options.neighbours - 1]
            near = alike[user] >= bound
            entry, user, place, weight = entry[near], user[near], place[near], weight[near]
        largest = max(float(alike.max(initial=0)), 1e-12)
        return _Matches(entry, user, place, weight * (alike[user] / largest) ** options.power)

    def _around(self, matches: _Matches) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the places around matches, those of each match in turn, and their weights."""
        reach = self.recency.most_gap
        steps = np.arange(-reach, reach + 1)
        fades = np.exp(-np.abs(steps) / self.recency.gap_items)
        fades = np.where(steps > 0, fades, self.recency.backward * fades)
        places = matches.place[:, None] + steps
        starts, stops = self._offsets[matches.user, None], self._offsets[matches.user + 1, None]
        inside = (places >= starts) & (places < stops)
        weights = np.where(inside, matches.weight[:, None] * fades, 0.0)
        return np.where(inside, places, 0).ravel(), weights.ravel()

    def state(self) -> dict[str, NDArray[Any]]:
        return {"items": self._items, "offsets": self._offsets, "times_s": self._times}

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._take(state["items"], state["offsets"], state["times_s"], len(space))

    def reasons(self, history: History, item: int) -> Floats:
        given = np.zeros(len(history), np.float32)
        matches = self._matches(history)
        if len(matches.entry):
            reached, weights = self._around(matches)
            each = np.where(self._items[reached] == item, weights, 0).reshape(
                len(matches.entry), -1
            )
            np.add.at(given, matches.entry, each.sum(axis=1).astype(np.float32))
        return given
