"""`tiepoint bench engines`: Ray workers on this machine against one process on all its cores."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click

from tiepoint.cli.json_file import json_option
from tiepoint.cli.output import say
from tiepoint_adapters.benchmarks.report import report

WARM_UP = 128
"""Pictures that go in first, so that workers are up and have their encoders: two batches."""


@click.command("engines", epilog="Example: tiepoint bench engines --images 2000 --workers 2")
@click.option("--images", default=2000, show_default=True, help="JPEG files to make and encode.")
@click.option("--workers", default=2, show_default=True, help="Ray workers, of one core each.")
@click.option("--rounds", default=3, show_default=True, help="Times that the engines take turns.")
@json_option
def bench_engines(images: int, workers: int, rounds: int, json_file: Path | None) -> None:
    """Images a second from files to the store, by engine: this process alone, and Ray."""
    engines: dict[str, dict[str, Any]] = {
        "local": {"type": "local"},
        f"ray, {workers} workers": {"type": "ray", "workers": workers},
    }
    with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as name:
        rows = measure(Path(name), engines, images, rounds)
    report(rows, json_file, f"{images:,} JPEG files of 500x375, from disk to the store")


def measure(
    folder: Path, engines: dict[str, dict[str, Any]], count: int, rounds: int
) -> list[dict[str, Any]]:
    """Return a row for each engine; the first is what the others are compared with.

    Args:
        folder: An empty folder for the files and the stores.
        engines: The `engine` section of the deployment, by what to call it.
        count: Number of files.
        rounds: Times that the engines take turns.
    """
    from tiepoint_adapters.benchmarks.photographs import write_photographs

    (folder / "photographs").mkdir()
    files = write_photographs(folder / "photographs", WARM_UP + count)
    speeds: dict[str, list[float]] = {name: [] for name in engines}
    starts: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(rounds):
        for number, (name, engine) in enumerate(engines.items()):
            say(f"round {turn + 1}: {name}")
            start_s, speed = _fill(folder / f"{turn}-{number}", engine, files)
            starts[name].append(start_s)
            speeds[name].append(speed)
    base = median(next(iter(speeds.values())))
    return [
        {
            "engine": name,
            "images_per_s": round(median(speeds[name]), 1),
            "times_local": round(median(speeds[name]) / base, 3),
            "overhead_ms_per_image": round(1000 * (1 / median(speeds[name]) - 1 / base), 2),
            "start_s": round(median(starts[name]), 1),
        }
        for name in engines
    ]


def _fill(folder: Path, engine: dict[str, Any], files: Sequence[Path]) -> tuple[float, float]:
    """Return the seconds until the first pictures are stored, and pictures a second after."""
    from tiepoint import Host, Item
    from tiepoint_adapters.benchmarks.encode import own_cache, pictures

    folder.mkdir()
    deployment = pictures(folder / "store").model_dump() | {"engine": engine}
    items = [Item(id=file.name, image=file) for file in files]
    with own_cache(folder / "cache"):
        started = perf_counter()
        with Host(type(pictures(folder)).model_validate(deployment)) as host:
            host.add(items[:WARM_UP])
            start_s = perf_counter() - started
            started = perf_counter()
            added = host.add(items[WARM_UP:])
            seconds = perf_counter() - started
    if added.encoded != len(files) - WARM_UP:
        raise click.ClickException(f"{len(files) - WARM_UP - added.encoded} were not encoded")
    return start_s, added.encoded / seconds
