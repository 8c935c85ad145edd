"""Searches that Milvus itself answers, where a server holds the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index import metrics
from tiepoint.index.analysis import plain, query_terms
from tiepoint.index.base import Candidates, Payload, Row
from tiepoint.index.filters import Filter, milvus_field, milvus_literal
from tiepoint.index.milvus_layout import Layout, present_field, vector_field, words_field
from tiepoint.types import MetadataValue

if TYPE_CHECKING:
    from tiepoint.index.milvus import MilvusStore

MAX_LIMIT = 16_384
"""Most rows that a Milvus server returns at once."""
_IDS_AT_ONCE = 1_000
_BACKGROUND_ROWS = 512


class PushedDownTier:
    """Answers a collection's routes by asking Milvus; holds nothing but a background sample.

    It stands in a collection where the serving tier stands for an embedded store.

    Args:
        store: An open store on a server, in which the collection was created.
        layout: How the collection lies there.

    Attributes:
        improved: Never: there is nothing to save.
    """

    improved = False

    def __init__(self, store: MilvusStore, layout: Layout) -> None:
        self.schema = layout.schema
        self._layout = layout
        self._store = store
        self._background: dict[str, Vectors] = {}

    def __len__(self) -> int:
        return self._store.count(self.schema.name)

    @property
    def sequence(self) -> int:
        """The store's own last sequence number: it is never behind itself."""
        return self._store.last_sequence(self.schema.name)

    def upsert(self, sequence: int, rows: Sequence[Row]) -> None:
        """Do nothing but forget the background: the store has the rows."""
        self._background.clear()

    def delete(self, sequence: int, ids: Sequence[str]) -> None:
        """Do nothing but forget the background: the store has the tombstones."""
        self._background.clear()

    def snapshot(self, folder: Path) -> None:
        """Do nothing: there is nothing to save."""

    def describe(self) -> dict[str, Any]:
        """Return what `health` shows."""
        return {"searched_by": "server"}

    def close(self) -> None:
        """Do nothing: there is nothing to free."""

    def reading(self) -> AbstractContextManager[None]:
        """Do nothing: a server promises nothing across calls."""
        return nullcontext()

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the digest of each of these items that exists, in the order asked."""
        found = {entity["id"]: entity["digest"] for entity in self._entities(ids, ["digest"])}
        return {item: found[item] for item in ids if item in found}

    def ids(self, most: int | None = None) -> list[str]:
        """Return the ids of all items, or of at most so many, as Milvus comes upon them."""
        name = self.schema.name
        if most is None:
            return [item for batch in self._store.ids(name) for item in batch]
        entities = self._store.query(name, "deleted == false", ["id"], limit=most)
        return [str(entity["id"]) for entity in entities]

    def search_vector(
        self, field: str, query: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> Candidates:
        found = self._search(
            [query],
            where,
            exclude,
            extra=f"{present_field(field)} == true",
            anns_field=vector_field(field),
            limit=min(k, MAX_LIMIT),
            search_params=self._layout.search_params(field, min(k, MAX_LIMIT)),
        )
        if self._metric(field) == "euclidean":  # Milvus answers with squares
            return Candidates(found.ids, -np.sqrt(found.scores))
        return found

    def search_items(
        self, field: str, query: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> tuple[Candidates, Sequence[Payload]]:
        found = self.search_vector(field, query, k, where, exclude)
        return found, self.payloads(found.ids)

    def search_vectors(
        self, field: str, queries: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> list[Candidates]:
        return [self.search_vector(field, query, k, where, exclude) for query in queries]

    def search_text(
        self, field: str, query: str, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> Candidates:
        terms = plain(query_terms(query, self.schema.texts[field]))
        if not terms:
            return Candidates([], np.empty(0, np.float32))
        return self._matching(field, terms, where, exclude, limit=min(k, MAX_LIMIT))

    def similarities(self, field: str, query: Vectors, ids: Sequence[str]) -> Vectors:
        output = [vector_field(field), present_field(field)]
        entities = [entity for entity in self._entities(ids, output) if entity[output[1]]]
        if not entities:
            return np.full(len(ids), np.nan, np.float32)
        vectors = np.array([entity[output[0]] for entity in entities], np.float32)
        scores = metrics.scores(self._metric(field), vectors, query).tolist()
        found = dict(zip((entity["id"] for entity in entities), scores, strict=True))
        return np.array([found.get(item, np.nan) for item in ids], np.float32)

    def _metric(self, field: str) -> Metric:
        return next(vector.metric for vector in self.schema.vectors if vector.name == field)

    def vectors(self, field: str, ids: Sequence[str]) -> Vectors:
        output = [vector_field(field), present_field(field)]
        dim = next(vector.dim for vector in self.schema.vectors if vector.name == field)
        found = np.full((len(ids), dim), np.nan, np.float32)
        stored = {
            entity["id"]: entity[output[0]]
            for entity in self._entities(ids, output)
            if entity[output[1]]
        }
        for position, item in enumerate(ids):
            if item in stored:
                found[position] = stored[item]
        return found

    def word_scores(self, field: str, query: str, ids: Sequence[str]) -> Vectors:
        found: dict[str, float] = {}
        terms = plain(query_terms(query, self.schema.texts[field]))
        for start in range(0, len(ids) if terms else 0, _IDS_AT_ONCE):
            among = ids[start : start + _IDS_AT_ONCE]
            listed = ", ".join(map(milvus_literal, among))
            hits = self._matching(
                field, terms, None, (), extra=f"id in [{listed}]", limit=len(among)
            )
            found.update(zip(hits.ids, hits.scores.tolist(), strict=True))
        return np.array([found.get(item, np.nan) for item in ids], np.float32)

    def background(self, field: str, query: Vectors) -> tuple[float, float]:
        sample = self._background.get(field)
        if sample is None:
            entities = self._store.query(
                self.schema.name,
                f"deleted == false and {present_field(field)} == true",
                [vector_field(field)],
                limit=_BACKGROUND_ROWS,
            )
            vectors = [np.asarray(entity[vector_field(field)], np.float32) for entity in entities]
            sample = np.stack(vectors) if vectors else np.zeros((0, len(query)), np.float32)
            self._background[field] = sample
        if len(sample) == 0:
            return 0.0, 0.0
        similarities = metrics.scores(self._metric(field), sample, query)
        return float(similarities.mean()), float(similarities.std())

    def matches(self, where: Filter, ids: Sequence[str]) -> NDArray[np.bool_]:
        passing = {entity["id"] for entity in self._entities(ids, [], where)}
        return np.array([item in passing for item in ids], np.bool_)

    def values(self, name: str, ids: Sequence[str]) -> list[MetadataValue | None]:
        output = milvus_field(name)
        found = {
            entity["id"]: self._layout.metadata_of(entity, [name]).get(name)
            for entity in self._entities(ids, [output])
        }
        return [found.get(item) for item in ids]

    def payloads(
        self, ids: Sequence[str]
    ) -> list[tuple[Mapping[str, MetadataValue], Mapping[str, str]]]:
        output = ["parts", *map(milvus_field, self.schema.metadata)]
        found = {
            entity["id"]: (self._layout.metadata_of(entity), dict(entity["parts"]))
            for entity in self._entities(ids, output)
        }
        return [found[item] for item in ids]

    def _matching(
        self,
        field: str,
        terms: str,
        where: Filter | None,
        exclude: Sequence[str],
        **options: Any,
    ) -> Candidates:
        found = self._search(
            [terms],
            where,
            exclude,
            anns_field=words_field(field),
            search_params={"metric_type": "BM25"},
            **options,
        )
        # Milvus Lite 3.2.2 gives BM25 scores as distances: below 0, the least one the best.
        return Candidates(found.ids, np.abs(found.scores))

    def _search(
        self,
        data: list[Any],
        where: Filter | None,
        exclude: Sequence[str],
        *,
        extra: str = "",
        **options: Any,
    ) -> Candidates:
        tests = ["deleted == false", extra]
        if where is not None:
            tests.append(where.to_milvus())
        if exclude:
            tests.append(f"id not in [{', '.join(map(milvus_literal, exclude))}]")
        expression = " and ".join(filter(None, tests))
        hits = self._store.search(self.schema.name, data, filter=expression, **options)
        return Candidates(
            [str(hit["id"]) for hit in hits],
            np.array([hit["distance"] for hit in hits], np.float32),
        )

    def _entities(
        self, ids: Sequence[str], output: list[str], where: Filter | None = None
    ) -> Iterator[Mapping[str, Any]]:
        for start in range(0, len(ids), _IDS_AT_ONCE):
            among = ", ".join(map(milvus_literal, ids[start : start + _IDS_AT_ONCE]))
            expression = f"id in [{among}] and deleted == false"
            if where is not None:
                expression += f" and {where.to_milvus()}"
            yield from self._store.query(self.schema.name, expression, ["id", *output])
