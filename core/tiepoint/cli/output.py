"""What commands write: results on stdout, one-line messages on stderr."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import click


def print_json(data: Any) -> None:
    """Write data to stdout as indented JSON, in UTF-8 and with keys in their given order."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Write rows under a header, in columns as wide as their longest cell."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def say(message: str) -> None:
    """Write one line about the work to stderr."""
    click.echo(f"tiepoint: {' '.join(message.split())}", err=True)


@cache
def warn(message: str) -> None:
    """Write a warning to stderr, once however often it is given."""
    say(f"warning: {message}")
