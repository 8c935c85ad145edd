"""`tiepoint bench search`: neighbours of a vector, against peers in the same process.

The engines take turns at the same queries, round after round, so that whatever else the
machine does falls on all of them. FAISS, USearch and tiepoint answer one query on one thread
and a batch on all. Each engine is tuned to the least breadth that reaches the recall; where the
tier finds more than it was asked for, its peers have to find as much. An answer counts as right
if it is as near as the true k-th neighbour, as ann-benchmarks has it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from tiepoint.cli.json_file import json_option
from tiepoint.cli.output import say
from tiepoint.errors import InputError
from tiepoint.host import Host
from tiepoint.types import AddReport
from tiepoint_adapters.benchmarks import search_engines as engines
from tiepoint_adapters.benchmarks.memory import growth_of_faiss, growth_of_tier
from tiepoint_adapters.benchmarks.report import report
from tiepoint_adapters.benchmarks.search_engines import Engine
from tiepoint_adapters.benchmarks.timing import Truth, curve_of, figures, timings, truth_of, tune
from tiepoint_adapters.benchmarks.vectors import QUERIES, RANK, Vectors, clustered, embeddings

BATCH = 100
SELECTIVITIES = (0.001, 0.01, 0.1, 0.5)
KINDS = ("auto", "exact", "hnsw", "ivf", "lsh", "int8", "binary")


@click.command(
    "search",
    epilog="Example: tiepoint bench search --n 20000 --peer faiss-hnsw --json figures.json",
)
@click.option("--n", "count", default=100_000, show_default=True, help="Vectors to search in.")
@click.option("--dim", default=256, show_default=True, help="Length of the vectors.")
@click.option("--k", default=10, show_default=True, help="Neighbours to find.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Vectors of an .npz, .hdf5 or .fvecs file: brought to --dim by principal components"
    " and repeated with noise up to --n. Made, clustered ones if not given.",
)
@click.option("--kind", type=click.Choice(KINDS), default="auto", show_default=True)
@click.option("--recall", default=0.99, show_default=True, help="What all are tuned to.")
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice([*engines.PEERS, "none"]),
    help="Against which peers (repeatable); all that are installed if not given.",
)
@click.option("--memory", is_flag=True, help="Measure memory, in processes of their own.")
@click.option(
    "--no-rebuild",
    is_flag=True,
    help="Leave out building the index again from the store, which takes minutes for a million.",
)
@click.option(
    "--curve",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw recall against queries per second (.png or .svg; needs matplotlib).",
)
@json_option
def bench_search(
    count: int,
    dim: int,
    k: int,
    data: Path | None,
    kind: str,
    recall: float,
    peers: tuple[str, ...],
    memory: bool,
    no_rebuild: bool,
    curve: Path | None,
    json_file: Path | None,
) -> None:
    """Vector search against bare FAISS, USearch, Milvus Lite and LanceDB."""
    if not 1 <= k <= 100 or count < 1000 or dim < RANK or not 0.5 <= recall <= 1:
        raise InputError(
            f"n={count}, dim={dim}, k={k}, recall={recall} is no sensible search",
            hint=f"Use n of at least 1000, dim of at least {RANK}, k from 1 to 100,"
            " and a recall from 0.5 to 1.",
        )
    if data is None:
        name, vectors = f"clustered, rank {RANK}", clustered(count + QUERIES, dim)
    else:
        name, vectors = data.name, embeddings(data, count + QUERIES, dim)
    names = engines.installed(peers or tuple(engines.PEERS)) if "none" not in peers else []
    with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as folder:
        bench = _Bench(Path(folder), name, vectors, k, kind, recall)
        rows = bench.measure(names, memory=memory, rebuild=not no_rebuild)
        if curve is not None:
            bench.draw(curve)
    report(rows, json_file, f"The {k} nearest", apart=("part", "data"))


class _Bench:
    """One data set, with every engine over it.

    Args:
        folder: An empty folder for the stores.
        name: What the vectors are.
        vectors: (n, dim) unit vectors; the last 500 are the queries.
        k: Neighbours to find.
        kind: Which index tiepoint has.
        recall: What all are tuned to.
    """

    def __init__(
        self, folder: Path, name: str, vectors: Vectors, k: int, kind: str, recall: float
    ) -> None:
        self.queries = vectors[-QUERIES:].copy()
        self.vectors = np.ascontiguousarray(vectors[:-QUERIES])
        self.name = f"{name} ({len(self.vectors):,} x {vectors.shape[1]})"
        self.folder, self.k, self.kind, self.recall = folder, k, kind, recall
        self.truth = truth_of(self.vectors, self.queries, k)
        self.peers: list[Engine] = []

    def host(self) -> Host:
        return engines.host_of(
            self.folder / "tiepoint", self.vectors.shape[1], self.kind, self.recall
        )

    def measure(self, names: list[str], *, memory: bool, rebuild: bool) -> list[dict[str, Any]]:
        """Return the rows of all tables."""
        opening = {"store_s": self._store(), **self._opening(rebuild)}
        with self.host() as host:
            # Where the tier finds more than it was asked for, its peers have to as well.
            own = engines.tiepoint(host, self.k).found(self.queries)
        recall = max(self.recall, self.truth.recall(own))
        for name in names:
            say(f"{self.name}: building and tuning {name}")
            engine = engines.peer(name, self.vectors, self.k, self.folder)
            tune(engine, self.queries, self.truth, recall)
            self.peers.append(engine)
        with self.host() as host:
            ours = engines.tiepoint(host, self.k)
            described = host.health()["collections"][engines.COLLECTION]["tier"]["vectors"][
                "vector"
            ]
            say(f"{self.name}: {described['search']} ({described['why']})")
            rows = self._compare([ours, *self.peers], described)
            say(f"{self.name}: filters")
            rows += self._filtered(host)
        rows.append({"part": "opening", "data": self.name, "engine": "tiepoint", **opening})
        if memory:
            say(f"{self.name}: memory")
            rows += self._memory()
        return rows

    def draw(self, path: Path) -> None:
        """Draw the curves of the engines; after `measure`."""
        from tiepoint_adapters.benchmarks.curve import draw

        say(f"{self.name}: curves")
        with self.host() as host:
            points = {
                engine.name: curve_of(engine, self.queries, self.truth)
                for engine in [engines.tiepoint(host, self.k), *self.peers]
                if not engine.slow
            }
        draw(points, path, self.name, self.k)

    def _store(self) -> float:
        """Store the vectors; gives the seconds, of which building the index takes a part."""
        say(f"{self.name}: storing in tiepoint")
        every, shown = len(self.vectors) // 10, 0

        def progress(done: AddReport) -> None:
            nonlocal shown
            if done.added // every > shown:
                shown = done.added // every
                say(f"{self.name}: {done.added:,} stored")

        with self.host() as host:
            started = time.perf_counter()
            host.add(engines.items(self.vectors), progress=progress)
            return round(time.perf_counter() - started, 1)

    def _compare(self, found: list[Engine], described: dict[str, Any]) -> list[dict[str, Any]]:
        rows = []
        for part, size in (("one query", 1), (f"batches of {BATCH}", BATCH)):
            say(f"{self.name}: timing {part}")
            seconds = timings(found, self.queries, size)
            for engine in found:
                answers = slice(0, BATCH if engine.slow else QUERIES)
                rows.append(
                    {
                        "part": part,
                        "data": self.name,
                        "engine": engine.name,
                        "kind": described["search"] if engine.name == "tiepoint" else None,
                        "breadth": described.get("breadth")
                        if engine.name == "tiepoint"
                        else engine.breadth,
                        f"recall@{self.k}": self.truth.recall(
                            engine.found(self.queries[answers]), answers
                        ),
                        **figures(seconds[engine.name], size),
                    }
                )
        return rows

    def _filtered(self, host: Host) -> list[dict[str, Any]]:
        plain = engines.tiepoint(host, self.k)
        bucket = engines.buckets(len(self.vectors))
        asked: list[tuple[float, Engine, Truth]] = [(1.0, plain, self.truth)]
        for share in SELECTIVITIES:
            limit = round(share * engines.BUCKETS)
            engine = engines.tiepoint(host, self.k, f"bucket < {limit}")
            engine.name = f"{share:g}"
            truth = truth_of(self.vectors, self.queries, self.k, np.flatnonzero(bucket < limit))
            asked.append((share, engine, truth))
        seconds = timings([engine for _, engine, _ in asked], self.queries, 1)
        usual = float(np.median(seconds[plain.name]))
        return [
            {
                "part": "filters",
                "data": self.name,
                "share that passes": share,
                f"recall@{self.k}": truth.recall(
                    np.concatenate([engine.found(query[None]) for query in self.queries])
                ),
                "times unfiltered": round(float(np.median(seconds[engine.name])) / usual, 2),
                **figures(seconds[engine.name], 1),
            }
            for share, engine, truth in asked
        ]

    def _opening(self, rebuild: bool) -> dict[str, float]:
        """Time from opening to the first answer, with the snapshot and without."""
        say(f"{self.name}: opening it")
        found = {"open_s": self._first_answer()}
        if rebuild:
            say(f"{self.name}: building the index again")
            for snapshot in self.folder.rglob("snapshot-*"):
                shutil.rmtree(snapshot)
            found["rebuild_s"] = self._first_answer()
        return found

    def _first_answer(self) -> float:
        started = time.perf_counter()
        with self.host() as host:
            host.search(vector=self.queries[0], k=self.k)
            return round(time.perf_counter() - started, 3)

    def _memory(self) -> list[dict[str, Any]]:
        queries = self.folder / "queries.npy"
        np.save(queries, self.queries)
        [snapshot] = (self.folder / "tiepoint" / "tiers" / engines.COLLECTION).glob("*/snapshot-*")
        tier = growth_of_tier(
            snapshot.parent, self.vectors.shape[1], self.kind, self.recall, queries, self.k
        )
        flat = self.folder / "vectors.npy"
        np.save(flat, self.vectors)
        bare = growth_of_faiss(flat, queries, self.k)
        return [
            {
                "part": "memory",
                "data": self.name,
                "engine": engine,
                "MiB": round(size / 2**20, 1),
                "bytes an item": round(size / len(self.vectors)),
                "times float32 HNSW": round(size / bare, 3),
            }
            for engine, size in (("tiepoint's tier", tier), ("faiss-hnsw", bare))
        ]
