"""Hits as a table."""

from __future__ import annotations

from typing import Any

from tiepoint.cli.output import printable

TEXT_COLUMNS = 60


def print_hits(hits: list[dict[str, Any]], took_ms: float, explain: bool) -> None:
    """Write hits, as `Hit.as_dict` gives them, as a table.

    Args:
        hits: The hits.
        took_ms: How long the search took, in milliseconds.
        explain: Whether to show their explanations.
    """
    from rich.console import Console
    from rich.table import Table

    counted = f"{len(hits)} hit{'' if len(hits) == 1 else 's'}"
    table = Table(caption=f"{counted} in {took_ms:.0f} ms", caption_justify="left")
    table.add_column("#", justify="right")
    table.add_column("id", overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("holds", overflow="fold")
    if explain:
        table.add_column("why", overflow="fold")
    for rank, hit in enumerate(hits, 1):
        row = [str(rank), hit["id"], f"{hit['score']:.3f}", _content(hit)]
        row += [hit["explanation"] or ""] if explain else []
        table.add_row(*(printable(cell) for cell in row))
    Console(markup=False, emoji=False, highlight=False).print(table)


def _content(hit: dict[str, Any]) -> str:
    lines = (" ".join(part.split()) for part in hit["parts"].values())
    parts = [
        line if len(line) <= TEXT_COLUMNS else line[: TEXT_COLUMNS - 1] + "…" for line in lines
    ]
    return " | ".join([*parts, *(f"{name}={value}" for name, value in hit["metadata"].items())])
