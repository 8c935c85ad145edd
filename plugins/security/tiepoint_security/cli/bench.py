"""`tiepoint security bench`: how many cameras this machine takes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from tiepoint.cli.json_file import json_option
from tiepoint.cli.output import say


@click.command(epilog="Example: tiepoint security bench --cameras 4 --seconds 60")
@click.option(
    "--footage",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Videos that the cameras show; rendered streets of 640x360 if not given.",
)
@click.option("--cameras", default=8, show_default=True, type=click.IntRange(1, 256))
@click.option(
    "--fps",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.5, 30),
    help="Analysed frames a second of each camera.",
)
@click.option(
    "--seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(5, 86_400),
    help="How long to measure, after 20 s.",
)
@json_option
def bench(
    footage: tuple[Path, ...], cameras: int, fps: float, seconds: float, json_file: Path | None
) -> None:
    """Watch cameras in real time by every kind of trigger, and say what it takes.

    Latency is from the moment at which a frame was decoded to the desk of alerts (`to_desk`),
    and to a sink for alerts (`to_sink`). What has to last before a rule alerts comes on top.
    """
    from tiepoint.cli.progress import progress_of
    from tiepoint_adapters.benchmarks.report import report
    from tiepoint_security.benchmarks.cameras import WARM_UP_S, Load, measure
    from tiepoint_security.benchmarks.footage import rendered

    with tempfile.TemporaryDirectory(prefix="tiepoint-bench-") as name:
        files = list(footage)
        if not files:
            say("rendering footage")
            files = [rendered(Path(name), 30.0, 10.0, number) for number in range(min(4, cameras))]
        with progress_of(f"seconds, of which {WARM_UP_S:g} to warm up") as progress:
            row = measure(Load(files, cameras, fps, seconds), progress)
    report([row], json_file, f"{cameras} cameras at {fps:g} frames a second")
