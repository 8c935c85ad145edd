"""`tiepoint security search`: find the moment by words, a picture or a clip."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import echo, print_json, print_table, warn
from tiepoint_security.alerts.severity import SEVERITIES, Severity
from tiepoint_security.cli.footage import MOMENTS, footage_of, moment
from tiepoint_security.cli.records import user_option

if TYPE_CHECKING:
    from tiepoint_security.cli.footage import Footage
    from tiepoint_security.footage.question import FootageHit, FootageQuestion, LookAt


@click.command(
    epilog="Example: tiepoint security search deployment.yaml --text 'a red van' --camera gate"
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--text", metavar="TEXT", help="Words, in English, Chinese or another language.")
@click.option("--image", type=click.Path(path_type=Path), help="A picture.")
@click.option("--video", metavar="FILE", help="A clip, or a part of one: talk.mp4#t=10,20.5")
@click.option("--camera", metavar="NAME", help="Only what this camera saw.")
@click.option(
    "--from", "since", type=click.DateTime(MOMENTS), metavar="TIME", help="Not before it (UTC)."
)
@click.option(
    "--to", "until", type=click.DateTime(MOMENTS), metavar="TIME", help="Not after it (UTC)."
)
@click.option("--zone", metavar="NAME", help="Only where something was in this zone.")
@click.option(
    "--severity", type=click.Choice(SEVERITIES), help="Only with an alert at least so bad."
)
@click.option(
    "-k", "k", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many."
)
@click.option(
    "--look-at",
    type=click.Choice(["scene", "moving", "both"]),
    help="The whole picture or what moved.  [default: both for words, else scene]",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Copy clips and a page there."
)
@user_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def search(
    config: Path,
    text: str | None,
    image: Path | None,
    video: str | None,
    camera: str | None,
    since: datetime | None,
    until: datetime | None,
    zone: str | None,
    severity: Severity | None,
    k: int,
    look_at: LookAt | None,
    out: Path | None,
    user: str,
    as_json: bool,
) -> None:
    """Find what cameras saw; each answer is a time, with a thumbnail and a clip that plays.

    Where a running process holds the store, that process answers. What was asked for is noted
    in the audit log. With --out, the page footage.html there shows the answers.

    With --json: {"segments": [{"id", "score", "camera", "start", "end", "zones", "severity",
    "clip", "thumbnail"}], "took_ms", "page"}; "clip" and "thumbnail" are null where retention
    removed them meanwhile, "page" is null without --out.
    """
    from tiepoint.cli.asking import ask
    from tiepoint_security.footage.index import takes_moving
    from tiepoint_security.footage.question import FootageHit, FootageQuestion

    footage = footage_of(config)
    question = FootageQuestion(
        text, image, video, camera, moment(since), moment(until), zone, severity, k, look_at
    )
    _warn_of_unknown(footage, question)
    name = footage.settings.collection
    found, took_ms = ask(config, question.asked(name, takes_moving(footage.deployment, name)))
    hits = [FootageHit.of(hit) for hit in found]
    _note(footage, user, question, hits)
    page = None
    if out is not None:
        from tiepoint_security.footage.page import write_page

        page = write_page(out, question, hits)
    if as_json:
        print_json(
            {
                "segments": [hit.as_dict() for hit in hits],
                "took_ms": round(took_ms, 3),
                "page": None if page is None else str(page),
            }
        )
        return
    _print(hits)
    if page is not None:
        echo(str(page))


def _warn_of_unknown(footage: Footage, question: FootageQuestion) -> None:
    """Say so where a camera is asked for that saw nothing, or a zone that no camera has."""
    known = footage.store.cameras()
    if question.camera is not None and question.camera not in known:
        listed = ", ".join(known) or "none"
        warn(f"there is no footage of a camera {question.camera!r}; there is of: {listed}")
    zones = {zone for camera in footage.config.cameras.values() for zone in camera.zones}
    if question.zone is not None and question.zone not in zones:
        listed = ", ".join(sorted(zones)) or "none"
        warn(f"no camera of the deployment has a zone {question.zone!r}; there is: {listed}")


def _note(footage: Footage, user: str, question: FootageQuestion, hits: list[FootageHit]) -> None:
    """Note in the audit log who asked for what, and what was shown."""
    from tiepoint_security.alarm import Records

    records = Records(footage.config.records, footage.deployment.store.uri)
    asked = {
        name: str(value)
        for name, value in (
            ("text", question.text),
            ("image", question.image),
            ("video", question.video),
            ("where", question.where),
        )
        if value is not None
    }
    try:
        with records.database.writing() as session:
            details = {**asked, "shown": [hit.id for hit in hits]}
            records.audit.note(session, user, "searched", "footage", details)
    finally:
        records.close()


def _print(hits: list[FootageHit]) -> None:
    rows: list[tuple[str, ...]] = []
    for hit in hits:
        told = hit.as_dict()
        rows.append(
            (
                told["start"],
                hit.camera,
                f"{hit.end_s - hit.start_s:.0f} s",
                f"{hit.score:.3f}",
                hit.severity or "-",
                told["clip"] or "removed",
            )
        )
    print_table(("from", "camera", "lasts", "score", "alert", "clip"), rows)
