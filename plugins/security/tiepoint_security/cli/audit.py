"""`tiepoint security audit`: who did what, and whether the log is whole."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json, print_table, say
from tiepoint_security.cli.records import opened_records


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Check the chain of hashes instead of listing.")
@click.option("--head", metavar="HASH", help="With --verify: a hash noted earlier.")
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

    With --json: {"lines": [{"number", "at", "user", "action", "subject", "details", "hash"}]},
    or with --verify {"intact", "lines", "head", "broken_at", "reason"}.
    """
    if head is not None and not verify:
        raise click.UsageError("--head goes with --verify")
    with opened_records(config) as records:
        if not verify:
            lines = records.audit.lines(alert, user, most)
            if as_json:
                print_json({"lines": lines})
            else:
                header = ("number", "at", "user", "action", "subject")
                print_table(header, [tuple(str(line[key]) for key in header) for line in lines])
            return
        found = records.audit.verify(head)
    if as_json:
        print_json(
            {
                "intact": found.intact,
                "lines": found.lines,
                "head": found.head,
                "broken_at": found.broken_at,
                "reason": found.reason,
            }
        )
    elif found.intact:
        echo(f"{found.lines} lines, intact; head {found.head}")
    if not found.intact:
        say(f"the audit log is broken at line {found.broken_at}: {found.reason}")
        context.exit(1)
