"""8-bit copies of the vectors that a filter lets through, side by side and all compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index.kinds.base import Positions
from tiepoint.index.metrics import proposing_metric

_STEPS = np.float32(255)


class Scan:
    """Proposes near positions among some, having compared the query with every one.

    A graph has to look at ten times as many vectors where one in ten passes; a quarter of the
    memory traffic makes comparing all of these the quicker way.

    Args:
        metric: How the proposals are rescored.
        vectors: (m, dim) the vectors that pass.
        positions: (m,) their positions.
    """

    def __init__(self, metric: Metric, vectors: Vectors, positions: NDArray[np.int64]) -> None:
        self._positions = positions
        self._copies = _UnitBytes(vectors) if metric == "cosine" else _Bytes(metric, vectors)

    def propose(self, queries: Vectors, count: int) -> Positions:
        """Return (n, count) positions near each of the (n, dim) queries."""
        count = min(count, len(self._positions))
        positions: Positions = self._positions[self._copies.nearest(queries, count)]
        return positions


class _Bytes:
    """Vectors in 8 bits a dimension, each dimension over its own range."""

    def __init__(self, metric: Metric, vectors: Vectors) -> None:
        import faiss

        self._faiss = faiss
        self._index = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, proposing_metric(metric)
        )
        self._index.train(vectors)
        self._index.add(vectors)

    def nearest(self, queries: Vectors, count: int) -> NDArray[np.int64]:
        if len(queries) > 1:
            return self._search(queries, count)
        # FAISS would wake a thread on each core and wait for all of them: milliseconds where
        # the cores are busy. The number is that of the calling thread.
        threads = self._faiss.omp_get_max_threads()
        self._faiss.omp_set_num_threads(1)
        found = self._search(queries, count)
        self._faiss.omp_set_num_threads(threads)
        return found

    def _search(self, queries: Vectors, count: int) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self._index.search(queries, count)[1]
        return found


class _UnitBytes(_Bytes):
    """Unit vectors in bytes of one range for all dimensions, which are compared as integers.

    That takes a third of the time. Elsewhere one long dimension would leave no steps to others.
    """

    def __init__(self, vectors: Vectors) -> None:
        import faiss

        self._faiss = faiss
        self._low = vectors.min(initial=0)
        self._scale = _STEPS / max(vectors.max(initial=0) - self._low, np.float32(1e-6))
        self._index = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_8bit_direct, faiss.METRIC_L2
        )
        self._index.add(self._steps(vectors))

    def _search(self, queries: Vectors, count: int) -> NDArray[np.int64]:
        return super()._search(self._steps(queries), count)

    def _steps(self, vectors: Vectors) -> Vectors:
        """Return what a byte each can hold, as the floats that FAISS is given."""
        steps: Vectors = np.rint((vectors - self._low) * self._scale)
        return steps.clip(0, _STEPS, out=steps)
