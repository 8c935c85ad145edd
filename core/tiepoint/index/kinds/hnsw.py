"""An HNSW graph over 8-bit copies (Malkov and Yashunin, arXiv:1603.09320).

8 bits a dimension save memory traffic at the cost of a few more candidates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index.kinds.base import Effort, Positions, Proposer
from tiepoint.index.metrics import proposing_metric

LINKS = 16
"""Links of a node on each upper level (M); the lowest level has twice as many."""

CONSTRUCTION_BREADTH = 100
"""Candidates looked at for each new node (efConstruction)."""

_RANGE_MARGIN = 0.25  # room beyond the trained range of a dimension, in widths of the range
_OUTSIDE_SHARE = 0.01  # of the values added: more means that the trained range has aged
_PLACES = 2048
_LEAST_AT_A_PLACE = 32
_LEAST_UNARRANGED = 0.1  # share of the entries that were added since they were arranged
_STEP = 65_536  # vectors that are copied at once
_BREADTHS = (
    *(12, 15, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96),
    *(128, 160, 192, 256, 384, 512, 768, 1024),
)


class HnswProposer(Proposer):
    """A graph of near neighbours, walked from far to near."""

    kind = "hnsw"
    efforts = tuple(Effort(breadth, 1) for breadth in _BREADTHS)

    def __init__(self, index: Any, metric: Metric) -> None:
        super().__init__(index, metric)
        self._parameters: dict[int, Any] = {}
        self._values_outside = 0
        self._arranged = 0
        quantizer = self._faiss.downcast_index(index.storage).sq
        self._low, width = self._faiss.vector_to_array(quantizer.trained).reshape(2, -1)
        self._high = self._low + width

    @classmethod
    def trained(cls, sample: Vectors, count: int, metric: Metric) -> Self:
        import faiss

        index = faiss.IndexHNSWSQ(
            sample.shape[1], faiss.ScalarQuantizer.QT_8bit, LINKS, proposing_metric(metric)
        )
        index.hnsw.efConstruction = CONSTRUCTION_BREADTH
        faiss.downcast_index(index.storage).sq.rangestat_arg = _RANGE_MARGIN
        index.train(sample)
        return cls(index, metric)

    @classmethod
    def bytes_per_vector(cls, dim: int) -> int:
        return dim + 4 * 2 * LINKS + 24

    def add(self, vectors: Vectors, positions: NDArray[np.integer[Any]]) -> None:
        outside = (vectors < self._low) | (vectors > self._high)
        self._values_outside += int(np.count_nonzero(outside))
        super().add(vectors, positions)

    @property
    def aged(self) -> bool:
        return self._values_outside > _OUTSIDE_SHARE * len(self) * len(self._low)

    @classmethod
    def read(cls, path: Path, order: NDArray[np.int32], metric: Metric) -> Self:
        proposer = super().read(path, order, metric)
        proposer._arranged = len(proposer)  # as a snapshot's are
        return proposer

    def arrangement(self, vectors: Vectors) -> Positions | None:
        """Put side by side what one of 2,048 sampled vectors is the nearest to.

        A walk then waits for memory less, which is a sixth to a quarter of its time.
        """
        order = self.order
        places = min(_PLACES, len(order) // _LEAST_AT_A_PLACE)
        if len(order) - self._arranged <= _LEAST_UNARRANGED * len(order) or places < 2:
            return None
        middles = vectors[np.sort(np.random.default_rng(0).choice(order, places, replace=False))]
        nearest = np.empty(len(order), np.int64)
        for start in range(0, len(order), _STEP):
            step = slice(start, start + _STEP)
            nearest[step] = self._faiss.knn(vectors[order[step]], middles, 1)[1][:, 0]
        return np.argsort(nearest, kind="stable")

    def arrange(self, order: Positions) -> None:
        super().arrange(order)
        self._arranged = len(self)

    def entries(self, queries: Vectors, count: int, breadth: int) -> tuple[Positions, Vectors]:
        breadth = max(breadth, count)
        parameters = self._parameters.get(breadth)
        if parameters is None:
            parameters = self._faiss.SearchParametersHNSW(efSearch=breadth)
            self._parameters[breadth] = parameters
        # FAISS's own `search` checks and converts what is right already: five microseconds.
        pointer = self._faiss.swig_ptr
        entries = np.empty((len(queries), count), np.int64)
        distances = np.empty((len(queries), count), np.float32)
        self._index.search_c(
            len(queries), pointer(queries), count, pointer(distances), pointer(entries), parameters
        )
        return entries, distances
