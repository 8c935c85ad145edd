"""`tiepoint bench encode`: from files to stored vectors, against plain loops and the bare runtime.

Every engine gets the same slice of the files in turn, slice after slice, so that whatever
else the machine does falls on all of them; a figure is the median over the slices.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import click

from tiepoint.paths import cache_dir
from tiepoint_adapters.benchmarks.report import report

BATCH = 32


@click.command("encode")
@click.option("--images", default=1000, show_default=True, help="JPEG files to make and encode.")
@click.option("--texts", default=1000, show_default=True, help="Texts to encode.")
@click.option(
    "--rounds", default=5, show_default=True, help="Slices that the engines take turns at."
)
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file."
)
def bench_encode(images: int, texts: int, rounds: int, json_path: Path | None) -> None:
    """Images and texts a second, against plain torch loops with the same weights."""
    with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as name, _own_cache(Path(name)):
        rows = measure_images(Path(name), images, rounds) + measure_texts(texts, rounds)
    report(rows, json_path, f"{images:,} JPEG files of 500x375 and {texts:,} texts")


@contextmanager
def _own_cache(folder: Path) -> Iterator[None]:
    """Keep embeddings in an own folder, so that none is known yet; compiled models are shared."""
    models = cache_dir("models")
    (folder / "cache").mkdir()
    (folder / "cache" / "models").symlink_to(models, target_is_directory=True)
    before = os.environ.get("TIEPOINT_CACHE")
    os.environ["TIEPOINT_CACHE"] = str(folder / "cache")
    try:
        yield
    finally:
        if before is None:
            del os.environ["TIEPOINT_CACHE"]
        else:
            os.environ["TIEPOINT_CACHE"] = before


def measure_images(folder: Path, count: int, rounds: int) -> list[dict[str, Any]]:
    """Return rows for `tiepoint`, `timm-pil` and `runtime`.

    Args:
        folder: An empty folder for the files and the store.
        count: Number of files.
        rounds: Slices.
    """
    from tiepoint import Host, Item
    from tiepoint.encoders.timm_image import TimmEncoder
    from tiepoint_adapters.benchmarks.peers import bare_runtime, thread_counts, timm_loop
    from tiepoint_adapters.benchmarks.photographs import write_photographs

    (folder / "photographs").mkdir()
    files = write_photographs(folder / "photographs", count)
    encoder = TimmEncoder(preset="fast")
    encoder.warm_up()
    with Host.embedded(folder / "store", preset="fast") as host:
        host.warm_up()

        def store(some: Sequence[Path]) -> None:
            added = host.add([Item(id=file.name, image=file) for file in some])
            if added.encoded != len(some):
                raise click.ClickException(f"{len(some) - added.encoded} files were not encoded")

        engines: dict[tuple[str, int | None], Callable[[Sequence[Path]], None]] = {
            ("tiepoint", None): store,
            ("runtime", None): bare_runtime(encoder, BATCH),
        }
        engines |= {("timm-pil", n): timm_loop(n, BATCH) for n in thread_counts()}
        speeds = _take_turns(engines, files, rounds)
    return _rows(speeds, "images_per_s", "timm-pil")


def measure_texts(count: int, rounds: int) -> list[dict[str, Any]]:
    """Return rows for `tiepoint-text` and `transformers-text`, both with MiniLM."""
    from tiepoint.encoders.transformers_text import TransformersTextEncoder
    from tiepoint_adapters.benchmarks.peers import thread_counts, transformers_loop
    from tiepoint_adapters.benchmarks.sentences import sentences

    encoder = TransformersTextEncoder()
    encoder.warm_up()
    engines: dict[tuple[str, int | None], Callable[[Sequence[str]], Any]] = {
        ("tiepoint-text", None): encoder.encode
    }
    engines |= {("transformers-text", n): transformers_loop(n, BATCH) for n in thread_counts()}
    speeds = _take_turns(engines, sentences(count), rounds)
    return _rows(speeds, "texts_per_s", "transformers-text")


def _take_turns(
    engines: dict[tuple[str, int | None], Callable[[Sequence[Any]], Any]],
    parts: Sequence[Any],
    rounds: int,
) -> dict[tuple[str, int | None], float]:
    """Return each engine's median speed over the slices, in parts a second."""
    size = max(1, len(parts) // rounds)
    speeds = defaultdict(list)
    for start in range(0, len(parts) - size + 1, size):
        some = parts[start : start + size]
        for name, encode in engines.items():
            begin = time.perf_counter()
            encode(some)
            speeds[name].append(len(some) / (time.perf_counter() - begin))
    return {name: median(values) for name, values in speeds.items()}


def _rows(
    speeds: dict[tuple[str, int | None], float], unit: str, peer: str
) -> list[dict[str, Any]]:
    """Return one row an engine, the peer with its best number of threads."""
    best: dict[str, tuple[float, int | None]] = {}
    for (engine, threads), speed in speeds.items():
        if engine not in best or speed > best[engine][0]:
            best[engine] = (speed, threads)
    return [
        {
            "engine": engine,
            unit: round(speed, 1),
            "times_peer": round(speed / best[peer][0], 2),
            "threads": threads,
        }
        for engine, (speed, threads) in best.items()
    ]
