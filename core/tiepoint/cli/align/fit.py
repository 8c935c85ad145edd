"""`tiepoint align fit`: from pairs to an aligner that a deployment names."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.align.features import encoded, with_views_of
from tiepoint.cli.align.options import PATH, PairChoice, pair_options
from tiepoint.cli.align.reports import completed, print_report
from tiepoint.cli.align.settings import parsed_options
from tiepoint.cli.align.steps import shown_steps
from tiepoint.cli.align.subjects import ChosenEncoders, chosen_encoders
from tiepoint.cli.output import print_json, say
from tiepoint.cli.result_folder import CHECKPOINT, check_result_folder
from tiepoint.errors import InputError

if TYPE_CHECKING:
    from tiepoint.alignment.fitted import FittedAligner
    from tiepoint.alignment.fitting import FitSettings
    from tiepoint.alignment.pair_files import Pair
    from tiepoint.alignment.pairs import PairSet


@click.command(epilog="Example: tiepoint align fit --pairs pairs.csv --preset fast --out aligner")
@pair_options
@click.option("--split", default="train", show_default=True, help="The split to learn from.")
@click.option("--val", "val_split", metavar="SPLIT", help="The split to validate on.")
@click.option("--method", default="contrastive", show_default=True, help="Such as ridge or cca.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the method, such as epochs=30 or hubness.kind=nnn; repeatable.",
)
@click.option("--out", type=PATH, required=True, help="The folder to write.")
@click.option("--force", is_flag=True, help="Replace an aligner that --out holds already.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything random."
)
@click.option("--tune", type=click.IntRange(1), metavar="N", help="Try N settings on --val first.")
@click.option("--tensorboard", type=PATH, help="Log steps to this folder.")
@click.option("--wandb", metavar="PROJECT", help="Log steps to this project of Weights & Biases.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def fit(
    chosen: PairChoice,
    split: str,
    val_split: str | None,
    method: str,
    settings: tuple[str, ...],
    out: Path,
    force: bool,
    seed: int,
    tune: int | None,
    tensorboard: Path | None,
    wandb: str | None,
    as_json: bool,
) -> None:
    """Fit an aligner on image-text pairs and save it.

    Images and texts are encoded once and remembered, so that a second fit takes seconds. A fit
    that was cut short is continued by running it again; one that is complete is replaced with
    --force only. With --val the result is evaluated
    and its probabilities are calibrated on that split.

    With --json: {"method", "out", "pairs", "skipped", "seconds", "options", "metrics",
    "warnings"}.
    """
    from tiepoint.alignment.card import SAVED
    from tiepoint.alignment.fitting import FitSettings
    from tiepoint.alignment.saved import fitted_method

    check_result_folder(out, SAVED.card, force=force)
    made = fitted_method(method)
    subject = chosen_encoders(chosen.config, chosen.preset)
    options = parsed_options(settings)
    # Wrong options and encoders end the command before anything is encoded.
    untried = made(subject.encoders, **options)
    untried.check_encoders()
    views = untried.views
    if tune is not None and val_split is None:
        raise InputError("tuning needs --val", where="--tune", hint="Name the validation split.")
    if tune is not None and not made.tunable:
        raise InputError(f"the method {method!r} has nothing to tune", where="--tune")
    lines = _lines(chosen, split, val_split, made.learns_from_unpaired)
    with ExitStack() as stack:
        shown = shown_steps(stack, tensorboard, wandb)
        told = FitSettings(seed, shown, out / CHECKPOINT)
        pairs, val, skipped = _features(lines, chosen, subject, made.learns_from_unpaired)
        if views is not None:
            pairs = with_views_of(pairs, chosen.folder, subject.encoders["image"], views)
        if tune is not None and val is not None:
            options = _tuned(made, subject, options, pairs, val, told, tune)
        aligner = made(subject.encoders, **options)
        try:
            if made.trains_encoders:
                trained = aligner.trained_encoders(pairs, val, chosen.folder, out, told)
                subject = subject.adapted(trained)
                pairs, val, skipped = _features(lines, chosen, subject, unpaired=False)
            report = aligner.fit(pairs, val, told)
        except KeyboardInterrupt:
            say("the state of the training is kept; run the command again to go on")
            raise
    metrics = completed(aligner, subject, val, report)
    aligner.save(out)
    shutil.rmtree(out / CHECKPOINT, ignore_errors=True)
    for warning in report.warnings:
        say(f"warning: {warning}")
    if as_json:
        print_json(
            {
                "method": method,
                "out": str(out),
                "pairs": report.pairs,
                "skipped": skipped,
                "seconds": round(report.seconds, 3),
                "options": aligner.options.model_dump(mode="json"),
                "metrics": metrics,
                "warnings": list(report.warnings),
            }
        )
    else:
        print_report(report, metrics, out, subject)


@dataclass(frozen=True)
class _Lines:
    """The lines of the split to learn from, and of that to validate on."""

    split: str
    train: list[Pair]
    val_split: str | None
    val: list[Pair]


def _lines(chosen: PairChoice, split: str, val_split: str | None, unpaired: bool) -> _Lines:
    """Read the file of pairs, and warn of lines that teach nothing or are in both splits."""
    from tiepoint.alignment.pair_files import overlap, read_pairs

    file = read_pairs(chosen.pairs_file)
    train = file.select(split, chosen.languages, unpaired=True)
    lonely = sum(not pair.complete for pair in train)
    if lonely and not unpaired:
        say(
            f"warning: {lonely} lines have no text or no image and are left out; the method"
            " semi-supervised learns from them"
        )
        train = file.select(split, chosen.languages)
    val = file.select(val_split, chosen.languages) if val_split is not None else []
    if shared := overlap(train, val):
        say(
            f"warning: {shared} images of the split {val_split!r} are in {split!r}, too; figures"
            " on them are too good"
        )
    return _Lines(split, train, val_split, val)


def _features(
    lines: _Lines, chosen: PairChoice, subject: ChosenEncoders, unpaired: bool
) -> tuple[PairSet, PairSet | None, int]:
    """Encode the pairs to learn from and those to validate on; returns how many were skipped."""
    root, strict = chosen.folder, chosen.strict
    learned = encoded(lines.train, root, subject.encoders, strict, lines.split, unpaired=unpaired)
    if lines.val_split is None:
        return learned.pairs, None, len(learned.skipped)
    tested = encoded(lines.val, root, subject.encoders, strict, lines.val_split)
    return learned.pairs, tested.pairs, len(learned.skipped) + len(tested.skipped)


def _tuned(
    made: type[FittedAligner],
    subject: ChosenEncoders,
    options: dict[str, Any],
    pairs: PairSet,
    val: PairSet,
    settings: FitSettings,
    trials: int,
) -> dict[str, Any]:
    from tiepoint.alignment.tuning import tuned

    def show(trial: int, rsum: float, best: float) -> None:
        say(f"trial {trial} of {trials}: val rsum {rsum:.1f}, best {best:.1f}")

    return tuned(made, subject.encoders, options, pairs, val, settings, trials, show)
