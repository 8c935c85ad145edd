"""`tiepoint bench query`: from one text to its joint vector, against the encoders called plainly.

Both use the same weights: MiniLM and USE-multilingual. The peer is what their packages offer, and
stops at their vectors; tiepoint goes on to the joint vector. They take turns at every text.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import click

from tiepoint.cli.json_file import json_option
from tiepoint_adapters.benchmarks.report import report

_WARMING = 5


@click.command("query", epilog="Example: tiepoint bench query --texts 200")
@click.option("--texts", default=200, show_default=True, help="Texts, each asked by itself.")
@click.option(
    "--preset", type=click.Choice(["fast", "accurate"]), default="fast", show_default=True
)
@json_option
def bench_query(texts: int, preset: str, json_file: Path | None) -> None:
    """Milliseconds from one text to a vector, against the packages of the same encoders."""
    rows = measure(texts, preset)
    report(rows, json_file, f"{texts:,} texts, one at a time, Host.embedded, {preset}")


def measure(count: int, preset: str) -> list[dict[str, Any]]:
    """Return rows for `tiepoint` and, at each number of threads, `packages`.

    Args:
        count: Number of texts.
        preset: Of the embedded default.
    """
    from tiepoint import Host
    from tiepoint_adapters.benchmarks.peers import packages_loop, thread_counts
    from tiepoint_adapters.benchmarks.sentences import sentences

    texts = [text.partition(", and ")[0] for text in sentences(count + _WARMING)]
    with (
        tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as name,
        Host.embedded(name, preset=preset) as host,
    ):
        host.warm_up()
        engines: dict[tuple[str, int | None], Callable[[str], Any]] = {
            ("tiepoint", None): lambda text: host.embed(text=[text])
        }
        for threads in thread_counts():
            engines["packages", threads] = packages_loop(threads)
        took: dict[tuple[str, int | None], list[float]] = {key: [] for key in engines}
        for number, text in enumerate(texts):
            for key, encode in engines.items():
                started = time.perf_counter()
                encode(text)
                if number >= _WARMING:
                    took[key].append((time.perf_counter() - started) * 1000)
    return _rows(took)


def _rows(took: dict[tuple[str, int | None], list[float]]) -> list[dict[str, Any]]:
    best = min(median(values) for (engine, _), values in took.items() if engine == "packages")
    return [
        {
            "engine": engine,
            "threads": threads,
            "p50_ms": round(median(values), 2),
            "p95_ms": round(_p95(values), 2),
            "times_faster": round(best / median(values), 2),
        }
        for (engine, threads), values in took.items()
    ]


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
