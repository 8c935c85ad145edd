"""`tiepoint bench video`: footage watched by three kinds of trigger, and every frame encoded.

The engines take turns at the same file, round after round, so that whatever else the machine
does falls on all of them; a figure is the median over the rounds.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from tiepoint.cli.json_file import json_option
from tiepoint.encoders.images import Pixels
from tiepoint.encoders.timm_image import TimmEncoder
from tiepoint_adapters.benchmarks.report import report

_BATCH = 32


@click.command("video", epilog="Example: tiepoint bench video --fps 2")
@click.option(
    "--footage",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A video; a rendered street of 60 s, 640x360, 25 frames a second, if not given.",
)
@click.option("--fps", default=5.0, show_default=True, help="Frames a second that are watched.")
@click.option("--rounds", default=3, show_default=True, help="Times that the engines take turns.")
@json_option
def bench_video(footage: Path | None, fps: float, rounds: int, json_file: Path | None) -> None:
    """Seconds of footage watched a second, against plain loops that encode every frame."""
    with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as name:
        if footage is None:
            from tiepoint_security.benchmarks.footage import rendered

            footage = rendered(Path(name), 60.0, 25.0)
        rows, seconds = measure(footage, fps, rounds)
    report(rows, json_file, f"{footage.name}, {seconds:.0f} s, watched at {fps:g} frames a second")


def measure(file: Path, fps: float, rounds: int) -> tuple[list[dict[str, Any]], float]:
    """Return a row for each engine, and the length of the footage in seconds."""
    from tiepoint_adapters.benchmarks.peers import thread_counts

    encoder = TimmEncoder(preset="fast")
    encoder.warm_up()
    watch = _watching(file, fps)
    engines: dict[tuple[str, int | None], Callable[[], tuple[int, float]]] = {
        ("tiepoint", None): watch,
        ("every frame, same runtime", None): lambda: _encode_all(file, encoder.encode),
    }
    for threads in thread_counts():
        plain = _plain(threads)
        engines["every frame, torch", threads] = lambda plain=plain: _encode_all(file, plain)  # type: ignore[misc]
    spent: dict[tuple[str, int | None], list[float]] = defaultdict(list)
    cpu: dict[tuple[str, int | None], list[float]] = defaultdict(list)
    frames: dict[tuple[str, int | None], int] = {}
    length = 0.0
    for _ in range(rounds):
        for name, engine in engines.items():
            started, cpu_started = time.perf_counter(), time.process_time()
            frames[name], seconds = engine()
            spent[name].append(time.perf_counter() - started)
            cpu[name].append(time.process_time() - cpu_started)
            length = max(length, seconds)
    return _rows(spent, cpu, frames, length), length


def _rows(
    spent: dict[tuple[str, int | None], list[float]],
    cpu: dict[tuple[str, int | None], list[float]],
    frames: dict[tuple[str, int | None], int],
    length: float,
) -> list[dict[str, Any]]:
    best: dict[str, tuple[float, int | None]] = {}
    for (engine, threads), times in spent.items():
        speed = length / median(times)
        if engine not in best or speed > best[engine][0]:
            best[engine] = (speed, threads)
    ours = best["tiepoint"][0]
    return [
        {
            "engine": engine,
            "footage_s_per_s": round(speed, 2),
            "frames": frames[engine, threads],
            "tiepoint_is_times_as_fast": round(ours / speed, 2),
            "cpu_s_per_footage_s": round(median(cpu[engine, threads]) / length, 3),
            "threads": threads,
        }
        for engine, (speed, threads) in best.items()
    ]


def _watching(file: Path, fps: float) -> Callable[[], tuple[int, float]]:
    """Return what watches the file by all kinds of trigger; its models are loaded already."""
    from tiepoint.assembly import Assembly
    from tiepoint.embedded import embedded_deployment
    from tiepoint_security.benchmarks.rules import PLACES, RULES
    from tiepoint_security.scene.vision import Vision
    from tiepoint_security.settings import AlertSettings
    from tiepoint_security.watching.recording import RecordingWatch
    from tiepoint_security.watching.settings import WatchSettings

    made = Assembly(embedded_deployment("unused"))
    vision = Vision.chosen(None, made.aligner, made.encoders.__getitem__)
    if vision is None:
        raise click.ClickException("the embedded default has no encoder of pictures")
    vision.warm_up()
    vision.sentence("a man riding a bicycle")
    settings = WatchSettings.model_validate(
        {
            "cameras": {"bench": {"address": str(file), "fps": fps, **PLACES}},
            "rules": RULES,
            "learning": {"seconds": 40},
        }
    )

    def watch() -> tuple[int, float]:
        watcher = RecordingWatch(settings, AlertSettings(), vision, lambda _: None)
        return watcher.run(), watcher.clock.at_s

    return watch


def _decoded(file: Path) -> Iterator[tuple[float, Pixels]]:
    import av

    with av.open(str(file)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            yield float(frame.time or 0.0), frame.to_ndarray(format="rgb24")


def _encode_all(file: Path, encode: Callable[[list[Pixels]], Any]) -> tuple[int, float]:
    """Decode every frame, encode every frame."""
    frames, count, last = _decoded(file), 0, 0.0
    while batch := list(islice(frames, _BATCH)):
        encode([pixels for _, pixels in batch])
        count, last = count + len(batch), batch[-1][0]
    return count, last


def _plain(threads: int) -> Callable[[list[Pixels]], Any]:
    """Return the usual loop: PIL resizes, torch runs timm's network."""
    import torch
    from PIL import Image

    from tiepoint.encoders.timm_network import LITE0, create_model

    model = create_model(LITE0.model, LITE0.weights)
    size = (LITE0.size, LITE0.size)

    def encode(pictures: list[Pixels]) -> Any:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        resized = [
            np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
            for pixels in pictures
        ]
        scaled = (torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2).float() - 127.5) / 127.5
        with torch.inference_mode():
            features = model.forward_head(model.forward_features(scaled), pre_logits=True)
            vectors = torch.nn.functional.normalize(features, dim=1).numpy()
        torch.set_num_threads(before)
        return vectors

    return encode
