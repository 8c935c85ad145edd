"""The vectors of one field: exact search while they are few, a graph when they are many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.index.filters.mask import Mask
from tiepoint.index.graph import Graph, Positions, candidates_for
from tiepoint.index.growing import GrowingArray
from tiepoint.index.similarity import inner_products, inner_products_at

EXACT_BELOW = 2048
"""Fewer vectors than this are searched exactly.

Measured with 256 dimensions, a graph is the faster one from about 1,000 vectors; up to 2,048
the exact search still takes less than 0.1 ms, and has no recall to lose.
"""

_EXACT_COST = 16.0  # breadth that costs as much as one scattered vector's exact similarity: 1/16
_BACKGROUND = 512
_ENOUGH_TRIALS = 64
_RETUNE_GROWTH = 1.5
_REBUILD_GROWTH = 3.0  # growth in batches too small to tune on

Rows = NDArray[np.int64]


class VectorIndex:
    """Unit vectors by position; a position belongs to a row, and not every row has a vector.

    One thread writes: `prepare`, `append`, `improve`. `append` must not run beside a search,
    everything else may.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._vectors: GrowingArray[np.float32] = GrowingArray(np.float32, dim)
        self._rows: GrowingArray[np.int32] = GrowingArray(np.int32)
        self._positions: GrowingArray[np.int32] = GrowingArray(np.int32)
        self._graph: Graph | None = None
        self._background: tuple[int, NDArray[np.int32], Vectors] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def graph(self) -> Graph | None:
        """The graph, where there are enough vectors for one."""
        return self._graph

    def append(self, rows: Sequence[int], vectors: Vectors) -> None:
        """Add (n, dim) unit vectors of rows whose numbers grow."""
        if not len(rows):
            return
        missing = rows[-1] + 1 - len(self._positions)
        self._positions.append(np.full(missing, -1, np.int32))
        self._positions.view[rows] = np.arange(len(self), len(self) + len(rows))
        self._vectors.append(vectors)
        self._rows.append(rows)
        if self._graph is not None:
            self._graph.add(vectors)

    def prepare(self, vectors: Vectors) -> None:
        """Tune the graph on vectors that are about to be added, when growth makes it due."""
        graph = self._graph
        if (
            graph is not None
            and len(vectors) >= _ENOUGH_TRIALS
            and len(self) > _RETUNE_GROWTH * graph.tuned_at
        ):
            graph.tune(vectors, self._vectors.view)

    def improve(self) -> None:
        """Build the graph when it is due: for the first time, or because it has aged."""
        graph = self._graph
        if len(self) < EXACT_BELOW:
            return
        if graph is None or graph.aged or len(self) > _REBUILD_GROWTH * graph.tuned_at:
            self._graph = Graph.build(self._vectors.view)

    def search(
        self, query: Vectors, k: int, allowed: Mask, count: int, excluded: Rows
    ) -> tuple[Positions, Vectors]:
        """Return the rows and cosines of the k best, best first.

        Args:
            query: (dim,) float32 unit vector.
            k: At least 1.
            allowed: (rows,) bool: the rows that may be returned.
            count: How many rows are allowed.
            excluded: Rows that may not be returned, all the same.
        """
        graph = self._graph
        if graph is not None:
            needed = candidates_for(k + len(excluded))
            share = count / len(allowed)
            # What lies near the query may pass the filter more seldom than the rest does. The
            # first answer shows it, and a second one may be enough.
            for _ in range(2):
                wanted = needed if share == 1.0 else math.ceil(1.2 * needed / max(share, 1e-9))
                if wanted * _EXACT_COST > count:
                    break
                positions = graph.search(query[None], wanted, max(graph.breadth, wanted))
                if share < 1.0 or len(excluded):
                    positions = self._passing(positions, allowed, excluded)
                if len(positions) >= min(needed, wanted) - len(excluded):
                    return self._rescored(query, k, positions)
                share = len(positions) / wanted
        return self._exact(query, k, allowed, excluded)

    def _passing(self, positions: Positions, allowed: Mask, excluded: Rows) -> Positions:
        """Return the allowed ones of the nearest positions.

        Filtering after the search keeps the recall: the best allowed positions are among the
        nearest ones whenever enough of these are allowed.
        """
        rows = self._rows.view[positions]
        keep = allowed[rows]
        if len(excluded):
            keep &= ~np.isin(rows, excluded)
        return positions[keep]

    def _exact(
        self, query: Vectors, k: int, allowed: Mask, excluded: Rows
    ) -> tuple[Positions, Vectors]:
        mask = allowed[self._rows.view]
        positions = self._at(excluded)
        mask[positions[positions >= 0]] = False
        count = int(np.count_nonzero(mask))
        if 3 * count < len(self):
            return self._rescored(query, k, np.flatnonzero(mask))
        scores = inner_products(self._vectors.view, query)
        if count < len(self):
            scores[~mask] = -np.inf
        best = _best(scores, min(k, count))
        return self._rows.view[best], scores[best]

    def _rescored(
        self, query: Vectors, k: int, positions: NDArray[np.integer]
    ) -> tuple[Positions, Vectors]:
        scores = inner_products_at(self._vectors.view, positions, query)
        best = _best(scores, k)
        return self._rows.view[positions[best]], scores[best]

    def similarities(self, query: Vectors, rows: Rows) -> Vectors:
        """Return (n,) cosines of the query to rows, NaN where a row has no vector."""
        positions = self._at(rows)
        similarities = np.full(len(rows), np.nan, np.float32)
        there = positions >= 0
        similarities[there] = inner_products_at(self._vectors.view, positions[there], query)
        return similarities

    def stored(self, rows: Rows) -> Vectors:
        """Return (n, dim) vectors of rows, NaN where a row has none."""
        positions = self._at(rows)
        found = np.full((len(rows), self.dim), np.nan, np.float32)
        there = positions >= 0
        found[there] = self._vectors.view[positions[there]]
        return found

    def background(self, query: Vectors, live: Mask) -> tuple[float, float]:
        """Return mean and standard deviation of the query's cosine to a fixed random sample.

        The sample (at most 512 vectors) is drawn anew when one of its items is gone, or when
        there are many more items than before. Without vectors the answer is (0, 0).
        """
        sample = self._background
        if sample is None or len(self) > sample[0] or not live[sample[1]].all():
            alive = np.flatnonzero(live[self._rows.view])
            chosen = alive
            if len(alive) > _BACKGROUND:
                chosen = np.random.default_rng(0).choice(alive, _BACKGROUND, replace=False)
            # A full sample serves until there are twice as many; a smaller one is everything.
            limit = 2 * len(self) if len(alive) > _BACKGROUND else len(self)
            sample = limit, self._rows.view[chosen], self._vectors.view[chosen]
            self._background = sample
        if not len(sample[2]):
            return 0.0, 0.0
        similarities = inner_products(sample[2], query)
        return float(similarities.mean()), float(similarities.std())

    def _at(self, rows: Rows) -> NDArray[np.int32]:
        positions = self._positions.view
        known = (rows >= 0) & (rows < len(positions))
        return (
            np.where(known, positions[np.where(known, rows, 0)], -1)
            if len(positions)
            else (np.full(len(rows), -1, np.int32))
        )

    def compacted(self, live: Mask, new_rows: Rows) -> VectorIndex:
        """Return an index of the live rows only, under their new numbers."""
        keep = live[self._rows.view]
        index = VectorIndex(self.dim)
        index.append(new_rows[self._rows.view[keep]].tolist(), self._vectors.view[keep])
        index.improve()
        return index

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the vectors and their rows as plain arrays; the graph is written apart."""
        return {"vectors": self._vectors.view, "rows": self._rows.view}

    @classmethod
    def of(cls, vectors: Vectors, rows: NDArray[np.int32], graph: Graph | None) -> VectorIndex:
        """Return the index that `arrays` was called on."""
        index = cls(vectors.shape[1])
        index._vectors = GrowingArray.of(vectors)
        index._rows = GrowingArray.of(rows)
        positions = np.full(int(rows[-1]) + 1 if len(rows) else 0, -1, np.int32)
        positions[rows] = np.arange(len(rows))
        index._positions = GrowingArray.of(positions)
        index._graph = graph
        return index


def _best(scores: Vectors, k: int) -> NDArray[np.int64]:
    """Return the positions of the k largest scores, the largest first."""
    if k >= len(scores) // 2 or len(scores) <= 64:
        return (-scores).argsort(kind="stable")[:k]
    best = (-scores).argpartition(k)[:k]
    return best[(-scores[best]).argsort(kind="stable")]
