"""Locality-sensitive hashing by random hyperplanes (Charikar, STOC 2002), multi-probe.

Which side of a hyperplane a vector lies on is a bit; vectors that share the bits of a table
lie in one bucket. A search looks into the query's own bucket of every table and into those
that differ in a few bits (Lv et al., VLDB 2007), and ranks what it finds by all bits.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index.growing import GrowingArray
from tiepoint.index.kinds.base import Effort, Positions, Proposer

TABLES = 16
_PER_BUCKET = 16
_HYPERPLANES = ".hyperplanes"
_EFFORTS = ((0, 8), (1, 8), (1, 16), (2, 16), (2, 32), (2, 64), (3, 64), (3, 128), (4, 128))


class LshProposer(Proposer):
    """Hash tables of hyperplane bits; the breadth is how many bits a probe may differ in."""

    kind = "lsh"
    efforts = tuple(Effort(flips, oversampling) for flips, oversampling in _EFFORTS)

    def __init__(self, index: Any, metric: Metric, hyperplanes: Any = None) -> None:
        super().__init__(index, metric)
        self.higher_is_nearer = False  # bits that differ
        self._hyperplanes = hyperplanes

    @classmethod
    def trained(cls, sample: Vectors, count: int, metric: Metric) -> Self:
        import faiss

        bits = max(4, min(24, math.ceil(math.log2(1 + count / _PER_BUCKET))))
        width = bits * TABLES
        # The hyperplanes go through the median of each projection, so that buckets fill evenly.
        hyperplanes = faiss.IndexLSH(sample.shape[1], width, True, True)
        hyperplanes.train(sample)
        return cls(faiss.IndexBinaryMultiHash(width, TABLES, bits), metric, hyperplanes)

    @classmethod
    def bytes_per_vector(cls, dim: int) -> int:
        return 32 + TABLES * 24

    def add(self, vectors: Vectors, positions: NDArray[np.integer[Any]]) -> None:
        super().add(self._hyperplanes.sa_encode(vectors), positions)

    def entries(self, queries: Vectors, count: int, breadth: int) -> tuple[Positions, Vectors]:
        codes = self._hyperplanes.sa_encode(queries)
        if self._index.nflip != breadth:
            self._index.nflip = breadth
        distances, entries = self._index.search(codes, count)
        return entries, distances

    def write(self, path: Path) -> None:
        self._faiss.write_index_binary(self._index, str(path))
        self._faiss.write_index(self._hyperplanes, f"{path}{_HYPERPLANES}")

    @classmethod
    def read(cls, path: Path, order: NDArray[np.int32], metric: Metric) -> Self:
        import faiss

        proposer = cls(
            faiss.read_index_binary(str(path)),
            metric,
            faiss.read_index(f"{path}{_HYPERPLANES}"),
        )
        proposer._order = GrowingArray.of(order)
        return proposer
