"""`tiepoint security watch FILE`: what runs on cameras, over a recording."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.output import echo, say

if TYPE_CHECKING:
    from tiepoint_security.scene.vision import Vision
    from tiepoint_security.settings import AlertSettings
    from tiepoint_security.watching.settings import WatchSettings

_CAMERA = "recording"


@click.command(
    epilog="Example: tiepoint security watch gate.mp4 --text 'a person on the rails' --out evidence"
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The deployment whose rules are looked at; else abnormal motion, --text and --picture.",
)
@click.option("--camera", help="The camera of the deployment whose rules and zones count.")
@click.option("--text", "texts", multiple=True, help="Alert on what fits this sentence.")
@click.option(
    "--picture",
    "pictures",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Alert on what looks like this picture.",
)
@click.option(
    "--normality",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="What is ordinary, by `tiepoint security fit`; else learned from the beginning.",
)
@click.option(
    "--learn-s",
    type=click.FloatRange(40, 7200),
    help="Seconds at the beginning that are ordinary.  [default: 60]",
)
@click.option("--fps", type=click.FloatRange(0.5, 60), help="Analysed frames a second.")
@click.option(
    "--alerts-per-hour",
    type=click.FloatRange(0.001, 1000),
    default=1.0,
    show_default=True,
    help="How often ordinary footage may reach the threshold of --text and --picture.",
)
@click.option(
    "--begins", help="When the recording was begun, such as 2026-05-01T12:00:00+02:00; else now."
)
@click.option(
    "--learned",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where what is learned of the camera is kept from one recording to the next.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Where evidence goes."
)
@click.option("--json", "as_json", is_flag=True, help="Print each message as a line of JSON.")
def watch(
    file: Path,
    config: Path | None,
    camera: str | None,
    texts: tuple[str, ...],
    pictures: tuple[Path, ...],
    normality: Path | None,
    learn_s: float | None,
    fps: float | None,
    alerts_per_hour: float,
    begins: str | None,
    learned: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Watch a recording as a camera would be watched, as fast as it goes, and print alerts.

    FILE is a video or a folder of frames. Times are those of the recording; a frame is judged
    by what came before it alone.
    """
    from tiepoint.cli.progress import progress_of
    from tiepoint_security.watching.recording import RecordingWatch

    described = [{"text": text} for text in texts]
    described += [{"picture": str(picture)} for picture in pictures]
    rules = {
        f"described{number}": {"when": {"described": {**one, "alerts_per_hour": alerts_per_hour}}}
        for number, one in enumerate(described, 1)
    }
    changes = _changes(file, normality, fps)
    if config is None:
        settings, alerts, vision = _default(rules, changes, learn_s)
    else:
        settings, alerts, vision = _deployed(config, camera, rules, changes, learn_s)

    def hear(body: Mapping[str, Any]) -> None:
        if as_json:
            click.echo(json.dumps(body, ensure_ascii=True))
        elif (line := _line(body)) is not None:
            echo(line)

    watcher = RecordingWatch(settings, alerts, vision, hear, out, learned, _moment(begins))
    with progress_of("seconds") as report:
        frames = watcher.run(lambda done: report(round(done), None))
    watcher.save()
    for rule, missing in watcher.learning.items():
        for trigger, what in missing.items():
            say(f"rule {rule}, {trigger}: not judged, {what}")
    seconds = watcher.clock.at_s
    say(f"{frames} frames of {seconds:.0f} s, {len(watcher.journal.alerts)} alerts")


def _changes(file: Path, normality: Path | None, fps: float | None) -> dict[str, Any]:
    given: dict[str, Any] = {"address": str(file), "loop": False}
    if normality is not None:
        given["normality"] = str(normality)
    if fps is not None:
        given["fps"] = fps
    return given


def _default(
    rules: Mapping[str, Any], camera: dict[str, Any], learn_s: float | None
) -> tuple[WatchSettings, AlertSettings, Vision | None]:
    from tiepoint.assembly import Assembly
    from tiepoint.config.problems import validate
    from tiepoint.embedded import embedded_deployment
    from tiepoint_security.scene.vision import Vision
    from tiepoint_security.settings import AlertSettings
    from tiepoint_security.watching.settings import WatchSettings

    given = {
        "cameras": {_CAMERA: camera},
        "rules": {"abnormal": {"when": {"abnormal": {}}}, **rules},
        "learning": {"seconds": learn_s or 60.0},
    }
    settings = validate(WatchSettings, given, ("watch",))
    vision = None
    if rules:
        made = Assembly(embedded_deployment("unused"))
        vision = Vision.chosen(None, made.aligner, made.encoders.__getitem__)
    return settings, AlertSettings(), vision


def _deployed(
    config: Path,
    camera: str | None,
    rules: Mapping[str, Any],
    changes: dict[str, Any],
    learn_s: float | None,
) -> tuple[WatchSettings, AlertSettings, Vision | None]:
    from tiepoint.assembly import Assembly
    from tiepoint.config.loader import load
    from tiepoint.config.problems import nearest, validate
    from tiepoint.errors import InputError
    from tiepoint_security.cli.records import security_of
    from tiepoint_security.scene.vision import Vision
    from tiepoint_security.watching.settings import WatchSettings

    deployment = load(config)
    section = security_of(deployment, config)
    names = list(section.cameras)
    if camera is None and len(names) == 1:
        camera = names[0]
    if camera is None or camera not in section.cameras:
        raise InputError(
            "no camera is named" if camera is None else f"there is no camera {camera!r}",
            where=str(config),
            hint=nearest(camera or "", names, "Give --camera; the cameras"),
        )
    here = section.cameras[camera].model_dump(mode="json", by_alias=True) | changes
    given = {
        "cameras": {camera: here},
        "rules": {
            name: rule.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"cameras": []}
            for name, rule in section.rules_of(camera).items()
        }
        | dict(rules),
        "learning": section.learning.model_dump()
        | ({} if learn_s is None else {"seconds": learn_s}),
        "encoder": section.encoder,
        "detector": section.detector and section.detector.model_dump(mode="json"),
        "evidence": section.evidence.model_dump(),
        "tampering": section.tampering.model_dump(),
    }
    here["rules"] = {}
    settings = validate(WatchSettings, given, ("plugins", "security"))
    made = Assembly(deployment)
    return (
        settings,
        section.alerts,
        Vision.chosen(section.encoder, made.aligner, made.encoders.__getitem__),
    )


def _moment(begins: str | None) -> float | None:
    from tiepoint.errors import InputError

    if begins is None:
        return None
    try:
        return datetime.fromisoformat(begins).timestamp()
    except ValueError as error:
        raise InputError(
            f"{begins!r} is no time", where="--begins", hint="Give it as 2026-05-01T12:00:00+02:00."
        ) from error


def _line(body: Mapping[str, Any]) -> str | None:
    """Return what a message says, in a line; updates only where something was added."""
    after = body["after"]
    if body["type"] == "update":
        return None
    words = {"new": "alert", "end": "over "}
    score = after["peak"]
    parts = ", ".join(f"{name} {value:.2f}" for name, value in after["contributions"].items())
    place = f", in {' and '.join(after['zones'])}" if after["zones"] else ""
    return (
        f"{body['at']}  {words[body['type']]}  [{after['severity']}] {after['rule']}{place}"
        f"  score {score:.2f} ({parts})"
    )
