"""The nearest vectors of one field, with a filter or without."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.index import metrics
from tiepoint.index.allowed import Allowed
from tiepoint.index.base import VectorField
from tiepoint.index.field_vectors import FieldVectors, Rows
from tiepoint.index.filters.mask import Mask
from tiepoint.index.kinds.base import Positions, Proposer, candidates_for
from tiepoint.index.scan import Scan

_EXACT_COST = 16.0  # breadth that costs as much as one scattered vector's exact score: 1/16
_FILTERED_MARGIN = 1.2  # proposals beyond those that a filter is expected to take away
_NONE: Rows = np.empty(0, np.int64)
_SCAN_FROM = 1024  # fewer are compared exactly, in less than 0.1 ms
_SCAN_FROM_ON_DISK = 128  # where each of them is a page to map, so are these
_SCAN_VALUES = 4 << 20  # bytes that the copies of one filter may take
_SCAN_COST = 200.0  # vectors of a scan that cost as much as one proposal of a graph


class VectorSearch(FieldVectors):
    """The vectors of a field, searched through what proposes some of them.

    Args:
        field: The length of the vectors, and their metric.
        on_disk: Whether they are kept on disk.
        folder: Where they lie there; in that of temporary files if None.
    """

    def __init__(self, field: VectorField, on_disk: bool, folder: Path | None) -> None:
        super().__init__(field, on_disk, folder)
        self._proposer: Proposer | None = None
        self._scan_from = _SCAN_FROM_ON_DISK if on_disk else _SCAN_FROM

    @property
    def proposer(self) -> Proposer | None:
        """What proposes candidates; None where every vector is compared."""
        return self._proposer

    def search(
        self, query: Vectors, k: int, allowed: Allowed, excluded: Rows
    ) -> tuple[NDArray[np.int32], Vectors]:
        """Return the rows and scores of the k best, best first.

        Args:
            query: (dim,) float32.
            k: At least 1.
            allowed: The rows that may be returned.
            excluded: Rows that may not be returned, all the same.
        """
        if allowed.every and not len(excluded):
            return self._among_all(query, k, allowed)
        scan = self._scan(k, allowed)
        if scan is not None:
            near = scan.propose(query[None], self._scanned(k + len(excluded)))[0]
            if len(excluded):
                near = self._without(near, excluded)
            return self._rescored(query, k, near)
        share = allowed.share
        # What lies near the query may pass the filter more seldom than the rest does. The
        # first answer shows it, and a second one may be enough.
        for _ in range(2):
            wanted = self._wanted(k + len(excluded), share, allowed.count)
            if wanted is None or self._proposer is None:
                break
            near = self._proposer.propose(query[None], wanted)
            positions = near[0] if allowed.every else near[allowed.mask[self._rows.view[near]]]
            if near[0, -1] < 0 or len(excluded):
                positions = self._without(positions, excluded)
            if len(positions) >= self._enough(k, wanted):
                return self._rescored(query, k, positions)
            share = len(positions) / wanted
        return self._exact(query, k, allowed, excluded)

    def _among_all(
        self, query: Vectors, k: int, allowed: Allowed
    ) -> tuple[NDArray[np.int32], Vectors]:
        """Search without a filter, as most do: what is proposed may be found."""
        wanted = self._wanted(k, 1.0, allowed.count)
        if wanted is not None and self._proposer is not None:
            near = self._proposer.propose(query[None], wanted)[0]
            if near[-1] >= 0:
                return self._rescored(query, k, near)
        return self._exact(query, k, allowed, _NONE)

    def search_batch(
        self, queries: Vectors, k: int, allowed: Allowed, excluded: Rows
    ) -> tuple[NDArray[np.int32], Vectors]:
        """Return the (n, k) rows and scores of the k best of each query, on all cores.

        Where there are fewer, the row is -1 and the score is -inf.

        Args:
            queries: (n, dim) contiguous float32.
            k: At least 1.
            allowed: The rows that may be returned.
            excluded: Rows that may not be returned, all the same.
        """
        k = min(k, max(allowed.count, 1))
        scan = self._scan(k, allowed)
        wanted = self._wanted(k + len(excluded), allowed.share, allowed.count)
        if scan is not None:
            wanted = self._scanned(k + len(excluded))
            positions = scan.propose(queries, wanted)
        elif wanted is None or self._proposer is None:
            return self._exact_batch(queries, k, allowed, excluded)
        else:
            positions = self._proposer.propose(queries, wanted)
        if scan is None and not allowed.every:
            positions[~allowed.mask[self._rows.view[positions]]] = -1
        if len(excluded):
            positions[np.isin(positions, self._at(excluded))] = -1
        scores = metrics.scores_of_each(self._metric, self._vectors.view, positions, queries)
        self._touched(positions.size)
        best = np.argsort(-scores, axis=1)[:, :k]
        enough = min(k, allowed.count) if scan is not None else self._enough(k, wanted)
        passing = np.count_nonzero(positions >= 0, axis=1)
        rows = self._rows.view[np.take_along_axis(positions, best, 1)]
        scores = np.take_along_axis(scores, best, 1)
        for number in np.flatnonzero(passing < enough).tolist():
            own, own_scores = self.search(queries[number], k, allowed, excluded)
            rows[number, len(own) :], scores[number, len(own) :] = -1, -np.inf
            rows[number, : len(own)], scores[number, : len(own)] = own, own_scores
        return rows, scores

    def _wanted(self, k: int, share: float, count: int) -> int | None:
        """Return how many proposals to ask for, None if comparing all that may be is cheaper.

        Filtering after the search keeps the recall: the best allowed positions are among the
        nearest ones whenever enough of these are allowed.
        """
        proposer = self._proposer
        if proposer is None:
            return None
        wanted = candidates_for(k, proposer.effort.oversampling)
        if share < 1.0:
            wanted = math.ceil(_FILTERED_MARGIN * wanted / max(share, 1e-9))
        return None if wanted * _EXACT_COST > count else wanted

    def _scanned(self, k: int) -> int:
        """Return how many proposals of a scan to rescore: 8 bits hardly change the order."""
        return candidates_for(k, 8 if self._metric == "manhattan" else 2)

    def _enough(self, k: int, wanted: int) -> int:
        """Return how many proposals have to pass, so that the best k are among them."""
        assert self._proposer is not None  # noqa: S101 - it has proposed
        return min(candidates_for(k, self._proposer.effort.oversampling), wanted)

    def _without(self, positions: Positions, excluded: Rows) -> Positions:
        keep = positions >= 0
        if len(excluded):
            keep &= ~np.isin(positions, self._at(excluded))
        return positions[keep]

    def _exact(
        self, query: Vectors, k: int, allowed: Allowed, excluded: Rows
    ) -> tuple[NDArray[np.int32], Vectors]:
        positions = self._candidates(allowed, excluded)
        if positions is not None:
            return self._rescored(query, k, positions)
        scores = metrics.scores(self._metric, self._vectors.view, query)
        self._touched(len(self))
        best = _best(scores, min(k, len(self)))
        return self._rows.view[best], scores[best]

    def _exact_batch(
        self, queries: Vectors, k: int, allowed: Allowed, excluded: Rows
    ) -> tuple[NDArray[np.int32], Vectors]:
        candidates = self._candidates(allowed, excluded)
        vectors, rows = self._vectors.view, self._rows.view
        if candidates is not None:
            vectors, rows = vectors[candidates], rows[candidates]
        self._touched(len(vectors))
        found = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        if count := min(k, len(vectors)):
            positions, best = metrics.nearest(self._metric, vectors, queries, count)
            found[:, :count], scores[:, :count] = rows[positions], best
        return found, scores

    def _passing(self, allowed: Allowed) -> NDArray[np.int64]:
        return allowed.derived(
            self, len(self), "positions", lambda mask: np.flatnonzero(mask[self._rows.view])
        )

    def _scan(self, k: int, allowed: Allowed) -> Scan | None:
        """Return a scan of what a filter lets through, where that is the quickest way.

        It takes some milliseconds to make, so that a filter which is used once has none.
        """
        if allowed.every or self._proposer is None:
            return None
        allowed.asked += 1
        worth = self._scan_from <= allowed.count <= _SCAN_VALUES // self.dim
        wanted = candidates_for(k, self._proposer.effort.oversampling) / allowed.share
        if not worth or allowed.asked < 2 or allowed.count > _SCAN_COST * wanted:
            return None

        def scan(_: Mask) -> Scan:
            positions = self._passing(allowed)
            vectors = self._vectors.view[positions]
            self._touched(len(positions))
            return Scan(self._metric, vectors, positions)

        return allowed.derived(self, len(self), "scan", scan)

    def _candidates(self, allowed: Allowed, excluded: Rows) -> NDArray[np.int64] | None:
        """Return the positions that may be found, None if all may."""
        if allowed.every and not len(excluded):
            return None
        positions = self._passing(allowed)
        if len(excluded):
            positions = np.setdiff1d(positions, self._at(excluded), assume_unique=True)
        return positions

    def _rescored(
        self, query: Vectors, k: int, positions: Positions
    ) -> tuple[NDArray[np.int32], Vectors]:
        scores = metrics.scores_at(self._metric, self._vectors.view, positions, query)
        self._touched(len(positions))
        best = _best(scores, k)
        return self._rows.view.take(positions.take(best)), scores.take(best)


def _best(scores: Vectors, k: int) -> NDArray[np.int64]:
    """Return the positions of the k largest scores, the largest first."""
    if k >= len(scores) // 2 or len(scores) <= 64:
        return (-scores).argsort(kind="stable")[:k]
    best = (-scores).argpartition(k)[:k]
    return best[(-scores[best]).argsort(kind="stable")]
