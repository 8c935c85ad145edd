"""8-bit copies of the vectors that a filter lets through, side by side and all compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index.kinds.base import Positions
from tiepoint.index.metrics import proposing_metric


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
        import faiss

        self._faiss = faiss
        self._positions = positions
        self._index = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, proposing_metric(metric)
        )
        self._index.train(vectors)
        self._index.add(vectors)

    def propose(self, queries: Vectors, count: int) -> Positions:
        """Return (n, count) positions near each of the (n, dim) queries."""
        count = min(count, len(self._positions))
        if len(queries) > 1:
            nearest = self._index.search(queries, count)[1]
        else:
            # FAISS would wake a thread on each core and wait for all of them: milliseconds where
            # the cores are busy. The number is that of the calling thread.
            threads = self._faiss.omp_get_max_threads()
            self._faiss.omp_set_num_threads(1)
            nearest = self._index.search(queries, count)[1]
            self._faiss.omp_set_num_threads(threads)
        positions: Positions = self._positions[nearest]
        return positions
