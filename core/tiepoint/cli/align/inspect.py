"""`tiepoint align inspect`: gap, hubs, calibration, classes and confusions of a joint space."""

from __future__ import annotations

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
from tiepoint.cli.output import print_json, say, write_file
from tiepoint.errors import InputError

if TYPE_CHECKING:
    from tiepoint.alignment.base import Aligner
    from tiepoint.alignment.pair_files import Pair
    from tiepoint.alignment.pairs import PairSet


@click.command(epilog="Example: tiepoint align inspect --pairs pairs.csv --html space.html")
@pair_options
@held_out_options("val")
@click.option("--html", type=PATH, help="Write a page with pictures to this file.")
def inspect(chosen: PairChoice, held_out: HeldOutChoice, html: Path | None) -> None:
    """Look into a joint space: modality gap, hubs, calibration, classes, worst confusions.

    The page is one HTML file without scripts and remote parts. A column `label` of the pairs
    gives the recall by class.

    JSON: {"aligner", "split", "retrieval", "rsum_interval", "geometry": {"modality_gap",
    "hubness_first", "hubness_second", "alignment", "uniformity_first", "uniformity_second"},
    "calibration": {route: {"ece", "brier", "brier_skill", "stated", "observed"}},
    "class_recall", "confusions"}; printed if neither --html nor --json is given.
    """
    from tiepoint.evaluation.inspection import inspect_space
    from tiepoint.evaluation.inspection_page import render

    space = joint_space(chosen, held_out)
    aligner, pairs = space.subject.aligner, space.pairs
    images, texts = (pairs.names[modality] for modality in pairs.modalities)
    labels = _labels(space.lines, images)
    found = inspect_space(
        space.images,
        space.texts,
        pairs.links,
        _calibration(aligner, pairs),
        labels,
    )
    figures = {"aligner": space.subject.name, "split": held_out.split, **found.as_dict()}
    for confusion in figures["confusions"]:
        confusion["text"] = texts[confusion["text"]]
        confusion["found"] = images[confusion["found"]]
        confusion["right"] = images[confusion["right"]]
    deliver(held_out.json_file, figures)
    if html is not None:
        files = [chosen.folder / name for name in images]
        write_file(html, render(found, space.subject.name, files, texts, labels).encode())
        say(f"wrote {html}")
    if html is None and held_out.json_file is None:
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
    by_image = {pair.image: pair.label for pair in pairs if pair.label}
    return tuple(by_image.get(image, "") for image in images)
