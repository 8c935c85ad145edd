"""Answers from the state of a serving tier, beside whoever changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.errors import QueryError
from tiepoint.index.allowed import Allowed
from tiepoint.index.base import Candidates, CollectionSchema, Payload
from tiepoint.index.columns import RowPayloads
from tiepoint.index.field_vectors import Rows
from tiepoint.index.filters import Filter
from tiepoint.index.sharing import SharedLock
from tiepoint.index.tier_state import TierState
from tiepoint.index.vectors import VectorIndex
from tiepoint.types import MetadataValue

_NO_ROWS: Rows = np.empty(0, np.int64)
_CACHED_MASKS = 32


class TierReader:
    """A `Searcher` over the rows of a `TierState`; any number of threads may ask.

    A writer changes the state while it holds `_sharing` alone, and tells so by `_publish`.

    Args:
        schema: What the rows hold.
        state: The rows.
    """

    def __init__(self, schema: CollectionSchema, state: TierState) -> None:
        self.schema = schema
        self._state = state
        self._sequence = 0
        self._sharing = SharedLock()
        self._masks: dict[str, Allowed] = {}
        self._everything: Allowed | None = None

    @property
    def sequence(self) -> int:
        """The newest of the store's sequence numbers that the tier has."""
        return self._sequence

    def __len__(self) -> int:
        return len(self._state.columns.row_of)

    def _publish(self, state: TierState, sequence: int) -> None:
        if state.words is not None:
            state.words.publish()
        self._state = state
        self._sequence = max(self._sequence, sequence)
        self._masks, self._everything = {}, None

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


def _positive(k: int) -> int:
    if k < 1:
        raise QueryError(f"k is {k}", hint="Ask for at least one item.")
    return k


def _unknown_field(field: str, known: Sequence[str]) -> QueryError:
    return QueryError(
        f"there is no field {field} to search", hint=f"There are: {', '.join(known) or 'none'}."
    )
