"""The engines of `tiepoint bench search`, each over the same unit vectors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.cli.output import say
from tiepoint.host import Host
from tiepoint.index.kinds.hnsw import CONSTRUCTION_BREADTH, LINKS
from tiepoint.index.tier import ServingTier
from tiepoint.types import Item
from tiepoint_adapters.benchmarks.vectors import Vectors

Numbers = NDArray[np.int64]
Search = Callable[[Vectors], Any]
"""(n, dim) queries in, what the engine answers with out."""

BREADTHS = (10, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 192, 256, 384, 512)
BUCKETS = 1000
COLLECTION = "vectors"
_INSERTED_AT_ONCE = 5000
_ADDED_AT_ONCE = 100_000


@dataclass(slots=True)
class Engine:
    """One engine, filled.

    Attributes:
        name: As it stands in the table.
        search: One query or several; this is what is timed.
        numbers: Turns its answer into the (n, k) numbers of the best vectors.
        slow: Whether it takes milliseconds, and is asked less often.
        breadths: What its breadth may be; empty where it has none.
        choose: Sets its breadth.
        breadth: As tuned, None where there is none.
    """

    name: str
    search: Search
    numbers: Callable[[Any], Numbers] = np.asarray
    slow: bool = False
    breadths: tuple[int, ...] = ()
    choose: Callable[[int], None] | None = None
    breadth: int | None = None

    def found(self, queries: Vectors) -> Numbers:
        """Return the (n, k) numbers of the best vectors."""
        return self.numbers(self.search(queries))


def host_of(folder: Path, dim: int, kind: str = "auto", recall: float = 0.99) -> Host:
    """Return a host on an embedded store with one field of given vectors."""
    from tiepoint.config.models import Deployment

    deployment = {
        "version": 1,
        "store": {"uri": str(folder)},
        "collections": {
            COLLECTION: {
                "fields": {"vector": {"dimensions": dim}},
                "metadata": {"bucket": "int"},
                "index": {"kind": kind, "recall": recall},
            }
        },
    }
    return Host(Deployment.model_validate(deployment))


def buckets(count: int) -> Numbers:
    """Return (count,) the bucket of each vector, of a thousand: what filters ask for."""
    return np.random.default_rng(1).permutation(count) % BUCKETS


def items(vectors: Vectors) -> Iterator[Item]:
    """Yield the vectors as items, with their numbers as ids."""
    for number, (vector, bucket) in enumerate(
        zip(vectors, buckets(len(vectors)).tolist(), strict=True)
    ):
        yield Item(str(number), parts={"vector": vector}, metadata={"bucket": bucket})


def tiepoint(host: Host, k: int, where: str | None = None) -> Engine:
    """Return `host.search` for one query, `host.search_many` for several."""

    def search(queries: Vectors) -> list[list[str]]:
        if len(queries) == 1:
            return [[hit.id for hit in host.search(vector=queries[0], k=k, where=where)]]
        return [found.ids for found in host.search_many(queries, k=k, where=where).found]

    def numbers(ids: list[list[str]]) -> Numbers:
        return np.array([[int(id_) for id_ in own] for own in ids])

    tier = host.collection().tier
    proposer = tier.vector_index("vector").proposer if isinstance(tier, ServingTier) else None
    if proposer is None:
        return Engine("tiepoint", search, numbers)
    ladder = proposer.ladder()

    def choose(step: int) -> None:
        proposer.effort, proposer.shortcut = ladder[step], None

    return Engine("tiepoint", search, numbers, breadths=(*range(len(ladder)),), choose=choose)


def numpy_exact(vectors: Vectors, k: int) -> Engine:
    """Return the exact search in NumPy, on all threads of its BLAS."""

    def search(queries: Vectors) -> Numbers:
        scores = queries @ vectors.T
        best = np.argpartition(-scores, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1)
        return np.take_along_axis(best, order, 1)

    return Engine("numpy", search, slow=True)


def faiss_flat(vectors: Vectors, k: int) -> Engine:
    """Return FAISS's exact search."""
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return Engine("faiss-flat", lambda queries: index.search(queries, k)[1], slow=True)


def faiss_hnsw(vectors: Vectors, k: int) -> Engine:
    """Return FAISS's HNSW with the links and construction that tiepoint uses."""
    import faiss

    index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = CONSTRUCTION_BREADTH
    for start in range(0, len(vectors), _ADDED_AT_ONCE):
        index.add(vectors[start : start + _ADDED_AT_ONCE])
        if index.ntotal < len(vectors):
            say(f"faiss-hnsw: {index.ntotal:,} added")

    def choose(breadth: int) -> None:
        index.hnsw.efSearch = breadth

    return Engine(
        "faiss-hnsw",
        lambda queries: index.search(queries, k)[1],
        breadths=BREADTHS,
        choose=choose,
    )


def usearch(vectors: Vectors, k: int) -> Engine:
    """Return USearch's HNSW, of the same links and construction."""
    from usearch.index import Index

    index = Index(
        ndim=vectors.shape[1],
        metric="ip",
        dtype="f32",
        connectivity=LINKS,
        expansion_add=CONSTRUCTION_BREADTH,
    )
    index.add(np.arange(len(vectors)), vectors)

    def search(queries: Vectors) -> Numbers:
        keys: NDArray[Any] = index.search(queries, k).keys
        return keys.reshape(len(queries), -1).astype(np.int64)

    def choose(breadth: int) -> None:
        index.expansion_search = breadth

    return Engine("usearch", search, breadths=BREADTHS, choose=choose)


def lancedb(vectors: Vectors, k: int, folder: Path) -> Engine:
    """Return LanceDB's inverted lists with quantised vectors, refined."""
    import lancedb as lance
    import pyarrow as arrow

    rows = arrow.FixedSizeListArray.from_arrays(arrow.array(vectors.reshape(-1)), vectors.shape[1])
    table = lance.connect(str(folder / "lance")).create_table(
        "vectors", arrow.table({"id": arrow.array(np.arange(len(vectors))), "vector": rows})
    )
    table.create_index(metric="cosine", vector_column_name="vector", index_type="IVF_PQ")
    probes = [1]

    def search(queries: Vectors) -> Numbers:
        found = [
            table.search(query)
            .distance_type("cosine")
            .nprobes(probes[0])
            .refine_factor(10)
            .select(["id", "_distance"])
            .limit(k)
            .to_arrow()["id"]
            .to_numpy()
            for query in queries
        ]
        return np.stack(found)

    def choose(breadth: int) -> None:
        probes[0] = breadth

    return Engine("lancedb", search, slow=True, breadths=(4, 16, 64, 256), choose=choose)


def milvus_lite(vectors: Vectors, k: int, folder: Path) -> Engine:
    """Return Milvus Lite's own HNSW search."""
    client = milvus_client(folder, vectors.shape[1])
    insert(client, vectors)
    client.flush(COLLECTION)
    # Indexed when everything is there; before, its answers would come from an exact search.
    index = client.prepare_index_params()
    construction = {"M": LINKS, "efConstruction": CONSTRUCTION_BREADTH}
    index.add_index("vector", index_type="HNSW", metric_type="IP", params=construction)
    client.create_index(COLLECTION, index)
    client.load_collection(COLLECTION)
    parameters: dict[str, Any] = {}

    def search(queries: Vectors) -> Numbers:
        found = client.search(
            COLLECTION,
            list(queries),
            limit=k,
            search_params={"metric_type": "IP", "params": parameters},
        )
        return np.array([[int(hit["id"]) for hit in hits] for hits in found])

    def choose(breadth: int) -> None:
        parameters["ef"] = breadth

    return Engine("milvus-lite", search, slow=True, breadths=BREADTHS[::3], choose=choose)


def milvus_client(folder: Path, dim: int) -> Any:
    """Return a client of a new embedded store with one collection, not indexed."""
    from pymilvus import DataType, MilvusClient

    # pymilvus asks Milvus Lite for a time stamp, goes on without, and gRPC logs a traceback.
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    client = MilvusClient(str(folder / "peer.db"))
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection(COLLECTION, schema=schema)
    return client


def insert(client: Any, vectors: Vectors, at_once: int = _INSERTED_AT_ONCE) -> None:
    """Insert vectors with their numbers as ids."""
    for start in range(0, len(vectors), at_once):
        step = vectors[start : start + at_once]
        rows = [{"id": start + number, "vector": vector} for number, vector in enumerate(step)]
        client.insert(COLLECTION, rows)


PEERS: dict[str, str] = {
    "numpy": "numpy",
    "faiss-flat": "faiss",
    "faiss-hnsw": "faiss",
    "usearch": "usearch",
    "milvus-lite": "milvus_lite",
    "lancedb": "lancedb",
}
"""The peers, with the module that each needs."""


def installed(names: tuple[str, ...]) -> list[str]:
    """Return those of the peers that can be imported."""
    return [name for name in names if find_spec(PEERS[name]) is not None]


def peer(name: str, vectors: Vectors, k: int, folder: Path) -> Engine:
    """Build a peer over the vectors."""
    match name:
        case "numpy":
            return numpy_exact(vectors, k)
        case "faiss-flat":
            return faiss_flat(vectors, k)
        case "faiss-hnsw":
            return faiss_hnsw(vectors, k)
        case "usearch":
            return usearch(vectors, k)
        case "milvus-lite":
            return milvus_lite(vectors, k, folder)
        case _:
            return lancedb(vectors, k, folder)
