"""`tiepoint security summarize`: a storyboard of a video."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from tiepoint.cli.output import echo, print_json, print_table
from tiepoint.errors import InputError


@click.command(epilog="Example: tiepoint security summarize talk.mp4 --out storyboard")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder that takes the page.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="SENTENCE",
    help="What may be seen, in English, Chinese or another language; repeatable.",
)
@click.option(
    "--most", default=12, show_default=True, type=click.IntRange(1, 200), help="Parts at most."
)
@click.option(
    "--preset",
    type=click.Choice(["fast", "accurate"]),
    default="fast",
    show_default=True,
    help="One image network, or two.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def summarize(
    file: Path, out: Path, labels: tuple[str, ...], most: int, preset: str, as_json: bool
) -> None:
    """Write a storyboard of a video: its parts with their times, and the sentences that fit.

    Neighbouring seconds that look alike are one part. A part gets the sentence to which it is
    nearer than the rest of the video, if there is one. Writes storyboard.html, storyboard.json
    and the frames; no deployment file is needed.

    With --json: {"file", "duration_s", "page", "segments": [{"start_s", "end_s", "frame",
    "frame_s", "motion", "label", "gains": {SENTENCE: number}}]}.
    """
    from tiepoint.cli.progress import progress_of
    from tiepoint.host import Host
    from tiepoint_security.storyboard.chapters import chapters_of, labelled
    from tiepoint_security.storyboard.pieces import pieces_of
    from tiepoint_security.storyboard.writing import PAGE, write_storyboard

    for label in labels:
        if not label.strip():
            raise InputError("a label is empty", where="--label", hint="Describe what is seen.")
    with tempfile.TemporaryDirectory() as folder, progress_of("pieces") as progress:
        host = Host.embedded(Path(folder) / "unused", preset=preset)  # never opened: no store
        pieces = list(pieces_of(file, host, progress))
        chapters = chapters_of(pieces, most)
        texts = host.embed(text=list(labels))
    fitting, gains = labelled(chapters, pieces, texts) if labels else _nothing(len(chapters))
    shown = [
        chapter.shown(None if best is None else texts[best])
        for chapter, best in zip(chapters, fitting, strict=True)
    ]
    told = write_storyboard(out, file, chapters, shown, labels, fitting, gains)
    page = (out / PAGE).absolute()
    if as_json:
        print_json(told | {"page": str(page)})
        return
    _print(told)
    echo(str(page))


def _nothing(count: int) -> tuple[list[int | None], Any]:
    import numpy as np

    return [None] * count, np.zeros((count, 0), np.float32)


def _print(told: dict[str, Any]) -> None:
    from tiepoint_security.storyboard.writing import clock

    rows: list[tuple[str, ...]] = [
        (
            clock(segment["start_s"]),
            clock(segment["end_s"]),
            f"{100 * segment['motion']:.1f} %",
            segment["label"] or "-",
            segment["frame"],
        )
        for segment in told["segments"]
    ]
    print_table(("from", "to", "moves", "label", "frame"), rows)
