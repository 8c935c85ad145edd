"""`tiepoint align eval`: the retrieval protocol on a file of pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.align.inputs import encoded, pair_options, subject
from tiepoint.cli.output import say

if TYPE_CHECKING:
    from tiepoint.alignment.pairs import PairSet
    from tiepoint.evaluation.retrieval import Retrieval


@click.command("eval")
@pair_options
@click.option("--split", default="test", show_default=True, help="The split to evaluate on.")
@click.option(
    "--aligner",
    "aligner_folder",
    type=click.Path(path_type=Path),
    help="A saved aligner; that of --config, or the default one, if not given.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures here.")
@click.option("--scores", type=click.Path(path_type=Path), help="Write ranks here (npz).")
def evaluate(
    pairs_file: Path,
    root: Path | None,
    languages: tuple[str, ...],
    config: Path | None,
    preset: str | None,
    strict: bool,
    split: str,
    aligner_folder: Path | None,
    json_file: Path | None,
    scores: Path | None,
) -> None:
    """Evaluate an aligner: R@1, R@5, R@10 in both directions over the full gallery.

    All captions of an image are its positives; ties count against the aligner.

    --json: {"i2t": {"R@1", "R@5", "R@10"}, "t2i": {...}, "rsum", "n_images", "n_texts",
    "rsum_interval": [low, high], "aligner", "fingerprint", "split", "languages"}. --scores: the
    arrays i2t_rank and t2i_rank (0-based rank of the first positive), images, texts.
    """
    from tiepoint.alignment.pair_files import read_pairs
    from tiepoint.evaluation.retrieval import evaluate as ranked
    from tiepoint.evaluation.significance import rsum_interval

    chosen = subject(aligner_folder, config, preset)
    pairs = read_pairs(pairs_file).select(split, languages)
    made = encoded(pairs, root or pairs_file.parent, chosen.encoders, strict, split).pairs
    first, second = made.modalities
    joint = {m: chosen.aligner.transform(m, x) for m, x in made.vectors.items()}
    retrieval = ranked(joint[first], joint[second], made.links)
    interval = rsum_interval(retrieval, made.links)
    figures = retrieval.as_dict() | {
        "rsum_interval": [interval.low, interval.high],
        "aligner": chosen.name,
        "fingerprint": chosen.aligner.fingerprint,
        "split": split,
        "languages": list(languages),
    }
    _write(figures, retrieval, made, json_file, scores)
    _print(figures)


def _write(
    figures: dict[str, Any],
    retrieval: Retrieval,
    pairs: PairSet,
    json_file: Path | None,
    scores: Path | None,
) -> None:
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if scores is not None:
        import numpy as np

        first, second = pairs.modalities
        with scores.open("wb") as file:
            np.savez_compressed(
                file,
                i2t_rank=retrieval.i2t_rank,
                t2i_rank=retrieval.t2i_rank,
                images=np.array(pairs.names[first]),
                texts=np.array(pairs.names[second]),
            )


def _print(figures: dict[str, Any]) -> None:
    for direction in ("i2t", "t2i"):
        line = "  ".join(f"{name} {value:5.1f}" for name, value in figures[direction].items())
        click.echo(f"{direction}  {line}")
    low, high = figures["rsum_interval"]
    click.echo(f"rsum {figures['rsum']:.1f} (95 %: {low:.1f} to {high:.1f})")
    say(f"{figures['aligner']} on {figures['n_images']} images, {figures['n_texts']} texts")
