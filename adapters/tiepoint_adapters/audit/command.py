"""What the commands that list or check an audit log have in common."""

from __future__ import annotations

import re
from typing import Any

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint_adapters.audit.chain import Verification


def verify_options(command: Any) -> Any:
    """Add `--verify` and `--head`."""
    head = click.option("--head", metavar="HASH", help="With --verify: a hash noted earlier.")
    verify = click.option(
        "--verify", is_flag=True, help="Check the chain of hashes instead of listing."
    )
    return verify(head(command))


def check_head(verify: bool, head: str | None) -> None:
    """Refuse a hash with nothing to verify, and what is no hash.

    Raises:
        click.UsageError: `--head` stands without `--verify`, or is no hash.
    """
    if head is not None and not verify:
        raise click.UsageError("--head goes with --verify")
    if head is not None and not re.fullmatch("[0-9a-f]{64}", head):
        raise click.UsageError("--head takes the 64 hexadecimal digits that --verify printed")


def tell_verification(context: click.Context, found: Verification, as_json: bool) -> None:
    """Say what checking a log found; ends the command with exit code 1 if it is broken."""
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
