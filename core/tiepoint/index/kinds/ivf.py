"""Inverted lists of 8-bit copies: k-means cells, of which the nearest are searched."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Self

from tiepoint.config.collections import IndexKind, Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index.kinds.base import NEIGHBOURS, Effort, Positions, Proposer, candidates_for
from tiepoint.index.metrics import proposing_metric

_PROBES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024)
_MOST_LISTS = 16_384
_TRAINING_PER_LIST = 64
_ITERATIONS = 8

Lists = Callable[[Any, int, int], Any]
"""Makes an index from a quantizer, a number of lists and FAISS's number of the metric."""


def trained_lists(sample: Vectors, count: int, metric: Metric, make: Lists) -> Any:
    """Return a trained index of inverted lists: about 4 sqrt(count) of them.

    Args:
        sample: (n, dim) vectors like those that come.
        count: How many come.
        metric: How they are compared.
        make: Makes the untrained index.
    """
    import faiss

    lists = min(round(4 * math.sqrt(count)), _MOST_LISTS, max(1, len(sample) // 8))
    number = proposing_metric(metric)
    quantizer = faiss.IndexFlat(sample.shape[1], number)
    index = make(quantizer, lists, number)
    quantizer.this.disown()
    index.own_fields = True
    index.cp.niter = _ITERATIONS
    index.cp.min_points_per_centroid = 1  # or FAISS warns on the standard error
    index.cp.max_points_per_centroid = _TRAINING_PER_LIST
    index.train(sample)
    return index


class IvfProposer(Proposer):
    """Lists of vectors by nearest centroid."""

    kind: ClassVar[IndexKind] = "ivf"
    efforts = tuple(Effort(probes, 2) for probes in _PROBES)

    @classmethod
    def trained(cls, sample: Vectors, count: int, metric: Metric) -> Self:
        import faiss

        dim = sample.shape[1]

        def lists(quantizer: Any, count: int, number: int) -> Any:
            return faiss.IndexIVFScalarQuantizer(
                quantizer, dim, count, faiss.ScalarQuantizer.QT_8bit, number, False
            )

        return cls(trained_lists(sample, count, metric, lists), metric)

    @classmethod
    def bytes_per_vector(cls, dim: int) -> int:
        return dim + 16

    def entries(self, queries: Vectors, count: int, breadth: int) -> tuple[Positions, Vectors]:
        parameters = self._faiss.SearchParametersIVF(nprobe=self._probes(count, breadth))
        distances, entries = self._index.search(queries, count, params=parameters)
        return entries, distances

    def _probes(self, count: int, breadth: int) -> int:
        """Return how many lists to probe: more proposals than it was tuned with lie farther."""
        tuned = candidates_for(NEIGHBOURS, self.effort.oversampling)
        return math.ceil(breadth * math.sqrt(max(1.0, count / tuned)))
