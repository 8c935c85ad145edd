"""The vectors of one field by position, with the rows that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.index import metrics
from tiepoint.index.base import VectorField
from tiepoint.index.disk import DiskVectors
from tiepoint.index.filters.mask import Mask
from tiepoint.index.growing import GrowingArray

_BACKGROUND = 512
COPY_STEP = 8192  # bounds what is copied at once

Rows = NDArray[np.int64]


class FieldVectors:
    """Vectors by position; a position belongs to a row, and not every row has a vector.

    Args:
        field: The length of the vectors, and their metric.
        on_disk: Whether they are kept on disk.
        folder: Where they lie there; in that of temporary files if None.
    """

    def __init__(self, field: VectorField, on_disk: bool, folder: Path | None) -> None:
        self.field = field
        self.dim = field.dim
        self._metric = field.metric
        self._folder = folder
        self._vectors: GrowingArray[np.float32] | DiskVectors = (
            DiskVectors(field.dim, folder) if on_disk else GrowingArray(np.float32, field.dim)
        )
        self._rows: GrowingArray[np.int32] = GrowingArray(np.int32)
        self._positions: GrowingArray[np.int32] = GrowingArray(np.int32)
        self._background: tuple[int, NDArray[np.int32], Vectors] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def _hold(self, rows: Sequence[int], vectors: Vectors) -> NDArray[np.int32]:
        """Add (n, dim) vectors of rows whose numbers grow; gives their positions."""
        self._vectors.append(vectors)
        first = len(self)
        missing = rows[-1] + 1 - len(self._positions)
        self._positions.append(np.full(missing, -1, np.int32))
        positions = np.arange(first, first + len(rows), dtype=np.int32)
        self._positions.view[rows] = positions
        self._rows.append(rows)
        return positions

    def _hold_stored(
        self, vectors: Vectors, path: Path, on_disk: bool, rows: NDArray[np.int32]
    ) -> None:
        """Take over what `arrays` returned, and the .npy file that the vectors lie in."""
        self._rows = GrowingArray.of(rows)
        positions = np.full(int(rows[-1]) + 1 if len(rows) else 0, -1, np.int32)
        positions[rows] = np.arange(len(rows))
        self._positions = GrowingArray.of(positions)
        self._vectors = DiskVectors.of(path, self._folder) if on_disk else GrowingArray.of(vectors)

    def _move_to_disk(self) -> None:
        moved = DiskVectors(self.dim, self._folder)
        vectors = self._vectors.view
        for start in range(0, len(vectors), COPY_STEP):
            moved.append(vectors[start : start + COPY_STEP])
        self._vectors = moved

    def _touched(self, count: int) -> None:
        if isinstance(self._vectors, DiskVectors):
            self._vectors.touched(count)

    def similarities(self, query: Vectors, rows: Rows) -> Vectors:
        """Return (n,) scores of rows for a query, NaN where a row has no vector."""
        positions = self._at(rows)
        similarities = np.full(len(rows), np.nan, np.float32)
        there = positions >= 0
        similarities[there] = metrics.scores_at(
            self._metric, self._vectors.view, positions[there], query
        )
        return similarities

    def stored(self, rows: Rows) -> Vectors:
        """Return (n, dim) vectors of rows, NaN where a row has none."""
        positions = self._at(rows)
        found = np.full((len(rows), self.dim), np.nan, np.float32)
        there = positions >= 0
        found[there] = self._vectors.view[positions[there]]
        return found

    def background(self, query: Vectors, live: Mask) -> tuple[float, float]:
        """Return mean and standard deviation of the query's scores of a fixed random sample.

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
        similarities = metrics.scores(self._metric, sample[2], query)
        return float(similarities.mean()), float(similarities.std())

    def _at(self, rows: Rows) -> NDArray[np.int32]:
        positions = self._positions.view
        if not len(positions):
            return np.full(len(rows), -1, np.int32)
        known = (rows >= 0) & (rows < len(positions))
        return np.where(known, positions[np.where(known, rows, 0)], np.int32(-1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the vectors and their rows as plain arrays; the proposer is written apart."""
        return {"vectors": self._vectors.view, "rows": self._rows.view}
