"""Asks labelled queries of a collection, and keeps what every route said of every candidate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiepoint.encoders.base import Vectors
from tiepoint.encoders.cache import EmbeddingCache
from tiepoint.encoders.pipeline import encode_parts
from tiepoint.errors import InputError
from tiepoint.fusion.collecting import ExampleCollector
from tiepoint.fusion.examples import FusionExamples
from tiepoint.fusion.labelled import LabelledQuery
from tiepoint.index.collection import Collection
from tiepoint.search import CollectionSearch
from tiepoint.types import Modality, Skipped

Progress = Callable[[int, int], None]
"""Told how many queries are done, and how many there are."""


@dataclass(frozen=True)
class Asked:
    """Labelled queries that were asked.

    Attributes:
        examples: What a fusion learns from.
        kept: Positions of the queries that could be asked, in the examples' order.
        skipped: Those that could not, with reasons.
        unknown: Relevant ids that the collection does not have.
    """

    examples: FusionExamples
    kept: tuple[int, ...]
    skipped: tuple[Skipped, ...]
    unknown: tuple[str, ...]


def ask(
    search: CollectionSearch,
    collection: Collection,
    queries: Sequence[LabelledQuery],
    cache: EmbeddingCache | None = None,
    *,
    vectors: bool = False,
    progress: Progress | None = None,
) -> Asked:
    """Ask labelled queries; their parts are encoded in batches.

    A query of whose relevant items the collection has none is skipped, as is one with a part
    that cannot be read.

    Args:
        search: What answers searches of the collection.
        collection: The collection.
        queries: The labelled queries.
        cache: Where vectors are looked up and kept.
        vectors: Whether the items' vectors are wanted, too.
        progress: Told of queries that were asked.

    Raises:
        InputError: No query can be used.
    """
    ids = list(dict.fromkeys(id_ for query in queries for id_ in query.relevant))
    known = set(collection.digests(ids))
    if not known:
        raise InputError(
            f"the collection {search.layout.schema.name!r} has none of the {len(ids)} relevant"
            f" items, such as {ids[0]!r}",
            hint="Index the items first, and give their ids as they are indexed.",
        )
    encoded = _encoded(search, queries, cache)
    fingerprints = search.layout.route_fingerprints()
    collector = ExampleCollector(fingerprints, len(collection), vectors=vectors)
    kept, skipped = [], []
    for number, query in enumerate(queries):
        relevant = known.intersection(query.relevant)
        try:
            if not relevant:
                raise InputError("no relevant item is in the collection")
            pool, routes = search.candidates_of(query.parts, encoded=encoded[number])
            collector.add(pool, routes, relevant)
            kept.append(number)
        except InputError as error:
            skipped.append(Skipped(" ".join(query.parts.values())[:80], error.what))
        if progress is not None:
            progress(number + 1, len(queries))
    if not kept:
        raise InputError(
            f"none of the {len(queries)} labelled queries can be asked: {skipped[0].reason}",
            where=skipped[0].where,
            hint="Check the queries and their relevant ids.",
        )
    unknown = tuple(id_ for id_ in ids if id_ not in known)
    return Asked(collector.finish(), tuple(kept), tuple(skipped), unknown)


def _encoded(
    search: CollectionSearch, queries: Sequence[LabelledQuery], cache: EmbeddingCache | None
) -> list[dict[tuple[str, Modality], Vectors]]:
    """Return the vectors of each query's parts; those that cannot be read are left out."""
    found: list[dict[tuple[str, Modality], Vectors]] = [{} for _ in queries]
    for modality, routes in search.layout.routes.items():
        rows = [row for row, query in enumerate(queries) if modality in query.parts]
        for encoder in {route.encoder.fingerprint: route.encoder for route in routes}.values():
            parts = [queries[row].parts[modality] for row in rows]
            made = encode_parts(encoder, parts, modality, cache)
            for position, row in enumerate(rows):
                if position not in made.errors:
                    vector = made.vectors[position : position + 1]
                    found[row][encoder.fingerprint, modality] = vector
    return found
