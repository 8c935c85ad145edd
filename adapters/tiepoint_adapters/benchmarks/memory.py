"""How much memory an index takes: the growth of a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from tiepoint.errors import TiepointError
from tiepoint_adapters.benchmarks.vectors import Vectors


def growth_of_tier(folder: Path, dim: int, kind: str, recall: float, queries: Path, k: int) -> int:
    """Return the bytes by which a process grows by opening a tier and searching in it.

    Args:
        folder: Where its snapshot lies.
        dim: Length of its vectors.
        kind: Its index.
        recall: What that is tuned to.
        queries: An .npy file of vectors, which are all searched for.
        k: Neighbours to find.
    """
    return _grown("tier", str(folder), str(dim), kind, str(recall), str(queries), str(k))


def growth_of_faiss(vectors: Path, queries: Path, k: int) -> int:
    """Return the bytes by which a process grows by FAISS's HNSW over float32 vectors."""
    return _grown("faiss", str(vectors), str(queries), str(k))


def _grown(*arguments: str) -> int:
    module = "tiepoint_adapters.benchmarks.memory"
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True
    )
    if done.returncode:
        raise TiepointError(f"the memory cannot be measured: {done.stderr.strip()[-200:]}")
    return int(json.loads(done.stdout)["bytes"])


def _resident() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


def _tier(folder: str, dim: str, kind: str, recall: str, queries: Vectors, k: int) -> int:
    from tiepoint.config.collections import IndexSection
    from tiepoint.index.base import CollectionSchema
    from tiepoint.index.tier import ServingTier
    from tiepoint.routes import given_field
    from tiepoint_adapters.benchmarks.search_engines import COLLECTION

    schema = CollectionSchema(
        COLLECTION, (given_field("vector", int(dim), "cosine"),), {}, {"bucket": "int"}
    )
    options = IndexSection.model_validate({"kind": kind, "recall": float(recall)})
    # What the libraries take by being loaded is not the tier's.
    ServingTier(schema).search_vector("vector", queries[0], k, None, ())
    before = _resident()
    tier = ServingTier.load(Path(folder), schema, {"vector": options})
    assert tier is not None  # noqa: S101 - it was just written
    for query in queries:
        tier.search_vector("vector", query, k, None, ())
    return _resident() - before


def _faiss(path: str, queries: Vectors, k: int) -> int:
    import faiss

    from tiepoint.index.kinds.hnsw import LINKS

    vectors = np.load(path, mmap_mode="r")
    small = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    small.add(np.asarray(vectors[:1000]))
    before = _resident()
    index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    # Only the room is measured: the least thorough construction takes as much.
    index.hnsw.efConstruction = 1
    copy = np.array(vectors)
    index.add(copy)
    index.search(queries, k)
    del copy, vectors
    return _resident() - before


def _main(what: str, *arguments: str) -> None:
    *rest, queries, k = arguments
    asked = np.load(queries)
    if what == "tier":
        folder, dim, kind, recall = rest
        grown = _tier(folder, dim, kind, recall, asked, int(k))
    else:
        grown = _faiss(rest[0], asked, int(k))
    json.dump({"bytes": grown}, sys.stdout)


if __name__ == "__main__":
    _main(*sys.argv[1:])
