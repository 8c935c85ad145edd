"""`tiepoint bench serve`: many callers at once of a real service, against one at a time.

Server and callers are two processes on this machine, and share its cores. Every text is another
one, and so is every vector; the items are vectors in clusters, in the joint space of pictures
and texts.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tiepoint.cli.json_file import json_option
from tiepoint.cli.output import say
from tiepoint.errors import InputError, StoreError
from tiepoint_adapters.benchmarks.load import Load, load, request
from tiepoint_adapters.benchmarks.report import report
from tiepoint_adapters.benchmarks.sentences import phrases

_ROWS_AT_ONCE = 2000
_WARMING_S = 2.0
_DIFFERENT = 4096
_SERVE = "import sys; from tiepoint.cli.main import main; sys.exit(main())"


@click.command("serve", epilog="Example: tiepoint bench serve --clients 32 --seconds 20")
@click.option("--n", "items", default=100_000, show_default=True, help="Items to search in.")
@click.option("--clients", default=32, show_default=True, help="Callers at once.")
@click.option("--seconds", default=60.0, show_default=True, help="For how long, of each kind.")
@click.option("--k", default=10, show_default=True, help="Hits to find.")
@json_option
def bench_serve(items: int, clients: int, seconds: float, k: int, json_file: Path | None) -> None:
    """Requests a second of a service, by text and by vector, one at a time and many at once."""
    if items < 100 or clients < 2 or seconds < 1 or not 1 <= k <= 1000:
        raise InputError(
            f"n={items}, clients={clients}, seconds={seconds:g}, k={k} is no sensible load",
            hint="Use n of at least 100, 2 clients, 1 second, and k to 1000.",
        )
    with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as name:
        folder = Path(name)
        file = _deployment(folder)
        say(f"storing {items:,} items")
        queries = _fill(file, items)
        rows = _measure(file, queries, clients, seconds, k)
    report(rows, json_file, f"The {k} best of {items:,} items, over HTTP on this machine")


def _deployment(folder: Path) -> Path:
    from tiepoint.config.carried import deployment_text
    from tiepoint.embedded import embedded_deployment

    whole = json.loads(deployment_text(embedded_deployment(folder / "store")))
    whole["collections"]["items"]["fields"] = {"image": {"encoder": "photo"}}
    whole["server"] = {"port": 0, "limits": {"at_once": 1000, "per_minute": 10**9}}
    file = folder / "deploy.yaml"
    file.write_text(json.dumps(whole), "utf-8")
    return file


def _fill(file: Path, items: int) -> NDArray[np.float32]:
    """Store items with vectors of the joint space; returns others of the same clusters."""
    from tiepoint.host import Host
    from tiepoint.index.base import Row
    from tiepoint_adapters.benchmarks.vectors import clustered

    with Host.from_config(file) as host:
        collection = host.collection()
        [field] = [one for one in collection.schema.vectors if one.name.endswith("_joint")]
        vectors = clustered(items + _DIFFERENT, field.dim)
        for start in range(0, items, _ROWS_AT_ONCE):
            rows = [
                Row(str(number), {field.name: vectors[number]}, {}, {}, str(number))
                for number in range(start, min(start + _ROWS_AT_ONCE, items))
            ]
            with host.writing():
                collection.write(rows)
        return vectors[items:]


def _measure(
    file: Path, queries: NDArray[np.float32], clients: int, seconds: float, k: int
) -> list[dict[str, Any]]:
    kinds = {"text": _texts(k), "vector": _vectors(queries, k)}
    rows = []
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, "serve", str(file)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        found = re.match(r"ready: http://([\d.]+):(\d+)", process.stdout.readline())
        if found is None:
            raise StoreError("the service did not start", hint="See what it said above.")
        host, port = found.group(1), int(found.group(2))
        for kind, bodies in kinds.items():
            load(host, port, bodies, clients, _WARMING_S)
            alone = 0.0
            for callers in (1, clients):
                say(f"{kind}, {callers} at a time")
                before = _memory_mib(process.pid)
                measured = load(host, port, bodies, callers, seconds)
                row = _row(kind, callers, measured)
                alone = alone or row["requests_s"]
                row["times_one"] = round(row["requests_s"] / alone, 2)
                row["memory_mib"] = _memory_mib(process.pid)
                row["grown_mib"] = round(row["memory_mib"] - before, 1)
                rows.append(row)
    finally:
        process.terminate()
        process.wait()
    return rows


def _row(kind: str, callers: int, measured: Load) -> dict[str, Any]:
    if not measured.seconds:
        raise StoreError("no request was answered", hint="See what the service said above.")
    throughput = len(measured.seconds) / measured.lasted
    p50, p95, p99 = np.percentile(measured.seconds, [50, 95, 99]) * 1000
    return {
        "query": kind,
        "callers": callers,
        "requests_s": round(throughput, 1),
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "p99_ms": round(float(p99), 2),
        "p95_share": round(float(p95) / 1000 / (callers / throughput), 2),
        "errors": measured.errors,
    }


def _texts(k: int) -> Iterator[bytes]:
    for text in cycle(phrases()):
        yield request("/v1/search", json.dumps({"text": text, "k": k}).encode())


def _vectors(queries: NDArray[np.float32], k: int) -> Iterator[bytes]:
    made = [
        request("/v1/search", json.dumps({"vector": vector.tolist(), "k": k}).encode())
        for vector in queries.astype(np.float64).round(6)
    ]
    while True:
        yield from made


def _memory_mib(pid: int) -> float:
    """Return what a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
