"""The contracts of the index: a schema, rows, a durable store, and a searcher in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import Language, MetadataType, Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index.filters import Filter
from tiepoint.types import MetadataValue

SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class VectorField:
    """A vector field: vectors of one origin, compared by one metric.

    Attributes:
        name: Its name in the store, such as `image` or `image_joint`.
        dim: Length of its vectors.
        fingerprint: What made the vectors (an encoder's or an aligner's fingerprint); data
            with another fingerprint are refused.
        metric: How they are compared. For `cosine` they have unit length.
    """

    name: str
    dim: int
    fingerprint: str
    metric: Metric = "cosine"


@dataclass(frozen=True, slots=True)
class TextAnalysis:
    """How a text becomes the terms that BM25 counts.

    Attributes:
        languages: Whose stop words go; the first one but Chinese is stemmed. Chinese is always
            segmented.
        stop_words: Further words that do not count.
    """

    languages: tuple[Language, ...] = ("english", "chinese")
    stop_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectionSchema:
    """What the rows of a collection hold.

    Attributes:
        name: The collection's name.
        vectors: Its vector fields.
        texts: The fields whose text is indexed for BM25, with how it is analysed.
        metadata: The typed metadata, by name.
    """

    name: str
    vectors: tuple[VectorField, ...]
    texts: Mapping[str, TextAnalysis] = field(default_factory=dict)
    metadata: Mapping[str, MetadataType] = field(default_factory=dict)


@dataclass(slots=True)
class Row:
    """An item as it is stored.

    Attributes:
        id: The item's id.
        vectors: (dim,) float32 unit vectors by vector field; a missing part has no entry.
        metadata: Values by name; a missing value has no entry.
        parts: What is kept of each part: the text itself, or the path of a file. The texts
            that BM25 indexes are the parts of the fields named in `CollectionSchema.texts`.
        digest: Hash of the parts' content, the metadata and the encoders; equal digests mean
            that the item need not be written again.
    """

    id: str
    vectors: dict[str, Vectors]
    metadata: dict[str, MetadataValue]
    parts: dict[str, str]
    digest: str


Payload = tuple[Mapping[str, MetadataValue], Mapping[str, str]]
"""The metadata and the parts of an item."""


class Candidates(NamedTuple):
    """The best items of one route, best first: ids, and (n,) float32 similarities."""

    ids: list[str]
    scores: Vectors


class Store(Protocol):
    """Where collections are durable (entry points: `tiepoint.stores`).

    Every row carries a sequence number that grows with each write, so that what is derived
    from the store can catch up; a deletion is a write too (a tombstone) until `purge`.
    """

    def open(self) -> None: ...
    def close(self) -> None: ...

    def create(self, schema: CollectionSchema) -> None:
        """Create the collection, or check that the stored one has this schema.

        Raises:
            FingerprintError: The stored vectors come from another encoder or aligner.
            SchemaError: The stored fields or metadata differ.
        """

    def upsert(self, name: str, rows: Sequence[Row]) -> int:
        """Write rows, replacing those of the same id; durable on return. Gives the sequence."""

    def delete(self, name: str, ids: Sequence[str]) -> int:
        """Write tombstones; durable on return. Gives the sequence."""

    def purge(self, name: str, up_to: int) -> None:
        """Remove tombstones with a sequence number of at most `up_to`."""

    def scan(
        self, name: str, after: int = 0, page: int | None = None
    ) -> Iterator[list[tuple[int, Row | str]]]:
        """Yield batches of (sequence, row), or (sequence, id) for a tombstone.

        A batch is in any order, its numbers all above those of the batch before. `page` is
        about how many rows to read at once; the store's own choice if not given.
        """

    def identity(self, name: str) -> str:
        """Return what names this very collection for as long as it is stored.

        What is derived from another collection, though of the same schema, is not its own.
        """

    def last_sequence(self, name: str) -> int: ...
    def count(self, name: str) -> int: ...
    def health(self) -> dict[str, Any]: ...

    def pushed_down(self, schema: CollectionSchema) -> Tier | None:
        """Return what answers searches in the store itself, None if it holds data only."""


class Searcher(Protocol):
    """Answers the routes of a collection; `where` is a parsed filter or None."""

    def __len__(self) -> int: ...

    def reading(self) -> AbstractContextManager[None]:
        """Hold writes back in the `with` block, so that its calls see the same items."""

    def search_vector(
        self, field: str, query: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> Candidates:
        """Return up to k nearest items by the field's metric; query is a (dim,) vector."""

    def search_items(
        self, field: str, query: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> tuple[Candidates, Sequence[Payload]]:
        """Return what `search_vector` does, with the payload of each item."""

    def search_vectors(
        self, field: str, queries: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> list[Candidates]:
        """Return up to k nearest items of each of the (n, dim) queries."""

    def search_text(
        self, field: str, query: str, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> Candidates:
        """Return up to k best items by BM25; a query without a known word gives none."""

    def similarities(self, field: str, query: Vectors, ids: Sequence[str]) -> Vectors:
        """Return (n,) exact scores, NaN for an item without this vector."""

    def vectors(self, field: str, ids: Sequence[str]) -> Vectors:
        """Return (n, dim) float32 stored vectors, NaN for an item without this vector."""

    def word_scores(self, field: str, query: str, ids: Sequence[str]) -> Vectors:
        """Return (n,) BM25 scores, NaN for an item without a matching word."""

    def background(self, field: str, query: Vectors) -> tuple[float, float]:
        """Return mean and standard deviation of the query's scores of ordinary items."""

    def matches(self, where: Filter, ids: Sequence[str]) -> NDArray[np.bool_]:
        """Return which of these items pass a filter."""

    def values(self, name: str, ids: Sequence[str]) -> list[MetadataValue | None]:
        """Return a metadata field's value of each item, None where it has none."""

    def payloads(
        self, ids: Sequence[str]
    ) -> list[tuple[Mapping[str, MetadataValue], Mapping[str, str]]]:
        """Return (metadata, parts) of each item."""


class Tier(Searcher, Protocol):
    """What stands in front of a store: answers searches, and is told of every write."""

    schema: CollectionSchema
    improved: bool
    """Whether there is something to save though nothing was written."""

    @property
    def sequence(self) -> int:
        """The last sequence number that it has."""

    def upsert(self, sequence: int, rows: Sequence[Row]) -> None:
        """Take over rows that the store has, up to this sequence number."""

    def delete(self, sequence: int, ids: Sequence[str]) -> None:
        """Take over deletions that the store has, up to this sequence number."""

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the digest of each of these items that exists."""

    def ids(self, most: int | None = None) -> list[str]:
        """Return the ids of all items, or of at most so many, spread over the collection."""

    def snapshot(self, folder: Path) -> None:
        """Save it; either the old or the new snapshot is there after a kill."""

    def describe(self) -> dict[str, Any]:
        """Return what `health` shows of it."""

    def close(self) -> None:
        """Free memory and temporary files."""
