"""The serving tier: a collection in memory, in front of an embedded store.

It answers everything that a `Searcher` answers; it is derived from the store, kept in step by
the store's sequence numbers, and thrown away when it does not match.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tiepoint.config.collections import IndexSection
from tiepoint.errors import SchemaError, StoreError
from tiepoint.index.base import CollectionSchema, Row
from tiepoint.index.tier_reading import TierReader
from tiepoint.index.tier_state import TierState
from tiepoint.index.vectors import VectorIndex

_LOG = logging.getLogger(__name__)
_ADD_STEP = 512  # vectors that go into a graph while readers wait
_CHECKPOINT_S = 120.0  # of building between snapshots of what is there


class ServingTier(TierReader):
    """A `Searcher` over one collection, in memory.

    Any number of threads may read; writes come from any thread and take turns. A reader sees
    a batch entirely or not at all.

    Args:
        schema: What the rows hold.
        options: How the vectors of the fields are searched; chosen where none are given.
        folder: Where snapshots lie, and vectors that are kept on disk; a temporary one if None.

    Attributes:
        improved: Whether an index was built that no snapshot has.
    """

    def __init__(
        self,
        schema: CollectionSchema,
        options: Mapping[str, IndexSection] | None = None,
        folder: Path | None = None,
    ) -> None:
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(schema, TierState.empty(schema, options or {}, folder))
        self.improved = False
        self._options = options or {}
        self._folder = folder
        self._writing = threading.Lock()
        self._deferring = False

    def close(self) -> None:
        """Free memory and temporary files."""
        with self._writing, self._sharing.exclusive():
            self._state.close()

    # Writing

    def upsert(self, sequence: int, rows: Sequence[Row]) -> None:
        """Add rows, or replace those of the same id; the last of several with one id counts.

        Args:
            sequence: The store's sequence number after this write.
            rows: What the store wrote.

        Raises:
            SchemaError: A vector of another length than the schema's; nothing is changed.
            StoreError: The words cannot be written, and searches do not see the rows.
        """
        latest = list({row.id: row for row in rows}.values())
        self._check(latest)
        with self._writing:
            state = self._state
            columns = state.columns
            with self._sharing.exclusive():  # the new rows are dead as yet
                first = columns.append(latest)
            for name, index in state.vectors.items():
                self._add_vectors(index, name, first, latest)
            replaced = columns.rows([row.id for row in latest])
            state.write_words(first, latest, replaced)
            with self._sharing.exclusive():
                columns.revive(first, first + len(latest))
                self._publish(state, sequence)
            self._improve()
            self._compact_if_due()

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Build no index within the block, but what is due at its end.

        A long build is saved every two minutes where the tier has a folder, and goes on from
        there when the process was killed.
        """
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        with self._writing:
            self._improve()

    def _improve(self) -> None:
        if self._deferring:
            return
        saved = time.monotonic()

        def checkpoint() -> None:
            nonlocal saved
            if self._folder is None or time.monotonic() < saved + _CHECKPOINT_S:
                return
            try:
                self._state.save(self._folder, self._sequence, self.schema)
            except StoreError as error:
                _LOG.warning("the index that is being built is not saved: %s", error)
            saved = time.monotonic()

        self.improved = self._state.improve(checkpoint) or self.improved

    def delete(self, sequence: int, ids: Sequence[str]) -> None:
        """Forget items; unknown ids are ignored."""
        with self._writing:
            state = self._state
            state.write_words(0, (), state.columns.rows(ids))
            with self._sharing.exclusive():
                for item in ids:
                    state.columns.kill(item)
                self._publish(state, sequence)
            self._compact_if_due()

    def _check(self, rows: Sequence[Row]) -> None:
        dims = {field.name: field.dim for field in self.schema.vectors}
        for row in rows:
            for name, vector in row.vectors.items():
                if name in dims and vector.shape != (dims[name],):
                    raise SchemaError(
                        f"the vector {name} has shape {vector.shape}, not ({dims[name]},)",
                        where=row.id,
                        hint="Encode the item again.",
                    )

    def _add_vectors(self, index: VectorIndex, name: str, first: int, rows: Sequence[Row]) -> None:
        numbers = [first + number for number, row in enumerate(rows) if name in row.vectors]
        if not numbers:
            return
        vectors = np.stack([row.vectors[name] for row in rows if name in row.vectors])
        vectors = np.ascontiguousarray(vectors, np.float32)
        index.prepare(vectors)
        for start in range(0, len(numbers), _ADD_STEP):
            with self._sharing.exclusive():
                index.append(numbers[start : start + _ADD_STEP], vectors[start : start + _ADD_STEP])

    def _compact_if_due(self) -> None:
        state = self._state
        if not state.worth_compacting:
            return
        compacted = state.compacted(self.schema)
        with self._sharing.exclusive():
            self._publish(compacted, self._sequence)
        state.close()

    # Snapshots

    def snapshot(self, folder: Path) -> None:
        """Write the tier into a folder, atomically, in place of older snapshots.

        Searches go on meanwhile; writes wait. What was added is laid out anew before, so that
        it is read faster; searches wait while it moves, which takes a second for a million.

        Raises:
            StoreError: The folder cannot be written (a full disk, say); an older snapshot stays.
        """
        with self._writing:
            for index in self._state.vectors.values():
                order = index.arrangement()
                if order is not None:
                    with self._sharing.exclusive():
                        index.arrange(order)
            self._state.save(folder, self._sequence, self.schema)
            self.improved = False

    @classmethod
    def load(
        cls,
        folder: Path,
        schema: CollectionSchema,
        options: Mapping[str, IndexSection] | None = None,
    ) -> ServingTier:
        """Return the tier of the newest snapshot.

        Raises:
            SnapshotError: It is missing, damaged, of a newer format, of another schema or of
                other encoders; the caller derives the tier from the store again.
        """
        from tiepoint.index.snapshot import SnapshotReader

        reader = SnapshotReader(folder, schema)
        state = TierState.read(reader, schema, options or {}, folder)
        tier = cls(schema, options, folder)
        tier._state.close()
        tier._state = state
        tier._sequence = reader.manifest.sequence
        return tier
