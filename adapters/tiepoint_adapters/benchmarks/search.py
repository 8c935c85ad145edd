"""`tiepoint bench search`: neighbours of a vector, against peers in the same process.

The engines take turns at the same queries, round after round, so that whatever else the
machine does falls on all of them. Queries are asked one at a time. FAISS and tiepoint answer
one query on one thread; NumPy and Milvus Lite use all.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from tiepoint.cli.output import say
from tiepoint.errors import InputError
from tiepoint_adapters.benchmarks import search_engines as engines
from tiepoint_adapters.benchmarks.report import report
from tiepoint_adapters.benchmarks.search_engines import Search, Vectors

RANK = 24
QUERIES = 500
_CLUSTER_SIZE = 200
_ROUNDS = 5
_SLOW_QUERIES = 20  # a round of the engines that take milliseconds
_ONE, _ALL = "one", "all"


@click.command("search")
@click.option("--n", "count", default=100_000, show_default=True, help="Vectors to search in.")
@click.option("--dim", default=256, show_default=True, help="Length of the made vectors.")
@click.option("--k", default=10, show_default=True, help="Neighbours to find.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An .npz file: its first 2-D array of floats is searched, too.",
)
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file."
)
def bench_search(count: int, dim: int, k: int, data: Path | None, json_path: Path | None) -> None:
    """Vector search against bare FAISS, exact NumPy and Milvus Lite."""
    if not 1 <= k <= 100 or count < 1000 or dim < RANK:
        raise InputError(
            f"n={count}, dim={dim}, k={k} is no sensible search",
            hint=f"Use n of at least 1000, dim of at least {RANK}, and k from 1 to 100.",
        )
    kinds = [(f"clustered, rank {RANK}", clustered(count + QUERIES, dim))]
    if data is not None:
        kinds.append((data.name, embeddings(data, count + QUERIES)))
    rows = []
    for name, vectors in kinds:
        with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as folder:
            rows += measure(Path(folder), name, vectors, k)
    report(rows, json_path, f"The {k} nearest", apart="data")


def clustered(count: int, dim: int) -> Vectors:
    """Return (count, dim) unit vectors in clusters of about 200, within a space of rank 24.

    The spread within a cluster is half of that between clusters; a little noise fills the
    other dimensions.
    """
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((dim, RANK)))[0].astype(np.float32)
    clusters = max(count // _CLUSTER_SIZE, 1)
    centres = rng.standard_normal((clusters, RANK), np.float32)
    points = centres[rng.integers(0, clusters, count)]
    points += 0.5 * rng.standard_normal((count, RANK), np.float32)
    vectors = points @ basis.T + 0.02 * rng.standard_normal((count, dim), np.float32)
    return _unit(vectors)


def embeddings(path: Path, most: int) -> Vectors:
    """Return at most so many unit vectors of a file, shuffled.

    Raises:
        InputError: The file cannot be read, or holds no array of vectors.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = [stored[name] for name in stored.files]
    except (OSError, ValueError) as error:
        raise InputError(
            f"the file cannot be read ({error!s:.80})", where=str(path), hint="Give an .npz file."
        ) from error
    found = [array for array in arrays if array.ndim == 2 and array.dtype.kind == "f"]
    if not found or len(found[0]) < 2 * QUERIES:
        raise InputError(
            "the file holds no 2-D array of floats with enough rows",
            where=str(path),
            hint=f"Give at least {2 * QUERIES} vectors.",
        )
    return _unit(np.random.default_rng(0).permutation(found[0])[:most].astype(np.float32))


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit


def measure(folder: Path, name: str, vectors: Vectors, k: int) -> list[dict[str, Any]]:
    """Return a row for each engine, and one for opening.

    Args:
        folder: An empty folder for the stores.
        name: What the vectors are.
        vectors: (n, dim) unit vectors; the last 500 are the queries.
        k: Neighbours to find.
    """
    queries = vectors[-QUERIES:].copy()
    vectors = np.ascontiguousarray(vectors[:-QUERIES])
    name = f"{name} ({len(vectors):,} x {vectors.shape[1]})"
    say(f"{name}: the true neighbours")
    exact = engines.exact(vectors, k)
    truth = [set(exact(query)) for query in queries]
    few = slice(0, 5 * _SLOW_QUERIES)
    say(f"{name}: storing in tiepoint, and opening it again")
    host = engines.host_of(folder / "tiepoint", vectors.shape[1])
    with host:
        engines.fill(host, vectors)
    opening = _opening(folder / "tiepoint", vectors.shape[1], queries[0], k)
    say(f"{name}: building and tuning FAISS")
    bare, breadth = engines.faiss_hnsw(vectors, k, queries, truth)
    say(f"{name}: building and tuning Milvus Lite")
    milvus, milvus_breadth = engines.milvus_lite(folder, vectors, k, queries[few], truth[few])
    with engines.host_of(folder / "tiepoint", vectors.shape[1]) as host:
        found = {
            "tiepoint": (engines.tiepoint(host, k), _ONE, None),
            "faiss-hnsw": (bare, _ONE, breadth),
            "exact NumPy": (exact, _ALL, None),
            "milvus-lite": (milvus, _ALL, milvus_breadth),
        }
        say(f"{name}: timing")
        timings = _timings({engine: search for engine, (search, _, _) in found.items()}, queries)
        rows = [
            {
                "data": name,
                "engine": engine,
                "threads": threads,
                "ef": breadth,
                "recall@10" if k == 10 else f"recall@{k}": engines.recall(
                    search, queries[few], truth[few]
                )
                if engine == "milvus-lite"
                else engines.recall(search, queries, truth),
                **_figures(timings[engine]),
            }
            for engine, (search, threads, breadth) in found.items()
        ]
    return [*rows, {"data": name, "engine": "tiepoint, opening", **opening}]


def _timings(searches: dict[str, Search], queries: Vectors) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = defaultdict(list)
    for search in searches.values():
        search(queries[0])
    for turn in range(_ROUNDS):
        for engine, search in searches.items():
            slow = engine in ("exact NumPy", "milvus-lite")
            asked = queries[turn * _SLOW_QUERIES :][:_SLOW_QUERIES] if slow else queries
            for query in asked:
                started = time.perf_counter()
                search(query)
                seconds[engine].append(time.perf_counter() - started)
    return seconds


def _figures(seconds: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {
        "p50_ms": round(float(p50), 4),
        "p99_ms": round(float(p99), 4),
        "qps": round(len(seconds) / sum(seconds), 1),
    }


def _opening(folder: Path, dim: int, query: Vectors, k: int) -> dict[str, float]:
    """Time from opening to the first answer, with the snapshot and without."""
    figures = {}
    for key in ("open_s", "rebuild_s"):
        started = time.perf_counter()
        host = engines.host_of(folder, dim)
        with host:
            host.search(vector=query, k=k)
            figures[key] = round(time.perf_counter() - started, 3)
        if key == "open_s":
            for snapshot in folder.rglob("snapshot-*"):
                shutil.rmtree(snapshot)
    return figures
