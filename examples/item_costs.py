"""What an item costs: bytes on disk and in memory, seconds to write, by kind of index.

The figures of `docs/scale.md`. Memory is that of a process which opens the store, and a figure is
the difference between two stores, of which one has a quarter of the items: what a process takes
anyway is no cost of an item.

    python examples/item_costs.py --items 100000 --dim 256
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WORDS = ("red", "blue", "green", "bicycle", "river", "street", "night", "child", "dog", "market")
KINDS = ("hnsw", "int8", "binary")
BATCH = 4096


def deployment(folder: Path, dim: int, kind: str) -> dict[str, object]:
    """Return a deployment with one field of given vectors, one text and three values."""
    return {
        "version": 1,
        "store": {"uri": str(folder)},
        "collections": {
            "items": {
                "fields": {"image": {"dimensions": dim}, "text": {"words": True}},
                "metadata": {"price": "float", "colour": "string", "year": "int"},
                "index": {"kind": kind},
            }
        },
    }


def resident_bytes() -> int:
    """Return this process's anonymous memory: what is mapped from files is not counted."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def folder_bytes(folder: Path) -> int:
    """Return what the files below a folder take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def fill(folder: Path, count: int, dim: int, kind: str) -> float:
    """Write the items; gives the seconds."""
    from tiepoint.config.models import Deployment
    from tiepoint.host import Host
    from tiepoint.types import Item

    random = np.random.default_rng(3)
    centres = random.standard_normal((200, 24)).astype(np.float32)
    lift = random.standard_normal((24, dim)).astype(np.float32)
    with Host(Deployment.model_validate(deployment(folder, dim, kind))) as host:
        started = time.perf_counter()
        for start in range(0, count, BATCH):
            size = min(BATCH, count - start)
            noise = 0.4 * random.standard_normal((size, 24)).astype(np.float32)
            vectors = (centres[random.integers(200, size=size)] + noise) @ lift
            host.add(
                [
                    Item(
                        id=f"item-{start + i:09d}",
                        text=" ".join(random.choice(WORDS, 10)),
                        parts={"image": vectors[i]},
                        metadata={"price": float(i), "colour": WORDS[i % 3], "year": 2000 + i % 25},
                    )
                    for i in range(size)
                ]
            )
        return time.perf_counter() - started


def measure_open(folder: Path, dim: int, kind: str) -> dict[str, float]:
    """Open the filled store and ask it; gives memory, seconds to open, and a search's median."""
    from tiepoint.config.models import Deployment
    from tiepoint.host import Host

    started = time.perf_counter()
    with Host(Deployment.model_validate(deployment(folder, dim, kind))) as host:
        open_s = time.perf_counter() - started
        times = []
        for seed in range(200):
            query = np.random.default_rng(seed).standard_normal(dim)
            asked = time.perf_counter()
            host.search(vector={"image": query}, k=10)
            times.append(time.perf_counter() - asked)
        taken = resident_bytes()
    return {"memory": taken, "open_s": open_s, "p50_ms": 1000 * float(np.median(times))}


def opened(folder: Path, dim: int, kind: str) -> dict[str, float]:
    """Return what `measure_open` finds in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "open", str(folder), str(dim), kind],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure, or, where the first word is `open`, be the process that is measured."""
    if sys.argv[1:2] == ["open"]:
        print(json.dumps(measure_open(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    given = parser.parse_args()
    print("| kind | rows/s written | disk, B/item | of it the store | memory, B/item | p50 ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in given.kinds:
        with tempfile.TemporaryDirectory() as name:
            small, whole = Path(name) / "small", Path(name) / "whole"
            fill(small, given.items // 4, given.dim, kind)
            seconds = fill(whole, given.items, given.dim, kind)
            disk, store = folder_bytes(whole), folder_bytes(whole / "milvus")
            few, all_of_them = opened(small, given.dim, kind), opened(whole, given.dim, kind)
        memory = (all_of_them["memory"] - few["memory"]) / (given.items - given.items // 4)
        print(
            f"| {kind} | {given.items / seconds:,.0f} | {disk / given.items:,.0f} |"
            f" {store / given.items:,.0f} | {memory:,.0f} | {all_of_them['p50_ms']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
