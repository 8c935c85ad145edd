"""`tiepoint security ack`: take alerts, and say whether they were right."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from tiepoint.cli.output import echo, print_json
from tiepoint_security.cli.records import opened_records, user_option


@click.command(epilog="Example: tiepoint security ack deployment.yaml 20260131-0007 --false-alarm")
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("alerts", nargs=-1, required=True, metavar="ALERT...")
@click.option("--false-alarm", "verdict", flag_value="false_alarm", help="It was nothing.")
@click.option("--confirmed", "verdict", flag_value="confirmed", help="It was right.")
@click.option("--note", default="", help="What else there is to say.")
@user_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ack(
    config: Path,
    alerts: tuple[str, ...],
    verdict: Literal["confirmed", "false_alarm"] | None,
    note: str,
    user: str,
    as_json: bool,
) -> None:
    """Acknowledge alerts, which ends their escalation.

    A process that runs the deployment tells the sinks within seconds. False alarms are what
    thresholds are calibrated with.

    With --json: {"acknowledged": [{"alert", "user", "verdict", "first"}]}; "first" is false
    where somebody had acknowledged before.
    """
    done = []
    with opened_records(config) as records:
        for alert in alerts:
            if verdict is None:
                first = records.archive.acknowledge(alert, user, note)
            else:
                first = records.archive.judge(alert, user, verdict, note)
            done.append({"alert": alert, "user": user, "verdict": verdict, "first": first})
    if as_json:
        print_json({"acknowledged": done})
        return
    for one in done:
        before = "" if one["first"] else " (somebody had before)"
        echo(f"{one['alert']}: acknowledged by {user}{before}")
