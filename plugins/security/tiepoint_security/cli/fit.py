"""`tiepoint security fit`: learn what is ordinary on a camera."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import print_json, say

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command(epilog="Example: tiepoint security fit --train ordinary --fps 10 --out normality")
@click.option("--train", type=FOLDER, required=True, help="Ordinary footage: folders of frames.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where to save."
)
@click.option(
    "--fps",
    type=click.FloatRange(0.5, 120),
    default=10.0,
    show_default=True,
    help="Frames per second of the footage.",
)
@click.option(
    "--alerts-per-hour",
    type=click.FloatRange(0.001, 1000),
    default=1.0,
    show_default=True,
    help="Alarms that an hour of ordinary footage may raise; sets the threshold.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the card as JSON.")
def fit(train: Path, out: Path, fps: float, alerts_per_hour: float, as_json: bool) -> None:
    """Learn what is ordinary on a camera from ordinary footage.

    Each folder of frames is a clip of its own. The clips are held out in turn to find the
    threshold. Writes normality.safetensors and normality.json.
    """
    from tiepoint.cli.progress import progress_of
    from tiepoint_security.evaluation.protocol import training_motion
    from tiepoint_security.frames.folders import frame_folders
    from tiepoint_security.normality.fitting import fit as fit_normality

    folders = frame_folders(train)
    with progress_of("frames") as report:
        clips = training_motion(folders, fps, report)
    normality, _ = fit_normality(clips, fps, alerts_per_hour)
    normality.save(out)
    card = normality.card
    if as_json:
        print_json(card.model_dump(mode="json") | {"fingerprint": normality.fingerprint})
    say(
        f"fitted on {card.frames} frames in {card.clips} clips, {card.width} x {card.height};"
        f" threshold {card.threshold:.3f}; saved in {out}"
    )
