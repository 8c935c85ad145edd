"""The engines of `tiepoint bench search`, each over the same unit vectors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.host import Host
from tiepoint.index.kinds.hnsw import CONSTRUCTION_BREADTH, LINKS
from tiepoint.types import Item

Vectors = NDArray[np.float32]
Search = Callable[[Vectors], list[int]]
"""One (dim,) query in, the numbers of the k best vectors out."""

RECALL = 0.99
_BREADTHS = (10, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 192, 256, 384, 512)
_COLLECTION = "vectors"
_INSERTED_AT_ONCE = 5000


def host_of(folder: Path, dim: int) -> Host:
    """Return a host on an embedded store with one field of given vectors."""
    from tiepoint.config.models import Deployment

    deployment = {
        "version": 1,
        "store": {"uri": str(folder)},
        "collections": {_COLLECTION: {"fields": {"vector": {"dimensions": dim}}}},
    }
    return Host(Deployment.model_validate(deployment))


def fill(host: Host, vectors: Vectors) -> None:
    """Add the vectors, with their numbers as ids."""
    host.add(Item(str(number), parts={"vector": vector}) for number, vector in enumerate(vectors))


def tiepoint(host: Host, k: int) -> Search:
    """Return `host.search`, from a query to hits with ids and scores."""

    def search(query: Vectors) -> list[int]:
        return [int(hit.id) for hit in host.search(vector=query, k=k)]

    return search


def exact(vectors: Vectors, k: int) -> Search:
    """Return the exact search in NumPy, on all threads of its BLAS."""

    def search(query: Vectors) -> list[int]:
        scores = vectors @ query
        best = np.argpartition(-scores, k)[:k]
        numbers: list[int] = best[np.argsort(-scores[best])].tolist()
        return numbers

    return search


def faiss_hnsw(
    vectors: Vectors, k: int, queries: Vectors, truth: list[set[int]]
) -> tuple[Search, int]:
    """Return FAISS's HNSW with the links and construction that tiepoint uses, and its breadth.

    The breadth is the least one that gives 0.99 recall on the very queries that are timed.
    """
    import faiss

    index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = CONSTRUCTION_BREADTH
    index.add(vectors)

    def search(query: Vectors) -> list[int]:
        numbers: list[int] = index.search(query[None], k)[1][0].tolist()
        return numbers

    for breadth in _BREADTHS:
        index.hnsw.efSearch = breadth
        if breadth >= k and recall(search, queries, truth) >= RECALL:
            break
    return search, breadth


def milvus_lite(
    folder: Path, vectors: Vectors, k: int, queries: Vectors, truth: list[set[int]]
) -> tuple[Search, int]:
    """Return Milvus Lite's own HNSW search, and its breadth, chosen like that of FAISS."""
    from pymilvus import DataType, MilvusClient

    # pymilvus asks Milvus Lite for a time stamp, goes on without, and gRPC logs a traceback.
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    client = MilvusClient(str(folder / "peer.db"))
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
    client.create_collection(_COLLECTION, schema=schema)
    for start in range(0, len(vectors), _INSERTED_AT_ONCE):
        step = vectors[start : start + _INSERTED_AT_ONCE]
        rows = [{"id": start + number, "vector": vector} for number, vector in enumerate(step)]
        client.insert(_COLLECTION, rows)
    client.flush(_COLLECTION)
    # Indexed when everything is there; before, its answers would come from an exact search.
    index = client.prepare_index_params()
    construction = {"M": LINKS, "efConstruction": CONSTRUCTION_BREADTH}
    index.add_index("vector", index_type="HNSW", metric_type="IP", params=construction)
    client.create_index(_COLLECTION, index)
    client.load_collection(_COLLECTION)
    parameters: dict[str, Any] = {}

    def search(query: Vectors) -> list[int]:
        found = client.search(
            _COLLECTION, [query], limit=k, search_params={"metric_type": "IP", "params": parameters}
        )
        return [int(hit["id"]) for hit in found[0]]

    for breadth in _BREADTHS[::3]:
        parameters["ef"] = breadth
        if breadth >= k and recall(search, queries, truth) >= RECALL:
            break
    return search, breadth


def recall(search: Search, queries: Vectors, truth: list[set[int]]) -> float:
    """Return the share of the true k best that a search finds."""
    found = sum(
        len(best.intersection(search(query))) for query, best in zip(queries, truth, strict=True)
    )
    return found / sum(len(best) for best in truth)
