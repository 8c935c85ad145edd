"""`tiepoint security eval`: the anomaly protocol on labelled clips."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.json_file import deliver, json_option
from tiepoint.cli.output import print_table, say
from tiepoint_security.cli.fit import FOLDER

if TYPE_CHECKING:
    from tiepoint_security.evaluation.labels import Label
    from tiepoint_security.evaluation.protocol import ScoredClip

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    "eval",
    epilog="Example: tiepoint security eval --train ordinary --test clips --labels labels.csv",
)
@click.option("--train", type=FOLDER, required=True, help="Ordinary footage: folders of frames.")
@click.option("--test", type=FOLDER, required=True, help="The clips to score: folders of frames.")
@click.option(
    "--labels",
    "labels_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="CSV: file,anomaly (0 or 1). Files are looked up under --test, then its parent.",
)
@click.option("--fps", type=click.FloatRange(0.5, 120), default=10.0, show_default=True)
@click.option(
    "--alerts-per-hour", type=click.FloatRange(0.001, 1000), default=1.0, show_default=True
)
@click.option("--baseline", is_flag=True, help="Compare with the plain recipe on the same frames.")
@json_option
@click.option("--scores", "scores_file", type=FILE, help="Write file,score of every frame (CSV).")
def evaluate(
    train: Path,
    test: Path,
    labels_file: Path,
    fps: float,
    alerts_per_hour: float,
    baseline: bool,
    json_file: Path | None,
    scores_file: Path | None,
) -> None:
    """Measure how well abnormal frames are found, on frames with labels.

    Fits on the ordinary footage only; a frame's score rests on earlier frames of its folder
    only. Frame-level micro AUC; at the threshold: event recall, time to alert, and false alarms
    per hour with the upper 95 % bound and the hours that it rests on.
    """
    from tiepoint.cli.progress import progress_of
    from tiepoint_security.evaluation import protocol
    from tiepoint_security.evaluation.labels import read_labels
    from tiepoint_security.frames.folders import frame_folders
    from tiepoint_security.normality.fitting import fit

    labels = read_labels(labels_file, test)
    training, root = frame_folders(train), _root(labels)
    folders = protocol.with_labels(frame_folders(root), labels)
    with progress_of("training frames") as report:
        clips = protocol.training_motion(training, fps, report)
    normality, held_out = fit(clips, fps, alerts_per_hour)
    with progress_of("test frames") as report:
        scored = protocol.score_clips(normality, folders, labels, root, report)
    figures = protocol.figures(normality, held_out, scored)
    if baseline:
        with progress_of("baseline") as report:
            found = protocol.against_baseline(scored, training, folders, fps, report)
        if found is not None:
            area, comparison = found
            gain = comparison.difference
            figures["baseline"] = {
                "auc": area,
                "difference": gain.value,
                "difference_interval": [gain.low, gain.high],
                "p_value": comparison.p_value,
            }
    if scores_file is not None:
        _write_scores(scores_file, labels, scored)
    if deliver(json_file, figures):
        _print(figures)


def _root(labels: Sequence[Label]) -> Path:
    """Return the folder that holds all labelled frames."""
    import os

    return Path(os.path.commonpath([label.path.parent for label in labels]))


def _write_scores(path: Path, labels: Sequence[Label], clips: Sequence[ScoredClip]) -> None:
    of = {
        label.path: score
        for clip in clips
        for label, score in zip(clip.labels, clip.scores.tolist(), strict=True)
    }
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "score"))
        writer.writerows((label.file, repr(of[label.path])) for label in labels)


def _print(figures: dict[str, Any]) -> None:
    print_table(
        ("clip", "frames", "abnormal", "AUC", "time to alert", "false alarms"),
        [
            (
                clip["clip"],
                str(clip["frames"]),
                str(clip["abnormal_frames"]),
                "-" if clip["auc"] is None else f"{clip['auc']:.3f}",
                " ".join("missed" if t is None else f"{t:.1f} s" for t in clip["times_to_alert_s"])
                or "-",
                str(clip["false_alarms"]),
            )
            for clip in figures["clips"]
        ],
    )
    if figures["auc"] is not None:
        low, high = figures["auc_interval"]
        click.echo(f"micro AUC {figures['auc']:.4f} (95 %: {low:.3f} to {high:.3f})")
    if "baseline" in figures:
        other = figures["baseline"]
        low, high = other["difference_interval"]
        click.echo(
            f"plain recipe {other['auc']:.4f}; difference {other['difference']:+.4f}"
            f" (95 %: {low:+.4f} to {high:+.4f}; p = {other['p_value']:.3f})"
        )
    alarms = figures["alarms"]
    if alarms["events"]:
        time = alarms["median_time_to_alert_s"]
        click.echo(
            f"events found {alarms['events_found']} of {alarms['events']}"
            + ("" if time is None else f", median time to alert {time:.1f} s")
        )
    for name, false in (
        ("test", alarms["false_alarms"]),
        ("held-out", figures["held_out_false_alarms"]),
    ):
        if false["hours"]:
            click.echo(
                f"false alarms in {name} footage: {false['count']} in {false['hours']:.3f} h;"
                f" at most {false['per_hour_upper_95']:.1f} an hour (95 %)"
            )
    say(f"threshold {figures['threshold']:.3f}; model {figures['fingerprint']}")
