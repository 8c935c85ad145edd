"""`tiepoint medical worklist`, `read` and `audit`: what waits, and who did what."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import print_json, print_table
from tiepoint_adapters.audit.command import check_head, tell_verification, verify_options
from tiepoint_medical.cli.opening import opened_site

_PATH = click.Path(path_type=Path)


@click.command(epilog="Example: tiepoint medical worklist deployment.yaml")
@click.argument("config", type=_PATH)
@click.option("--read", "match", metavar="ID", help="Show this match and mark it as read.")
@click.option("--all", "everything", is_flag=True, help="Those that were read, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def worklist(config: Path, match: str | None, everything: bool, as_json: bool) -> None:
    """List the matches that nobody has read, the newest first.

    --json: {"matches": [{"id", "created", "read_by", "read", "result"}]}; with --read the match.
    """
    with opened_site(config) as site:
        if match is not None:
            print_json(site.records.read_match(match, site.user))
            return
        matches = site.records.worklist(unread=not everything)
    if as_json:
        print_json({"matches": matches})
        return
    rows: list[tuple[str, ...]] = [
        (str(one["id"]), str(len(one["result"]["hits"])), str(one["read_by"] or "unread"))
        for one in matches
    ]
    print_table(("id", "cases", "read by"), rows)


@click.command(epilog="Example: tiepoint medical audit deployment.yaml --verify")
@click.argument("config", type=_PATH)
@verify_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def audit(
    context: click.Context, config: Path, verify: bool, head: str | None, as_json: bool
) -> None:
    """List who ingested, matched, drafted and read what, or check that the log is whole.

    Exit code 1 if it is not. Keep the printed head elsewhere: given as --head later, it shows
    whether lines were cut off or the log was made anew.

    --json: {"lines": [...]}, or with --verify {"intact", "lines", "head", "broken_at", "reason"}.
    """
    check_head(verify, head)
    with opened_site(config) as site:
        if verify:
            tell_verification(context, site.records.verify(head), as_json)
            return
        lines = site.records.audit()
    if as_json:
        print_json({"lines": lines})
    else:
        header = ("number", "user", "action", "subject")
        print_table(header, [tuple(str(line[key]) for key in header) for line in lines])
