"""`tiepoint bench encode`: from files to stored vectors, against plain loops and the bare runtime.

The engines take turns at the same files, round after round, so that whatever else the machine
does falls on all of them; a figure is the median over the rounds.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import click

from tiepoint.cli.json_file import json_option
from tiepoint.config.models import Deployment
from tiepoint.paths import cache_dir
from tiepoint_adapters.benchmarks.report import report

BATCH = 32


@click.command("encode", epilog="Example: tiepoint bench encode --images 200 --json figures.json")
@click.option("--images", default=1000, show_default=True, help="JPEG files to make and encode.")
@click.option("--texts", default=1000, show_default=True, help="Texts to encode.")
@click.option("--rounds", default=3, show_default=True, help="Times that the engines take turns.")
@json_option
def bench_encode(images: int, texts: int, rounds: int, json_file: Path | None) -> None:
    """Images and texts a second, against plain torch loops with the same weights."""
    with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as name:
        rows = measure_images(Path(name), images, rounds) + measure_texts(texts, rounds)
    report(rows, json_file, f"{images:,} JPEG files of 500x375 and {texts:,} texts")


@contextmanager
def own_cache(folder: Path) -> Iterator[None]:
    """Keep embeddings in an own folder, so that none is known yet; compiled models are shared."""
    models = cache_dir("models")
    folder.mkdir()
    (folder / "models").symlink_to(models, target_is_directory=True)
    before = os.environ.get("TIEPOINT_CACHE")
    os.environ["TIEPOINT_CACHE"] = str(folder)
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
        rounds: Times that the engines take turns.
    """
    from tiepoint import Host, Item
    from tiepoint.encoders.timm_image import TimmEncoder
    from tiepoint_adapters.benchmarks.peers import bare_runtime, thread_counts, timm_loop
    from tiepoint_adapters.benchmarks.photographs import write_photographs

    (folder / "photographs").mkdir()
    files = write_photographs(folder / "photographs", count)
    encoder = TimmEncoder(preset="fast")
    encoder.warm_up()
    runtime = bare_runtime(encoder, BATCH)
    loops = {n: timm_loop(n, BATCH) for n in thread_counts()}
    speeds: dict[tuple[str, int | None], list[float]] = defaultdict(list)
    for turn in range(rounds):
        # An empty store and an empty cache, so that nothing is known from the last round.
        with own_cache(folder / f"cache-{turn}"), Host(pictures(folder / f"{turn}")) as host:
            host.warm_up()
            items = [Item(id=file.name, image=file) for file in files]
            started = time.perf_counter()
            added = host.add(items)
            speeds["tiepoint", None].append(count / (time.perf_counter() - started))
        if added.encoded != count:
            raise click.ClickException(f"{count - added.encoded} files were not encoded")
        speeds["runtime", None].append(_speed(runtime, files))
        for threads, loop in loops.items():
            speeds["timm-pil", threads].append(_speed(loop, files))
    return _rows(speeds, "images_per_s", "timm-pil")


def pictures(store: Path) -> Deployment:
    """Return a deployment that does what the peers do: one vector for each picture."""
    return Deployment.model_validate(
        {
            "version": 1,
            "encoders": {"photo": {"type": "timm", "preset": "fast"}},
            "store": {"uri": str(store)},
            "collections": {"pictures": {"fields": {"image": {"encoder": "photo"}}}},
        }
    )


def measure_texts(count: int, rounds: int) -> list[dict[str, Any]]:
    """Return rows for `tiepoint-text` and `transformers-text`, both with MiniLM."""
    from tiepoint.encoders.transformers_text import TransformersTextEncoder
    from tiepoint_adapters.benchmarks.peers import thread_counts, transformers_loop
    from tiepoint_adapters.benchmarks.sentences import sentences

    encoder = TransformersTextEncoder()
    encoder.warm_up()
    loops = {n: transformers_loop(n, BATCH) for n in thread_counts()}
    texts = sentences(count)
    speeds: dict[tuple[str, int | None], list[float]] = defaultdict(list)
    for _ in range(rounds):
        speeds["tiepoint-text", None].append(_speed(encoder.encode, texts))
        for threads, loop in loops.items():
            speeds["transformers-text", threads].append(_speed(loop, texts))
    return _rows(speeds, "texts_per_s", "transformers-text")


def _speed(encode: Callable[[Sequence[Any]], Any], parts: Sequence[Any]) -> float:
    """Return how many parts a second one call encodes."""
    started = time.perf_counter()
    encode(parts)
    return len(parts) / (time.perf_counter() - started)


def _rows(
    speeds: Mapping[tuple[str, int | None], Sequence[float]], unit: str, peer: str
) -> list[dict[str, Any]]:
    """Return one row an engine, the peer with its best number of threads."""
    best: dict[str, tuple[float, int | None]] = {}
    for (engine, threads), values in speeds.items():
        speed = median(values)
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
