"""The contract of what proposes near vectors.

A proposer holds compressed copies of a field's vectors. What it proposes is rescored with the
vectors themselves, so that scores are exact and only the choice of candidates is approximate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import IndexKind, Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index.growing import GrowingArray
from tiepoint.index.metrics import proposing_metric

Positions = NDArray[np.integer[Any]]


NEIGHBOURS = 10
"""How many hits tuning looks at."""


def candidates_for(k: int, oversampling: int) -> int:
    """Return how many proposals to rescore for the best k: some more, since copies are rounded."""
    return max(oversampling * k, k + max(2, k // 5))


class Effort(NamedTuple):
    """How hard a proposer searches.

    Attributes:
        breadth: Candidates that a graph keeps, or lists or buckets that are probed.
        oversampling: Proposals for each hit that is asked for.
    """

    breadth: int
    oversampling: int


class Shortcut(NamedTuple):
    """A lesser breadth, for queries that lie as near to vectors as vectors do to each other.

    Attributes:
        breadth: What is enough for them.
        nearness: How near, at least, the first proposal for such a query is, as the index puts
            it; a query that finds nothing so near is asked again with the tuned effort.
    """

    breadth: int
    nearness: float


class Proposer(ABC):
    """Proposes near positions; positions count the vectors in the order they were added.

    Vectors may be added in any order. One thread adds, and no search may run meanwhile.

    Attributes:
        kind: Its name in the deployment file.
        efforts: What tuning chooses from, from the quickest to the most thorough.
        on_disk: Whether the vectors that it proposes are to be kept on disk.
        metric: How the proposals are rescored.
        effort: How hard it searches, as tuned.
        shortcut: What easy queries can do with, as tuned; None where it saves nothing.
        higher_is_nearer: Whether its index gives similarities, and not distances.
        tuned_at: How many vectors there were when it was tuned; 0 before.
        recall: What it reached then, on queries harder than the usual ones.
    """

    kind: ClassVar[IndexKind]
    efforts: ClassVar[tuple[Effort, ...]]
    on_disk: ClassVar[bool] = False
    shortcut: Shortcut | None = None

    def __init__(self, index: Any, metric: Metric) -> None:
        import faiss

        self.metric = metric
        self.higher_is_nearer = proposing_metric(metric) == faiss.METRIC_INNER_PRODUCT
        self.effort = self.efforts[0]
        self.tuned_at = 0
        self.recall = 0.0
        self._faiss = faiss
        self._index = index
        self._order: GrowingArray[np.int32] = GrowingArray(np.int32)  # position of each entry

    @classmethod
    @abstractmethod
    def trained(cls, sample: Vectors, count: int, metric: Metric) -> Self:
        """Return an empty one for about `count` vectors like the (n, dim) sample."""

    @classmethod
    @abstractmethod
    def bytes_per_vector(cls, dim: int) -> int:
        """Return about how much memory a vector takes here; the vectors themselves apart."""

    def __len__(self) -> int:
        return len(self._order)

    @property
    def order(self) -> NDArray[np.int32]:
        """(n,) position of each entry, in the order of their addition."""
        return self._order.view

    @property
    def aged(self) -> bool:
        """Whether what was added no longer fits what it was trained on."""
        return False

    def ladder(self) -> tuple[Effort, ...]:
        """Return what tuning chooses from: `efforts`, with more proposals for Manhattan."""
        if self.metric != "manhattan":
            return self.efforts
        return tuple(Effort(breadth, 4 * sampled) for breadth, sampled in self.efforts)

    def add(self, vectors: Vectors, positions: NDArray[np.integer[Any]]) -> None:
        """Add (n, dim) vectors of these positions."""
        self._index.add(vectors)
        self._order.append(positions)

    def arrangement(self, vectors: Vectors) -> Positions | None:
        """Return an order of the entries in which a search finds what it looks at close together.

        Args:
            vectors: (n, dim) the stored vectors by position.

        Returns:
            What `arrange` takes; None where there is nothing to gain.
        """
        return None

    def arrange(self, order: Positions) -> None:
        """Put the entries into another order in memory; no search may run meanwhile."""
        self._index.permute_entries(order)
        self._order = GrowingArray.of(self.order[order])

    def propose(self, queries: Vectors, count: int) -> Positions:
        """Return (n, count) near positions of (n, dim) contiguous queries.

        Where there are fewer, the position is -1.

        What is near may be what a filter takes away, so that a filter is applied to this
        answer. A search that looks for allowed positions only would find far ones there, and
        nothing would tell.
        """
        entries = self._found(queries, count)
        positions: Positions = self._order.view.take(entries)
        last = entries.item(-1) if len(entries) == 1 else entries[:, -1].min()
        if last < 0:  # the last are missing first
            positions[entries < 0] = -1
        return positions

    def nearness(self, queries: Vectors, count: int, breadth: int) -> Vectors:
        """Return (n,) how near the first of `count` proposals is; higher is nearer."""
        first = self.entries(queries, count, breadth)[1][:, 0]
        return first if self.higher_is_nearer else -first

    def _found(self, queries: Vectors, count: int) -> Positions:
        shortcut, breadth = self.shortcut, self.effort.breadth
        if shortcut is None:
            return self.entries(queries, count, breadth)[0]
        entries, first = self.entries(queries, count, shortcut.breadth)
        if len(queries) == 1:  # as most are; arrays of one would cost two microseconds
            near = first.item(0) if self.higher_is_nearer else -first.item(0)
            if near < shortcut.nearness:
                return self.entries(queries, count, breadth)[0]
            return entries
        nearness = first[:, 0] if self.higher_is_nearer else -first[:, 0]
        far = np.flatnonzero(~(nearness >= shortcut.nearness))
        if len(far):
            entries[far] = self.entries(np.ascontiguousarray(queries[far]), count, breadth)[0]
        return entries

    @abstractmethod
    def entries(self, queries: Vectors, count: int, breadth: int) -> tuple[Positions, Vectors]:
        """Return (n, count) entries by their number, and how near the index says they are.

        Where there are fewer, the entry is -1.
        """

    def write(self, path: Path) -> None:
        """Write what FAISS holds to a file; order and tuning are the caller's to keep."""
        self._faiss.write_index(self._index, str(path))

    @classmethod
    def read(cls, path: Path, order: NDArray[np.int32], metric: Metric) -> Self:
        """Return the proposer that `write` wrote."""
        import faiss

        proposer = cls(faiss.read_index(str(path)), metric)
        proposer._order = GrowingArray.of(order)
        if proposer._index.ntotal != len(order):
            raise ValueError(f"{len(order)} positions of {proposer._index.ntotal} vectors")
        return proposer
