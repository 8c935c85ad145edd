"""`tiepoint security audit`: who did what, and whether the log is whole."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import print_json, print_table
from tiepoint_adapters.audit.command import check_head, tell_verification, verify_options
from tiepoint_security.cli.records import opened_records


@click.command(epilog="Example: tiepoint security audit deployment.yaml --verify")
@click.argument("config", type=click.Path(path_type=Path))
@verify_options
@click.option("--alert", metavar="ALERT", help="Only what was done with this alert.")
@click.option("--user", metavar="NAME", help="Only what this user did.")
@click.option("-n", "most", default=50, type=click.IntRange(1, 1_000_000), help="How many lines.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def audit(
    context: click.Context,
    config: Path,
    verify: bool,
    head: str | None,
    alert: str | None,
    user: str | None,
    most: int,
    as_json: bool,
) -> None:
    """List who viewed, acknowledged, judged, exported or removed what, or check the log.

    Exit code 1 if the log does not verify. Keep the printed head elsewhere: given as --head
    later, it shows whether lines were cut off or the chain was made anew.

    With --json: {"lines": [{"number", "at", "user", "action", "subject", "details", "previous",
    "hash"}]}, or with --verify {"intact", "lines", "head", "broken_at", "reason"}.
    """
    check_head(verify, head)
    with opened_records(config) as records:
        if verify:
            tell_verification(context, records.audit.verify(head), as_json)
            return
        lines = records.audit.lines(alert, user, most)
    if as_json:
        print_json({"lines": lines})
    else:
        header = ("number", "at", "user", "action", "subject")
        print_table(header, [tuple(str(line[key]) for key in header) for line in lines])
