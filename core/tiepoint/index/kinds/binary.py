"""Inverted lists of 1-bit copies in memory, and the vectors themselves on disk.

The bits are those of RaBitQ (Gao and Long, SIGMOD 2024): the signs of a randomly rotated
residual, with what makes the estimate of a distance from them unbiased.
"""

from __future__ import annotations

from typing import Any, Self

from tiepoint.config.models import Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index.kinds.base import Effort, Positions
from tiepoint.index.kinds.ivf import IvfProposer, trained_lists

_EFFORTS = (
    *((2, 8), (4, 8), (8, 8), (8, 16), (16, 16), (24, 16), (32, 16), (32, 32)),
    *((64, 32), (64, 64), (128, 64), (256, 64), (512, 64), (1024, 64)),
)
_QUERY_BITS = 8


class BinaryProposer(IvfProposer):
    """As `int8`, with an eighth of the memory, and more candidates to rescore."""

    kind = "binary"
    efforts = tuple(Effort(probes, oversampling) for probes, oversampling in _EFFORTS)
    on_disk = True

    @classmethod
    def trained(cls, sample: Vectors, count: int, metric: Metric) -> Self:
        import faiss

        dim = sample.shape[1]

        def lists(quantizer: Any, count: int, number: int) -> Any:
            return faiss.IndexIVFRaBitQ(quantizer, dim, count, number)

        rotation = faiss.RandomRotationMatrix(dim, dim)
        rotation.init(0)
        inner = trained_lists(rotation.apply(sample), count, metric, lists)
        inner.qb = _QUERY_BITS
        index = faiss.IndexPreTransform(rotation, inner)
        for part in (rotation, inner):
            part.this.disown()
        index.own_fields = True
        return cls(index, metric)

    @classmethod
    def bytes_per_vector(cls, dim: int) -> int:
        return dim // 8 + 28

    def _entries(self, queries: Vectors, count: int) -> Positions:
        inner = self._faiss.IVFRaBitQSearchParameters(nprobe=self._probes(count), qb=_QUERY_BITS)
        parameters = self._faiss.SearchParametersPreTransform(index_params=inner)
        entries: Positions = self._index.search(queries, count, params=parameters)[1]
        return entries
