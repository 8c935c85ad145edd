"""`tiepoint bench ingest`: vectors into the embedded store, against its parts by themselves.

The peer does the same work with nothing in between: Milvus Lite takes the rows, as many at a
time, and FAISS adds the vectors to a graph, one after the other.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from tiepoint.cli.json_file import json_option
from tiepoint.cli.output import say
from tiepoint.errors import InputError
from tiepoint.index.kinds.hnsw import CONSTRUCTION_BREADTH, LINKS
from tiepoint_adapters.benchmarks import search_engines as engines
from tiepoint_adapters.benchmarks.report import report
from tiepoint_adapters.benchmarks.vectors import RANK, Vectors, clustered, embeddings


@click.command("ingest", epilog="Example: tiepoint bench ingest --n 20000")
@click.option("--n", "count", default=20_000, show_default=True, help="Vectors to store.")
@click.option("--dim", default=256, show_default=True, help="Length of the vectors.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Vectors of an .npz, .hdf5 or .fvecs file, as `bench search` takes them.",
)
@click.option("--rounds", default=1, show_default=True, help="How often all take a turn.")
@json_option
def bench_ingest(
    count: int, dim: int, data: Path | None, rounds: int, json_file: Path | None
) -> None:
    """Storing vectors against bare Milvus Lite and bare FAISS."""
    if count < 1000 or dim < RANK or rounds < 1:
        raise InputError(
            f"n={count}, dim={dim}, rounds={rounds} is no sensible run",
            hint=f"Use n of at least 1000, dim of at least {RANK}, and a round or more.",
        )
    vectors = clustered(count, dim) if data is None else embeddings(data, count, dim)
    best = {"tiepoint": float("inf"), "milvus-lite": float("inf"), "faiss-hnsw": float("inf")}
    for turn in range(rounds):
        for name, run in (
            ("tiepoint", _tiepoint),
            ("milvus-lite", _milvus),
            ("faiss-hnsw", _faiss),
        ):
            say(f"round {turn + 1}: {name}")
            with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as folder:
                best[name] = min(best[name], run(Path(folder), vectors))
    parts = best["milvus-lite"] + best["faiss-hnsw"]
    seconds = {**best, "milvus-lite + faiss-hnsw": parts}
    rows = [
        {
            "engine": name,
            "seconds": round(taken, 2),
            "items/s": round(count / taken, 1),
            "times its parts": round(parts / taken, 2),
        }
        for name, taken in seconds.items()
    ]
    report(rows, json_file, f"Storing {count:,} x {dim}")


def _tiepoint(folder: Path, vectors: Vectors) -> float:
    with engines.host_of(folder / "tiepoint", vectors.shape[1]) as host:
        started = time.perf_counter()
        host.add(engines.items(vectors))
        return time.perf_counter() - started


def _milvus(folder: Path, vectors: Vectors) -> float:
    from tiepoint.indexing import MOST_ROWS

    client = engines.milvus_client(folder, vectors.shape[1])
    started = time.perf_counter()
    engines.insert(client, vectors, MOST_ROWS)
    taken = time.perf_counter() - started
    client.close()
    return taken


def _faiss(folder: Path, vectors: Vectors) -> float:
    import faiss

    from tiepoint.indexing import MOST_ROWS
    from tiepoint.threads import native_threads

    faiss.omp_set_num_threads(native_threads())  # as where tiepoint adds; a thread has its own
    index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = CONSTRUCTION_BREADTH
    started = time.perf_counter()
    for start in range(0, len(vectors), MOST_ROWS):
        index.add(vectors[start : start + MOST_ROWS])
    return time.perf_counter() - started
