"""The vectors of one field: compared with all while they are few, proposed when they are many."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import IndexSection
from tiepoint.encoders.base import Vectors
from tiepoint.index.base import VectorField
from tiepoint.index.disk import DiskVectors
from tiepoint.index.field_vectors import COPY_STEP, Rows
from tiepoint.index.filters.mask import Mask
from tiepoint.index.kinds.base import Positions, Proposer
from tiepoint.index.kinds.building import Reporter, build
from tiepoint.index.kinds.choice import PROPOSERS, Choice, choose
from tiepoint.index.kinds.tuning import tune
from tiepoint.index.vector_search import VectorSearch

logger = logging.getLogger(__name__)

_ENOUGH_TRIALS = 64
_RETUNE_GROWTH = 1.5
_REBUILD_GROWTH = 3.0  # growth in batches too small to tune on


class VectorIndex(VectorSearch):
    """The vectors of a field, and how the nearest of them are found.

    One thread writes: `prepare`, `append`, `improve`. `append` must not run beside a search,
    everything else may.

    Args:
        field: The length of the vectors, and their metric.
        options: How they are searched.
        folder: Where vectors lie that are kept on disk; that of temporary files if None.
    """

    def __init__(
        self, field: VectorField, options: IndexSection, folder: Path | None = None
    ) -> None:
        proposer = PROPOSERS.get(options.kind) if options.kind != "auto" else None
        super().__init__(field, proposer is not None and proposer.on_disk, folder)
        self.choice = Choice("exact", "empty")
        self._options = options
        self._begun: Proposer | None = None

    @property
    def stored_proposer(self) -> Proposer | None:
        """What a snapshot keeps: the proposer, or one that is being built."""
        return self._begun or self._proposer

    # Writing

    def append(self, rows: Sequence[int], vectors: Vectors) -> None:
        """Add (n, dim) vectors of rows whose numbers grow.

        Raises:
            StoreError: The vectors are kept on disk, and it is full; nothing is changed.
        """
        if not len(rows):
            return
        positions = self._hold(rows, vectors)
        if self._proposer is not None:
            self._proposer.add(vectors, positions)

    def prepare(self, vectors: Vectors) -> None:
        """Tune the proposer on vectors that are about to be added, when growth makes it due."""
        proposer = self._proposer
        if (
            proposer is not None
            and len(vectors) >= _ENOUGH_TRIALS
            and len(self) > _RETUNE_GROWTH * proposer.tuned_at
        ):
            tune(proposer, vectors, self._vectors.view, self._options.recall)

    @property
    def due(self) -> bool:
        """Whether `improve` has anything to do."""
        proposer, choice = self._proposer, choose(self._options, len(self), self.dim)
        if choice.kind == "exact":
            return proposer is not None
        return (
            self._begun is not None
            or proposer is None
            or proposer.kind != choice.kind
            or proposer.aged
            or len(self) > _REBUILD_GROWTH * proposer.tuned_at
        )

    def improve(self, report: Reporter | None = None) -> bool:
        """Build what proposes when it is due: for the first time, or because it has aged.

        Args:
            report: Told of each step of the building; `stored_proposer` can be saved there.

        Returns:
            Whether anything was built.
        """
        due = self.due
        self.choice = choose(self._options, len(self), self.dim)
        if not due:
            return False
        if self.choice.kind == "exact":
            self._proposer = None
            return True
        kind = PROPOSERS[self.choice.kind]
        if len(self) > 4 * COPY_STEP:
            logger.info("%s: %s (%s)", self.field.name, kind.kind, self.choice.why)
        begun, self._begun = self._begun, None
        if kind.on_disk and not isinstance(self._vectors, DiskVectors):
            self._move_to_disk()

        def step(proposer: Proposer) -> None:
            self._begun = proposer
            if report is not None:
                report(proposer)

        resumes = begun if begun is not None and begun.kind == kind.kind else kind
        proposer = build(resumes, self._vectors.view, self._metric, self._options.recall, step)
        self._touched(len(self))
        self._proposer, self._begun = proposer, None
        if proposer.recall < self._options.recall:
            logger.warning(
                "%s: %s finds %.3f of the nearest, %g is asked for; a recall of 1 searches exactly",
                *(self.field.name, kind.kind, proposer.recall, self._options.recall),
            )
        return True

    def arrangement(self) -> Positions | None:
        """Return a better order for what the proposer holds, None where it would gain nothing."""
        return None if self._proposer is None else self._proposer.arrangement(self._vectors.view)

    def arrange(self, order: Positions) -> None:
        """Put what the proposer holds into this order; must not run beside a search."""
        if self._proposer is not None:
            self._proposer.arrange(order)

    # Other forms

    def compacted(self, live: Mask, new_rows: Rows) -> VectorIndex:
        """Return an index of the live rows only, under their new numbers."""
        keep = np.flatnonzero(live[self._rows.view])
        index = VectorIndex(self.field, self._options, self._folder)
        for start in range(0, len(keep), COPY_STEP):
            step = keep[start : start + COPY_STEP]
            index.append(new_rows[self._rows.view[step]].tolist(), self._vectors.view[step])
        index.improve()
        return index

    def take_over(
        self,
        path: Path,
        vectors: Vectors,
        rows: NDArray[np.int32],
        proposer: Proposer | None,
    ) -> None:
        """Become the index that `arrays` was called on.

        Args:
            path: The .npy file of the vectors.
            vectors: They themselves.
            rows: Their rows.
            proposer: As it was saved; one that was not tuned was not finished either.
        """
        self.choice = choose(self._options, len(rows), self.dim)
        kind = PROPOSERS.get(self.choice.kind)
        on_disk = (kind is not None and kind.on_disk) or isinstance(self._vectors, DiskVectors)
        self._hold_stored(vectors, path, on_disk, rows)
        if proposer is not None and not proposer.tuned_at:
            self._begun = proposer
        else:
            self._proposer = proposer

    def describe(self) -> dict[str, Any]:
        """Return how many vectors there are, how they are searched, and why so."""
        proposer = self._proposer
        said: dict[str, Any] = {
            "count": len(self),
            "search": self.choice.kind,
            "why": self.choice.why,
        }
        if proposer is not None:
            said |= {
                "breadth": proposer.effort.breadth,
                "oversampling": proposer.effort.oversampling,
                "recall": round(proposer.recall, 4),
            }
        return said
