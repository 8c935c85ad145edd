"""Inner products of histories with all items; of many items, with the nearest ones only."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from tiepoint_recommendation.histories import Floats
from tiepoint_recommendation.rankers.tables import DENSE_ITEMS

_NEAREST = 500
_LISTS, _PROBED = 512, 8
_SAMPLE_PER_LIST = 64


class NearestItems:
    """Items as vectors, asked for the greatest inner products.

    Up to `DENSE_ITEMS` all products are computed. Beyond, which would take milliseconds for
    each answer, an inverted file of FAISS gives some hundreds of the greatest, and all
    others are 0, as what a ranker knows nothing of.

    Args:
        vectors: (n_items, d) float32.
    """

    def __init__(self, vectors: Floats) -> None:
        self.vectors = vectors

    def scores(self, queries: Floats) -> Floats:
        """Return (n, n_items) float32.

        Args:
            queries: (n, d) float32.
        """
        n_items = len(self.vectors)
        if n_items <= DENSE_ITEMS:
            return np.asarray(queries @ self.vectors.T, np.float32)
        found = np.zeros((len(queries), n_items), np.float32)
        asked = np.flatnonzero(queries.any(axis=1))
        if len(asked):
            wanted = np.ascontiguousarray(queries[asked], np.float32)
            products, items = self._index.search(wanted, _NEAREST)
            rows, columns = np.nonzero(items >= 0)
            found[asked[rows], items[rows, columns]] = products[rows, columns]
        return found

    @cached_property
    def _index(self) -> Any:
        import faiss

        dimensions = self.vectors.shape[1]
        vectors = np.ascontiguousarray(self.vectors, np.float32)
        index = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(dimensions), dimensions, _LISTS, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.niter = 6
        index.cp.max_points_per_centroid = _SAMPLE_PER_LIST
        index.cp.seed = 1234
        index.train(vectors)
        index.add(vectors)
        index.nprobe = _PROBED
        return index

    def prepare(self) -> None:
        """Build the index now, so that the first answer need not wait for it."""
        if len(self.vectors) > DENSE_ITEMS:
            _ = self._index
