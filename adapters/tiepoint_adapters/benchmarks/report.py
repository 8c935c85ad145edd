"""What a benchmark says at its end: a table, and JSON with the machine and the versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

from tiepoint.cli.json_file import deliver
from tiepoint.threads import usable_cores

_DISTRIBUTIONS = (
    "tiepoint",
    "faiss-cpu",
    "milvus-lite",
    "numpy",
    "pydicom",
    "pyjpegls",
    "pylibjpeg-openjpeg",
    "pylibjpeg-rle",
    "python-gdcm",
    "openvino",
    "pillow",
    "pymilvus",
    "tantivy",
    "timm",
    "torch",
    "transformers",
)

_MOST_BESIDE = 8  # columns of a single row; more stand below one another


def report(
    rows: Sequence[Mapping[str, Any]],
    json_file: Path | None,
    title: str,
    apart: Sequence[str] = (),
) -> None:
    """Print the rows as tables, or deliver them as `{"rows", "machine", "versions"}`.

    Args:
        rows: What was measured; columns are shown in the order in which keys first appear.
        json_file: What `--json` said; see `json_option`.
        title: The tables' heading.
        apart: Columns that stand in the headings: rows that differ in them, or in the columns
            that they have, are in tables of their own. One table if there are none.

    Raises:
        InputError: The file cannot be written.
    """
    if deliver(json_file, {"rows": list(rows), "machine": machine(), "versions": versions()}):
        for heading, group in groupby(rows, lambda row: _heading(row, title, apart)):
            _print(
                [{key: row[key] for key in row if key not in apart} for row in group], heading[0]
            )


def machine() -> dict[str, Any]:
    """Return what the figures depend on of this machine."""
    return {
        "cpu": _cpu_name(),
        "usable_cores": usable_cores(),
        "memory_gib": _memory_gib(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Return the versions of ours and of the peers, where they are installed."""
    found = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cpu_name() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def _heading(
    row: Mapping[str, Any], title: str, apart: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    named = ", ".join(str(row[name]) for name in apart)
    return (f"{title}: {named}", tuple(row)) if apart else (title, ())


def _print(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    upright = len(rows) == 1 and len(columns) > _MOST_BESIDE
    table = Table(show_header=not upright)
    if upright:
        for name in columns:
            table.add_row(name, _cell(rows[0][name]))
    else:
        for name in columns:
            numeric = all(isinstance(row.get(name, 0), int | float) for row in rows)
            table.add_column(name, justify="right" if numeric else "left")
        for row in rows:
            table.add_row(*(_cell(row.get(name)) for name in columns))
    console.print(title, markup=False, highlight=False)  # a title of the table wraps at its width
    console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
