"""`tiepoint align inspect`: gap, hubs, calibration, classes and confusions of a joint space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.align.inputs import encoded, pair_options, subject
from tiepoint.cli.output import print_json, say
from tiepoint.errors import InputError

if TYPE_CHECKING:
    from tiepoint.alignment.base import Aligner
    from tiepoint.alignment.pair_files import Pair
    from tiepoint.alignment.pairs import PairSet


@click.command()
@pair_options
@click.option("--split", default="val", show_default=True, help="The split to look at.")
@click.option(
    "--aligner",
    "aligner_folder",
    type=click.Path(path_type=Path),
    help="A saved aligner; that of --config, or the default one, if not given.",
)
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with pictures here.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures here.")
def inspect(
    pairs_file: Path,
    root: Path | None,
    languages: tuple[str, ...],
    config: Path | None,
    preset: str | None,
    strict: bool,
    split: str,
    aligner_folder: Path | None,
    html: Path | None,
    json_file: Path | None,
) -> None:
    """Look into a joint space: modality gap, hubs, calibration, classes, worst confusions.

    The page is one HTML file without scripts and remote parts. A column `label` of the pairs
    gives the recall by class.

    JSON: {"aligner", "split", "retrieval", "rsum_interval", "geometry": {"modality_gap",
    "hubness_first", "hubness_second", "alignment", "uniformity_first", "uniformity_second"},
    "calibration": {route: {"ece", "brier", "brier_skill", "stated", "observed"}},
    "class_recall", "confusions"}; printed if neither --html nor --json is given.
    """
    from tiepoint.alignment.pair_files import read_pairs
    from tiepoint.evaluation.inspection import inspect_space
    from tiepoint.evaluation.inspection_page import render

    chosen = subject(aligner_folder, config, preset)
    pairs = read_pairs(pairs_file).select(split, languages)
    folder = root or pairs_file.parent
    made = encoded(pairs, folder, chosen.encoders, strict, split).pairs
    first, second = made.modalities
    joint = {m: chosen.aligner.transform(m, x) for m, x in made.vectors.items()}
    found = inspect_space(
        joint[first],
        joint[second],
        made.links,
        _calibration(chosen.aligner, made),
        _labels(pairs, made.names[first]),
    )
    figures = {"aligner": chosen.name, "split": split, **found.as_dict()}
    for confusion in figures["confusions"]:
        confusion["text"] = made.names[second][confusion["text"]]
        confusion["found"] = made.names[first][confusion["found"]]
        confusion["right"] = made.names[first][confusion["right"]]
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if html is not None:
        files = [folder / name for name in made.names[first]]
        html.write_text(render(found, chosen.name, files, made.names[second]), "utf-8")
        say(f"wrote {html}")
    if html is None and json_file is None:
        print_json(figures)


def _calibration(aligner: Aligner, pairs: PairSet) -> dict[str, Any]:
    """The reliability of the aligner's own calibration; else of one by half of the pairs."""
    from tiepoint.alignment.calibrating import asked, cross_validated
    from tiepoint.evaluation.calibration import reliability

    first, second = pairs.modalities
    known = {
        f"{query}->{gallery}": calibration
        for query, gallery in ((second, first), (first, second))
        if (calibration := aligner.match_probability(query, gallery)) is not None
    }
    try:
        if not known:
            return cross_validated(aligner, pairs)
        whole = max(len(x) for x in pairs.vectors.values())
        hits = asked(aligner, pairs, (whole,), 0)
    except InputError as error:
        say(f"warning: there is no calibration to show: {error.what}")
        return {}
    return {
        route: reliability(
            calibration(hits[route].scores, hits[route].standardised, hits[route].sizes),
            hits[route].correct,
        ).as_dict()
        for route, calibration in known.items()
    }


def _labels(pairs: list[Pair], images: tuple[str, ...]) -> tuple[str, ...]:
    by_image = {pair.image: pair.label for pair in pairs}
    return tuple(by_image[image] for image in images)
