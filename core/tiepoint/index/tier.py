"""The serving tier: a collection in memory, in front of an embedded store.

It answers everything that a `Searcher` answers; it is derived from the store, kept in step by
the store's sequence numbers, and thrown away when it does not match.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import IndexSection
from tiepoint.encoders.base import Vectors
from tiepoint.errors import QueryError, SchemaError, StoreError
from tiepoint.index.allowed import Allowed
from tiepoint.index.base import Candidates, CollectionSchema, Payload, Row
from tiepoint.index.columns import RowPayloads
from tiepoint.index.field_vectors import Rows
from tiepoint.index.filters import Filter
from tiepoint.index.sharing import SharedLock
from tiepoint.index.tier_state import TierState
from tiepoint.index.vectors import VectorIndex
from tiepoint.types import MetadataValue

_LOG = logging.getLogger(__name__)
_NO_ROWS: Rows = np.empty(0, np.int64)
_ADD_STEP = 512  # vectors that go into a graph while readers wait
_CACHED_MASKS = 32
_CHECKPOINT_S = 120.0  # of building between snapshots of what is there


class ServingTier:
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
        self.schema = schema
        self.improved = False
        self._options = options or {}
        self._folder = folder
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._state = TierState.empty(schema, self._options, folder)
        self._sequence = 0
        self._sharing = SharedLock()
        self._writing = threading.Lock()
        self._deferring = False
        self._masks: dict[str, Allowed] = {}
        self._everything: Allowed | None = None

    @property
    def sequence(self) -> int:
        """The newest of the store's sequence numbers that the tier has."""
        return self._sequence

    def __len__(self) -> int:
        return len(self._state.columns.row_of)

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

    def _publish(self, state: TierState, sequence: int) -> None:
        if state.words is not None:
            state.words.publish()
        self._state = state
        self._sequence = max(self._sequence, sequence)
        self._masks, self._everything = {}, None

    def _compact_if_due(self) -> None:
        state = self._state
        if not state.worth_compacting:
            return
        compacted = state.compacted(self.schema)
        with self._sharing.exclusive():
            self._publish(compacted, self._sequence)
        state.close()

    # Reading

    def reading(self) -> AbstractContextManager[None]:
        """Hold writes back in the `with` block, so that its calls see the same items."""
        return self._sharing

    def search_vector(
        self, field: str, query: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> Candidates:
        """Return up to k nearest items by cosine; query is a (dim,) unit vector.

        Raises:
            QueryError: No such field, a query of another length, or k below 1.
        """
        with self._sharing:
            index = self._vector_index(field, query)
            ids = self._state.columns.ids
            rows, scores = index.search(
                query, _positive(k), self._allowed(where), self._excluded(exclude)
            )
            return Candidates([ids[row] for row in rows.tolist()], scores)

    def search_items(
        self, field: str, query: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> tuple[Candidates, Sequence[Payload]]:
        """Return what `search_vector` does, with the payload of each item.

        Raises:
            QueryError: No such field, a query of another length, or k below 1.
        """
        with self._sharing:
            index = self._vector_index(field, query)
            columns = self._state.columns
            rows, scores = index.search(
                query, _positive(k), self._allowed(where), self._excluded(exclude)
            )
            ids = columns.ids
            found = Candidates([ids[row] for row in rows.tolist()], scores)
            return found, RowPayloads(columns, rows)

    def search_vectors(
        self, field: str, queries: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> list[Candidates]:
        """Return up to k nearest items of each of the (n, dim) queries.

        Raises:
            QueryError: No such field, queries of another length, or k below 1.
        """
        if not len(queries):
            return []
        with self._sharing:
            index = self._vector_index(field, queries[0])
            ids = self._state.columns.ids
            rows, scores = index.search_batch(
                queries, _positive(k), self._allowed(where), self._excluded(exclude)
            )
            counts = (rows >= 0).sum(1).tolist()
            return [
                Candidates([ids[row] for row in own[:count]], own_scores[:count])
                for own, own_scores, count in zip(rows.tolist(), scores, counts, strict=True)
            ]

    def search_text(
        self, field: str, query: str, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> Candidates:
        """Return up to k best items by BM25; a query without a known word gives none.

        Raises:
            QueryError: No such text field, or k below 1.
        """
        if field not in self.schema.texts:
            raise _unknown_field(field, list(self.schema.texts))
        with self._sharing:
            words, columns = self._state.words, self._state.columns
            assert words is not None  # noqa: S101 - there are text fields
            allowed = self._allowed(where)
            excluded, mask = self._excluded(exclude), allowed.mask
            if len(excluded):
                mask = mask.copy()
                mask[excluded] = False
            rows, scores = words.search(field, query, _positive(k), mask, allowed.count)
            return Candidates([columns.ids[row] for row in rows.tolist()], scores)

    def similarities(self, field: str, query: Vectors, ids: Sequence[str]) -> Vectors:
        """Return (n,) exact cosines, NaN for an item that is unknown or lacks this vector."""
        with self._sharing:
            index = self._vector_index(field, query)
            return index.similarities(query, self._state.columns.rows(ids))

    def vectors(self, field: str, ids: Sequence[str]) -> Vectors:
        """Return (n, dim) stored vectors, NaN for an item that is unknown or lacks this one."""
        with self._sharing:
            if field not in self._state.vectors:
                raise _unknown_field(field, list(self._state.vectors))
            return self._state.vectors[field].stored(self._state.columns.rows(ids))

    def word_scores(self, field: str, query: str, ids: Sequence[str]) -> Vectors:
        """Return (n,) BM25 scores, NaN for an item that is unknown or has no matching word.

        Raises:
            QueryError: No such text field.
        """
        if field not in self.schema.texts:
            raise _unknown_field(field, list(self.schema.texts))
        with self._sharing:
            words, columns = self._state.words, self._state.columns
            assert words is not None  # noqa: S101 - there are text fields
            return words.scores(field, query, columns.rows(ids))

    def background(self, field: str, query: Vectors) -> tuple[float, float]:
        """Return mean and standard deviation of the query's cosine to at most 512 items."""
        with self._sharing:
            index = self._vector_index(field, query)
            return index.background(query, self._state.columns.live)

    def matches(self, where: Filter, ids: Sequence[str]) -> NDArray[np.bool_]:
        """Return which of these items pass a filter; an unknown one does not."""
        with self._sharing:
            allowed = self._allowed(where).mask
            rows = self._state.columns.rows(ids)
            return (rows >= 0) & allowed[rows] if len(allowed) else rows >= 0

    def values(self, name: str, ids: Sequence[str]) -> list[MetadataValue | None]:
        """Return a metadata field's value of each item, None where it has none."""
        with self._sharing:
            columns = self._state.columns
            rows = columns.rows(ids)
            found: list[MetadataValue | None] = [None] * len(rows)
            known = np.flatnonzero(rows >= 0)
            for position, value in zip(
                known.tolist(), columns.values(name, rows[known]), strict=True
            ):
                found[position] = value
            return found

    def payloads(
        self, ids: Sequence[str]
    ) -> list[tuple[Mapping[str, MetadataValue], Mapping[str, str]]]:
        """Return (metadata, parts) of each item; both are empty for an unknown one."""
        with self._sharing:
            columns = self._state.columns
            rows = [columns.row_of.get(item) for item in ids]
            known = np.array([row for row in rows if row is not None], np.int64)
            found = zip(columns.metadata(known), columns.parts(known), strict=True)
            if len(known) == len(rows):
                return list(found)
            return [({}, {}) if row is None else next(found) for row in rows]

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the digests of those items that are known."""
        with self._sharing:
            columns = self._state.columns
            known = [item for item in ids if item in columns.row_of]
            return dict(zip(known, columns.digests(columns.rows(known)), strict=True))

    def ids(self, most: int | None = None) -> list[str]:
        """Return the ids of all items, or of at most so many, spread over the collection."""
        with self._sharing:
            found = list(self._state.columns.row_of)
        return found if most is None else found[:: max(1, len(found) // most)][:most]

    def describe(self) -> dict[str, Any]:
        """Return what `health` shows: items, tombstones, and how each field is searched."""
        with self._sharing:
            return {"sequence": self._sequence, **self._state.describe()}

    def vector_index(self, field: str) -> VectorIndex:
        """Return the index of a vector field, until the next compaction."""
        return self._state.vectors[field]

    def _vector_index(self, field: str, query: Vectors) -> VectorIndex:
        index = self._state.vectors.get(field)
        if index is None:
            raise _unknown_field(field, [vector.name for vector in self.schema.vectors])
        if query.shape != (index.dim,):
            raise QueryError(
                f"the query has shape {query.shape}, the vectors of {field} have ({index.dim},)",
                hint="Ask with a vector of this field's encoder.",
            )
        return index

    def _allowed(self, where: Filter | None) -> Allowed:
        columns = self._state.columns
        known = self._everything if where is None else self._masks.get(where.text)
        # Rows that are being written are there before they are published.
        if known is not None and len(known.mask) == len(columns):
            return known
        if where is None:
            self._everything = found = Allowed(columns.live.copy())
            return found
        found = Allowed(where.mask(columns) & columns.live)
        if len(self._masks) >= _CACHED_MASKS:
            self._masks = {}
        self._masks[where.text] = found
        return found

    def _excluded(self, exclude: Sequence[str]) -> Rows:
        if not exclude:
            return _NO_ROWS
        rows = self._state.columns.rows(exclude)
        return np.unique(rows[rows >= 0])

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


def _positive(k: int) -> int:
    if k < 1:
        raise QueryError(f"k is {k}", hint="Ask for at least one item.")
    return k


def _unknown_field(field: str, known: Sequence[str]) -> QueryError:
    return QueryError(
        f"there is no field {field} to search", hint=f"There are: {', '.join(known) or 'none'}."
    )
