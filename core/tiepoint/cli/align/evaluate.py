"""`tiepoint align eval`: the retrieval protocol on a file of pairs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.align.features import joint_space
from tiepoint.cli.align.options import (
    PATH,
    HeldOutChoice,
    PairChoice,
    held_out_options,
    pair_options,
)
from tiepoint.cli.json_file import deliver
from tiepoint.cli.output import say, write_file

if TYPE_CHECKING:
    from tiepoint.alignment.pairs import PairSet
    from tiepoint.evaluation.retrieval import Retrieval


@click.command(
    "eval", epilog="Example: tiepoint align eval --pairs pairs.csv --lang en --scores ranks.npz"
)
@pair_options
@held_out_options("test")
@click.option("--scores", type=PATH, help="Write ranks to this file (npz).")
def evaluate(chosen: PairChoice, held_out: HeldOutChoice, scores: Path | None) -> None:
    """Evaluate an aligner: R@1, R@5, R@10 in both directions over the full gallery.

    All captions of an image are its positives; ties count against the aligner.

    --json: {"i2t": {"R@1", "R@5", "R@10"}, "t2i": {...}, "rsum", "n_images", "n_texts",
    "rsum_interval": [low, high], "aligner", "fingerprint", "split", "languages"}. --scores: the
    arrays i2t_rank and t2i_rank (0-based rank of the first positive), images, texts.
    """
    from tiepoint.evaluation.retrieval import evaluate as ranked
    from tiepoint.evaluation.significance import rsum_interval

    space = joint_space(chosen, held_out)
    links = space.pairs.links
    retrieval = ranked(space.images, space.texts, links)
    interval = rsum_interval(retrieval, links)
    figures = retrieval.as_dict() | {
        "rsum_interval": [interval.low, interval.high],
        "aligner": space.subject.name,
        "fingerprint": space.subject.aligner.fingerprint,
        "split": held_out.split,
        "languages": list(chosen.languages),
    }
    if scores is not None:
        _write(retrieval, space.pairs, scores)
    if deliver(held_out.json_file, figures):
        _print(figures)


def _write(retrieval: Retrieval, pairs: PairSet, scores: Path) -> None:
    import numpy as np

    first, second = pairs.modalities
    content = io.BytesIO()
    np.savez_compressed(
        content,
        i2t_rank=retrieval.i2t_rank,
        t2i_rank=retrieval.t2i_rank,
        images=np.array(pairs.names[first]),
        texts=np.array(pairs.names[second]),
    )
    write_file(scores, content.getvalue())


def _print(figures: dict[str, Any]) -> None:
    for direction in ("i2t", "t2i"):
        line = "  ".join(f"{name} {value:5.1f}" for name, value in figures[direction].items())
        click.echo(f"{direction}  {line}")
    low, high = figures["rsum_interval"]
    click.echo(f"rsum {figures['rsum']:.1f} (95 %: {low:.1f} to {high:.1f})")
    say(f"{figures['aligner']} on {figures['n_images']} images, {figures['n_texts']} texts")
