"""What a fit has come to: its card is completed, and the user is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.align.subjects import ChosenEncoders
from tiepoint.cli.output import say
from tiepoint.errors import InputError

if TYPE_CHECKING:
    from tiepoint.alignment.fitted import FittedAligner
    from tiepoint.alignment.fitting import FitReport
    from tiepoint.alignment.pairs import PairSet


def completed(
    aligner: FittedAligner, subject: ChosenEncoders, val: PairSet | None, report: FitReport
) -> dict[str, Any]:
    """Calibrate on the validation pairs, and complete the card; returns its metrics."""
    from tiepoint.alignment.calibrating import calibrate, cross_validated

    metrics = dict(report.metrics)
    if aligner.card is None:
        return metrics
    cards = {
        m: card.model_copy(update={"section": subject.sections[m]})
        for m, card in aligner.card.encoders.items()
    }
    calibration = {}
    if val is not None:
        try:
            calibration = calibrate(aligner, val)
            metrics["calibration"] = cross_validated(aligner, val)
        except InputError as error:
            say(f"warning: probabilities are not calibrated: {error.what}")
    aligner.with_card(encoders=cards, calibration=calibration, metrics=metrics)
    return metrics


def print_report(
    report: FitReport, metrics: dict[str, Any], out: Path, subject: ChosenEncoders
) -> None:
    """Print figures, and the lines of a deployment file that use the aligner."""
    if "untuned" in metrics:
        click.echo(f"untuned: rsum {metrics['untuned']['rsum']:.1f}")
    if "val" in metrics:
        val = metrics["val"]
        for direction in ("i2t", "t2i"):
            figures = "  ".join(f"{name} {value:5.1f}" for name, value in val[direction].items())
            click.echo(f"{direction}  {figures}")
        click.echo(f"rsum {val['rsum']:.1f} on {val['n_images']} images, {val['n_texts']} texts")
    modalities = ", ".join(f"{m}: NAME" for m in subject.encoders)
    click.echo(f"{report.method}: {report.pairs} pairs in {report.seconds:.1f} s; wrote {out}")
    section = subject.sections[next(iter(subject.sections))]
    if "adapter" in section:
        model = f"type: {section['type']}, model: {section['model']}"
        click.echo(f"encoders: {{NAME: {{{model}, adapter: {out}}}}}")
    click.echo(f"alignment: {{type: saved, path: {out}, encoders: {{{modalities}}}}}")
