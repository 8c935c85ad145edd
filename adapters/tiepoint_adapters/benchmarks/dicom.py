"""`tiepoint bench dicom`: reading DICOM, against bare pydicom with the same decoders.

Both take turns at the same files, round after round, each time from the file to all decoded
frames; a figure is the median over the rounds. A second row has two processes at work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import click

from tiepoint.cli.json_file import json_option
from tiepoint.errors import InputError
from tiepoint.types import Skipped
from tiepoint_adapters.benchmarks.report import report

CHUNK = 4


@click.command("dicom", epilog="Example: tiepoint bench dicom ~/studies")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--rounds", default=5, show_default=True, help="Times that the two take turns.")
@click.option(
    "--processes", default=2, show_default=True, help="At work together, in a row of its own."
)
@json_option
def bench_dicom(folder: Path, rounds: int, processes: int, json_file: Path | None) -> None:
    """Decoded frames a second from the files of a folder, against bare pydicom."""
    files = decodable(folder)
    if not files:
        raise InputError("the folder holds no DICOM pictures", where=str(folder))
    report(measure(files, rounds, processes), json_file, f"{len(files)} DICOM files with pictures")


def decodable(folder: Path) -> list[Path]:
    """Return the files of a folder that both can decode."""
    from tiepoint_adapters.dicom.finding import find_files

    found = [file for file in find_files(folder) if not isinstance(file, Skipped)]
    return [file for file in found if _works(bare, file) and _works(ours, file)]


def measure(files: Sequence[Path], rounds: int, processes: int) -> list[dict[str, Any]]:
    """Return rows for pydicom, tiepoint, tiepoint with rendering, and tiepoint in processes.

    Args:
        files: What is read.
        rounds: How often.
        processes: Of the last row.
    """
    tasks: dict[str, Callable[[], int]] = {
        "pydicom": lambda: sum(bare(file) for file in files),
        "tiepoint": lambda: sum(ours(file) for file in files),
        "tiepoint, rendered": lambda: sum(shown(file) for file in files),
    }
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(ours, files, chunksize=CHUNK))  # the imports
        tasks[f"tiepoint, {processes} processes"] = lambda: sum(
            pool.map(ours, files, chunksize=CHUNK)
        )
        seconds: dict[str, list[float]] = {name: [] for name in tasks}
        frames = 0
        for _ in range(rounds + 1):  # the first is for warming up
            for name, task in tasks.items():
                started = time.perf_counter()
                frames = task()
                seconds[name].append(time.perf_counter() - started)
    base = seconds["pydicom"][1:]
    rows = []
    for name, taken in seconds.items():
        ratios = [one / own for one, own in zip(base, taken[1:], strict=True)]
        rows.append(
            {
                "engine": name,
                "frames": frames,
                "seconds": round(median(taken[1:]), 3),
                "frames/s": round(frames / median(taken[1:]), 1),
                "x pydicom": round(median(ratios), 3),
            }
        )
    return rows


def bare(file: Path) -> int:
    """Decode all frames of a file by pydicom alone; returns how many."""
    from pydicom import dcmread
    from pydicom.pixels import iter_pixels

    return sum(1 for _ in iter_pixels(dcmread(file)))


def ours(file: Path) -> int:
    """Decode all frames of a file as tiepoint does; returns how many."""
    from tiepoint_adapters.dicom import frames, read_dicom

    return sum(1 for _ in frames(read_dicom(file)))


def shown(file: Path) -> int:
    """Decode and render all frames of a file; returns how many."""
    from tiepoint_adapters.dicom import read_dicom
    from tiepoint_adapters.dicom.rendering import rendered

    return sum(1 for _ in rendered(read_dicom(file)))


def _works(read: Callable[[Path], int], file: Path) -> bool:
    try:
        return read(file) > 0
    except Exception:  # noqa: BLE001 - whatever it raises, this file is not for comparing
        return False
