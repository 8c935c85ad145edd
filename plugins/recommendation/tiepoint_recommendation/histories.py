"""What users have done so far, in the numbers that rankers work on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Floats: TypeAlias = NDArray[np.float32]
Numbers: TypeAlias = NDArray[np.int32]
Seconds: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class History:
    """What one user has done, the oldest first, each item once, at its last event.

    Attributes:
        items: (h,) int32, numbers of items in the model's order.
        strengths: (h,) float32, how much each event says; below 0 for what was rejected.
        times_s: (h,) float64, seconds since 1970, not falling.
    """

    items: Numbers
    strengths: Floats
    times_s: Seconds

    def __len__(self) -> int:
        return len(self.items)

    @classmethod
    def empty(cls) -> Self:
        """Return the history of somebody who is new."""
        return cls(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float64))


@dataclass(frozen=True, slots=True)
class Histories:
    """The histories of n users, one after the other.

    Attributes:
        offsets: (n + 1,) int64; the entries of user u are `offsets[u]:offsets[u + 1]`.
        items: (entries,) int32.
        strengths: (entries,) float32.
        times_s: (entries,) float64.
        now_s: (n,) float64, when each user asks, in seconds since 1970.
    """

    offsets: NDArray[np.int64]
    items: Numbers
    strengths: Floats
    times_s: Seconds
    now_s: Seconds

    @classmethod
    def of(cls, histories: Sequence[History], now_s: float | Sequence[float] | Seconds) -> Self:
        """Return these histories as one.

        Args:
            histories: One for each user.
            now_s: When they ask: one time for all of them, or one for each.
        """
        lengths = [len(one) for one in histories]
        none = History.empty()
        parts = histories or [none]
        return cls(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate([one.items for one in parts]),
            np.concatenate([one.strengths for one in parts]),
            np.concatenate([one.times_s for one in parts]),
            np.broadcast_to(np.asarray(now_s, np.float64), (len(histories),)),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, user: int) -> History:
        part = slice(self.offsets[user], self.offsets[user + 1])
        return History(self.items[part], self.strengths[part], self.times_s[part])

    def __iter__(self) -> Iterator[History]:
        return (self[user] for user in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) int64, the number of entries of each user."""
        return np.diff(self.offsets)

    @property
    def users(self) -> NDArray[np.int64]:
        """(entries,) int64, which user each entry belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def ages_s(self) -> Seconds:
        """(entries,) float64, how long before the asking each entry was; at least 0."""
        return np.maximum(np.repeat(self.now_s, self.lengths) - self.times_s, 0.0)

    @property
    def positions(self) -> NDArray[np.int64]:
        """(entries,) int64, how many entries of the same user came after each one."""
        return np.repeat(self.offsets[1:], self.lengths) - 1 - np.arange(len(self.items))

    def matrix(self, weights: NDArray[Any], n_items: int) -> csr_matrix:
        """Return a sparse (n, n_items) float32 matrix of weights of the entries.

        Args:
            weights: (entries,) one for each entry.
            n_items: How many items there are.
        """
        values = np.asarray(weights, np.float32)
        shape = (len(self), n_items)
        return csr_matrix((values, self.items, self.offsets), shape=shape, copy=True)

    def sums(self, weights: Floats, rows: Floats) -> Floats:
        """Return (n, d) float32: for each user, the sum of the rows of the entries' items.

        Args:
            weights: (entries,) what each row is multiplied with.
            rows: (n_items, d).
        """
        if len(self) == 1:
            return np.asarray(weights @ rows[self.items], np.float32)[None]
        return np.asarray(self.matrix(weights, len(rows)) @ rows, np.float32)

    def chunks(self, size: int) -> Iterator[Histories]:
        """Yield these histories in parts of at most so many users."""
        for start in range(0, len(self), size):
            yield self.part(start, start + size)

    def part(self, start: int, stop: int) -> Histories:
        """Return the histories of the users from `start` up to, not including, `stop`."""
        offsets = self.offsets[start : stop + 1]
        entries = slice(offsets[0], offsets[-1])
        return Histories(
            offsets - offsets[0],
            self.items[entries],
            self.strengths[entries],
            self.times_s[entries],
            self.now_s[start:stop],
        )
