"""`tiepoint medical worklist`, `read` and `audit`: what waits, and who did what."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json, print_table, say
from tiepoint_medical.cli.opening import opened_service

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("config", type=_PATH)
@click.option("--read", "match", metavar="ID", help="Show this match and mark it as read.")
@click.option("--all", "everything", is_flag=True, help="Those that were read, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def worklist(config: Path, match: str | None, everything: bool, as_json: bool) -> None:
    """List the matches that nobody has read, the newest first.

    --json: {"matches": [{"id", "created", "read_by", "read", "result"}]}; with --read the match.
    """
    with opened_service(config) as service:
        if match is not None:
            print_json(service.records.read_match(match, service.user))
            return
        matches = service.records.worklist(unread=not everything)
    if as_json:
        print_json({"matches": matches})
        return
    rows: list[tuple[str, ...]] = [
        (str(one["id"]), str(len(one["result"]["hits"])), str(one["read_by"] or "unread"))
        for one in matches
    ]
    print_table(("id", "cases", "read by"), rows)


@click.command()
@click.argument("config", type=_PATH)
@click.option("--verify", is_flag=True, help="Check the chain of hashes instead of listing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def audit(context: click.Context, config: Path, verify: bool, as_json: bool) -> None:
    """List who ingested, matched, drafted and read what, or check that the log is whole.

    Exit code 1 if it is not. --json: {"lines": [...]}, or with --verify {"intact", "broken_at"}.
    """
    with opened_service(config) as service:
        lines = service.records.audit()
        broken = service.records.broken_line() if verify else None
    if verify:
        if as_json:
            print_json({"intact": broken is None, "broken_at": broken})
        elif broken is None:
            echo(f"{len(lines)} lines, intact")
        if broken is not None:
            say(f"the audit log is broken at line {broken}")
            context.exit(1)
    elif as_json:
        print_json({"lines": lines})
    else:
        header = ("number", "user", "action", "subject")
        print_table(header, [tuple(str(line[key]) for key in header) for line in lines])
