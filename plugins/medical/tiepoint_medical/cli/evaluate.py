"""`tiepoint medical eval`: the retrieval protocol on a site's own images and reports."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.json_file import deliver, json_option
from tiepoint.cli.output import say, write_file
from tiepoint.cli.progress import progress_of

if TYPE_CHECKING:
    from tiepoint_medical.evaluation.protocol import Evaluation

_PATH = click.Path(path_type=Path)


@click.command(
    "eval", epilog="Example: tiepoint medical eval --metadata cases.csv --root images --folds 5"
)
@click.option("--metadata", type=_PATH, required=True, help="CSV of the cases to score.")
@click.option("--root", type=_PATH, required=True, help="Folder of their images.")
@click.option("--image-column", default="image", show_default=True, help="The image's file.")
@click.option("--text-column", default="clinical_notes", show_default=True, help="The report.")
@click.option("--label-column", default="finding", show_default=True, help="What to score by.")
@click.option("--group-column", default="patientid", show_default=True, help="The patient.")
@click.option("--folds", type=click.IntRange(3, 50), help="Cross-fit by patient, in so many.")
@click.option("--fit-metadata", type=_PATH, help="CSV of other patients to fit on.")
@click.option("--fit-root", type=_PATH, help="Folder of their images.")
@click.option("--seed", default=0, show_default=True, help="Of the folds.")
@json_option
@click.option("--scores", type=_PATH, help="Write the first ten of every query (CSV).")
def evaluate(
    metadata: Path,
    root: Path,
    image_column: str,
    text_column: str,
    label_column: str,
    group_column: str,
    folds: int | None,
    fit_metadata: Path | None,
    fit_root: Path | None,
    seed: int,
    json_file: Path | None,
    scores: Path | None,
) -> None:
    """Measure how well images find reports and reports find images.

    Cases of the query's own patient never answer, equal reports are one candidate, and rows
    without a label (`todo`, `No Finding`, empty) are neither asked nor offered. What is fitted has
    not seen the query's patient; with --folds, `archive_unseen` has the figures where it has not
    seen the candidate's either, as always with --fit-metadata. A candidate is a case, its image
    with its report; `across` is the figure for reports without images, and images without reports.

    --json: {"image-text": {"P@5", "P@5_interval", "chance", "ceiling", "majority",
    "times_chance", "routes", "by_label", "archive_unseen": {..., "across"}}, "text-image": {...},
    "n_images", "n_texts", "n_patients", "n_labels", "skipped"}. --scores:
    direction,query,rank,candidate, where a text goes by the first image that carries it.
    """
    from tiepoint.encoders.nested import encoder_of, one_of_each
    from tiepoint.types import IMAGE, TEXT
    from tiepoint_medical.evaluation.cases import Columns, check_apart, read_cases
    from tiepoint_medical.evaluation.features import features_of
    from tiepoint_medical.evaluation.protocol import evaluate_folds, evaluate_held_out
    from tiepoint_medical.matching.sections import IMAGES, REPORTS

    if (folds is None) == (fit_metadata is None) or (fit_metadata is None) != (fit_root is None):
        raise click.UsageError("give either --folds, or --fit-metadata with --fit-root")
    columns = Columns(image_column, text_column, label_column, group_column)
    cases = read_cases(metadata, root, columns)
    fitted_on = (
        []
        if fit_metadata is None or fit_root is None
        else read_cases(fit_metadata, fit_root, columns)
    )
    check_apart(fitted_on, cases)
    with one_of_each():
        encoders = {
            IMAGE: encoder_of(IMAGES, "images"),
            TEXT: encoder_of(REPORTS, "reports"),
        }
    with progress_of("encoding") as told:
        features = features_of([*fitted_on, *cases], encoders[IMAGE], encoders[TEXT], told)
    if folds is not None:
        with progress_of("fitting") as told:
            found = evaluate_folds(encoders, features, folds, seed, told)
    else:
        import numpy as np

        known = {id(case) for case in fitted_on}
        rows = [row for row, case in enumerate(features.cases) if id(case) in known]
        found = evaluate_held_out(encoders, features, np.array(rows, np.intp))
    figures = found.figures | {"skipped": list(features.skipped)}
    if scores is not None:
        write_file(scores, _table(found))
    if deliver(json_file, figures):
        _print(figures)


def _table(found: Evaluation) -> bytes:
    content = io.StringIO()
    rows = csv.writer(content, lineterminator="\n")
    rows.writerow(["direction", "query", "rank", "candidate"])
    for direction, ranking in found.rankings.items():
        for query, order in zip(ranking.queries, ranking.order, strict=True):
            for place, which in enumerate(order, 1):
                rows.writerow([direction, query.name, place, ranking.candidates[which].name])
    return content.getvalue().encode()


def _print(figures: dict[str, Any]) -> None:
    for direction in ("image-text", "text-image"):
        one = figures[direction]
        low, high = one["P@5_interval"]
        click.echo(
            f"{direction}  P@5 {one['P@5']:.3f} (95 %: {low:.3f} to {high:.3f});"
            f" chance {one['chance']:.3f}, majority {one['majority']:.3f},"
            f" ceiling {one['ceiling']:.3f}"
        )
        routes = ", ".join(f"{route} {value:.3f}" for route, value in one["routes"].items())
        click.echo(f"            by route: {routes}")
        unseen = one.get("archive_unseen", one)
        click.echo(
            f"            archive unseen {unseen['P@5']:.3f};"
            f" candidates without the query's modality {unseen['across']:.3f}"
        )
    say(
        f"{figures['n_images']} images, {figures['n_texts']} reports,"
        f" {figures['n_patients']} patients, {figures['n_labels']} labels;"
        " the encoders know no radiology"
    )
