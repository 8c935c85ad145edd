"""`tiepoint security alerts`: look through the alerts of a deployment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tiepoint.cli.output import print_json, print_table
from tiepoint_security.alerts.severity import SEVERITIES, Severity
from tiepoint_security.cli.records import opened_records, user_option

_DATES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


@click.command(epilog="Example: tiepoint security alerts deployment.yaml --camera gate --open")
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("alert", required=False)
@click.option("--camera", metavar="NAME", help="Only this camera's.")
@click.option("--rule", metavar="NAME", help="Only this rule's.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="At least so bad.")
@click.option("--since", type=click.DateTime(_DATES), help="Begun then or later (UTC).")
@click.option("--until", type=click.DateTime(_DATES), help="Begun before (UTC).")
@click.option("--open", "open_only", is_flag=True, help="Only what nobody has acknowledged.")
@click.option("-n", "most", default=50, type=click.IntRange(1, 10_000), help="How many at most.")
@user_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def alerts(
    config: Path,
    alert: str | None,
    camera: str | None,
    rule: str | None,
    severity: Severity | None,
    since: datetime | None,
    until: datetime | None,
    open_only: bool,
    most: int,
    user: str,
    as_json: bool,
) -> None:
    """List the alerts of a deployment, the newest first, or show one ALERT.

    That you looked at one ALERT is noted in the audit log.

    With --json: {"alerts": [..]}, each as in messages, with "reviews"; {"alert": {..}} for one.
    """
    from tiepoint_security.records.archive import Question

    with opened_records(config) as records:
        if alert is not None:
            found = records.archive.view(alert, user)
            if as_json:
                print_json({"alert": found})
            else:
                _print_one(found)
            return
        question = Question(
            camera=camera,
            rule=rule,
            least=severity,
            since_s=_seconds(since),
            until_s=_seconds(until),
            open_only=open_only,
            most=most,
        )
        listed = records.archive.find(question)
    if as_json:
        print_json({"alerts": listed})
    else:
        _print_all(listed)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.replace(tzinfo=UTC).timestamp()


def _print_all(listed: list[dict[str, Any]]) -> None:
    rows: list[tuple[str, ...]] = [
        (
            alert["id"],
            alert["started_at"],
            alert["severity"],
            alert["rule"],
            ", ".join(alert["cameras"]),
            alert["state"],
            alert["acknowledged_by"] or "-",
        )
        for alert in listed
    ]
    header = ("alert", "started", "severity", "rule", "cameras", "state", "acknowledged by")
    print_table(header, rows)


def _print_one(alert: dict[str, Any]) -> None:
    rows: list[tuple[str, ...]] = [
        (name, _text(value)) for name, value in alert.items() if value not in (None, [], {})
    ]
    print_table(("of", "is"), rows)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(_text(part) for part in value)
    return str(value)
