"""An HNSW graph over 8-bit copies of unit vectors (Malkov and Yashunin, arXiv:1603.09320).

The graph only proposes: its candidates are rescored with the vectors themselves, so scores
are exact, and 8 bits a dimension save memory traffic at the cost of a few more candidates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.index.growing import GrowingArray

LINKS = 32
"""Links of a node on each upper level (M); the lowest level has twice as many."""

CONSTRUCTION_BREADTH = 100
"""Candidates looked at for each new node (efConstruction)."""

TARGET_RECALL = 0.992
"""Recall@10 that the search breadth is tuned for, on queries harder than the usual ones."""

_BREADTHS = (20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768, 1024)
_TRIALS = 256
_NEIGHBOURS = 10
_RANGE_MARGIN = 0.25  # room beyond the trained range of a dimension, in widths of the range
_OUTSIDE_SHARE = 0.01  # of the values added: more means that the trained range has aged

_BUILD_STEP = 8192  # bounds what is copied at once

Positions = NDArray[np.int32]


def candidates_for(k: int) -> int:
    """Return how many proposals to rescore for the best k."""
    return max(2 * k, k + 10)


class Graph:
    """Proposes near positions; positions count the vectors in the order they were added.

    Attributes:
        breadth: How many candidates a search keeps (efSearch), as tuned.
        tuned_at: How many vectors there were when it was tuned.
    """

    def __init__(self, index: Any, order: NDArray[np.int32], breadth: int, tuned_at: int) -> None:
        import faiss

        self.breadth = breadth
        self.tuned_at = tuned_at
        self._faiss = faiss
        self._index = index
        self._order: GrowingArray[np.int32] = GrowingArray.of(order)  # position of each node
        self._parameters: dict[int, Any] = {}
        self._values_outside = 0
        quantizer = faiss.downcast_index(index.storage).sq
        self._low, width = faiss.vector_to_array(quantizer.trained).reshape(2, -1)
        self._high = self._low + width

    @classmethod
    def build(cls, vectors: Vectors) -> Graph:
        """Build a graph of (n, dim) unit vectors with all cores, and tune its breadth.

        The vectors go in in random order, and those of the trials last: until then they are
        queries that the graph does not know.
        """
        import faiss

        index = faiss.IndexHNSWSQ(
            vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, LINKS, faiss.METRIC_INNER_PRODUCT
        )
        index.hnsw.efConstruction = CONSTRUCTION_BREADTH
        faiss.downcast_index(index.storage).sq.rangestat_arg = _RANGE_MARGIN
        index.train(vectors)
        order = np.arange(len(vectors), dtype=np.int32)
        np.random.default_rng(0).shuffle(order)
        known: NDArray[np.int32] = order[:-_TRIALS]
        trials: NDArray[np.int32] = order[-_TRIALS:]
        for start in range(0, len(known), _BUILD_STEP):
            index.add(vectors[known[start : start + _BUILD_STEP]])
        graph = cls(index, known, _BREADTHS[0], 0)
        graph.tune(vectors[trials], vectors)
        index.add(vectors[trials])
        graph._order.append(trials)
        return graph

    @classmethod
    def read(cls, path: Path, order: NDArray[np.int32], breadth: int, tuned_at: int) -> Graph:
        """Return the graph that `write` wrote."""
        import faiss

        return cls(faiss.read_index(str(path)), order, breadth, tuned_at)

    def write(self, path: Path) -> None:
        """Write the graph to a file; its order and its tuning are the caller's to keep."""
        self._faiss.write_index(self._index, str(path))

    @property
    def order(self) -> NDArray[np.int32]:
        """(n,) position of each node."""
        return self._order.view

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dim(self) -> int:
        """Length of its vectors."""
        return int(self._index.d)

    def add(self, vectors: Vectors) -> None:
        """Add (n, dim) unit vectors; no search may run meanwhile."""
        outside = (vectors < self._low) | (vectors > self._high)
        self._values_outside += int(np.count_nonzero(outside))
        self._order.append(np.arange(len(self), len(self) + len(vectors)))
        self._index.add(vectors)

    @property
    def aged(self) -> bool:
        """Whether the vectors have left the range that 8 bits were fitted to."""
        return self._values_outside > _OUTSIDE_SHARE * len(self) * self.dim

    def search(self, query: Vectors, count: int, breadth: int) -> Positions:
        """Return up to `count` near positions for a (1, dim) unit query, near ones first.

        Args:
            query: A unit vector.
            count: How many positions.
            breadth: How many candidates to keep (efSearch), at least `count`.
        """
        parameters = self._parameters.get(breadth)
        if parameters is None:
            parameters = self._faiss.SearchParametersHNSW(efSearch=breadth)
            self._parameters[breadth] = parameters
        nodes = self._index.search(query, count, params=parameters)[1][0]
        if nodes[-1] < 0:  # the graph proposed fewer
            nodes = nodes[nodes >= 0]
        positions: Positions = self._order.view[nodes]
        return positions

    def tune(self, trials: Vectors, vectors: Vectors) -> None:
        """Set the least breadth that reaches `TARGET_RECALL`.

        Args:
            trials: (m, dim) unit vectors like the stored ones, but not among them. Half of
                them are asked as they are, and half with as much noise as signal, 45 degrees
                away: queries from another modality lie beside what they ask for.
            vectors: (n, dim) the stored vectors by position; those of the trials may be there.
        """
        stored = vectors[self.order]
        rng = np.random.default_rng(0)
        queries = rng.permutation(trials)[:_TRIALS]
        noise = rng.standard_normal(queries[::2].shape, np.float32)
        queries[::2] += noise / np.linalg.norm(noise, axis=1, keepdims=True)
        queries /= np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-12)
        truth = [set(row) for row in self.order[_nearest(queries, stored)].tolist()]
        for breadth in _BREADTHS:
            if self._recall(queries, truth, vectors, breadth) >= TARGET_RECALL:
                break
        self.breadth = breadth
        self.tuned_at = len(stored)

    def _recall(
        self, queries: Vectors, truth: list[set[int]], vectors: Vectors, breadth: int
    ) -> float:
        found = 0
        for query, best in zip(queries, truth, strict=True):
            proposed = self.search(query[None], candidates_for(_NEIGHBOURS), breadth)
            order = np.argsort(-(vectors[proposed] @ query))[:_NEIGHBOURS]
            found += len(best.intersection(proposed[order].tolist()))
        return found / (len(truth) * _NEIGHBOURS)


def _nearest(queries: Vectors, vectors: Vectors) -> NDArray[np.int64]:
    best: list[NDArray[np.int64]] = []
    for start in range(0, len(queries), 32):  # bounds the memory: 32 x n similarities
        similarities = queries[start : start + 32] @ vectors.T
        best.append(np.argpartition(-similarities, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS])
    return np.concatenate(best)
