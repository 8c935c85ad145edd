"""Rows of CSV, JSON-lines and Parquet files, streamed, each with its number."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tiepoint.errors import InputError
from tiepoint_adapters.json_text import parse_json

Cells: TypeAlias = Mapping[str, Any]
"""The values of a row by column: strings from CSV, typed values from the others."""

NumberedRow: TypeAlias = tuple[int, Cells | str]
"""A row's number, and its cells or the reason why it cannot be read."""

BATCH_ROWS = 1024


def read_csv(path: Path, columns: Sequence[str], delimiter: str) -> Iterator[NumberedRow]:
    """Yield the rows of a CSV file (RFC 4180, UTF-8); the header is row 1.

    Raises:
        InputError: The file is empty, or lacks one of the columns.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        header = next(reader, None)
        if header is None:
            raise InputError("the table is empty", where=str(path), hint="Give it a header row.")
        _require(path, columns, header)
        number = 1
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, f"the row cannot be parsed ({error})"
                continue
            if not cells:
                continue  # a blank line is no row
            if len(cells) != len(header):
                yield number, f"the row has {len(cells)} cells, and the header has {len(header)}"
            elif any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell):
                yield number, "the row is not UTF-8"
            else:
                yield number, dict(zip(header, cells, strict=True))


def read_jsonl(path: Path, columns: Sequence[str], delimiter: str) -> Iterator[NumberedRow]:
    """Yield the objects of a JSON-lines file; the first line is row 1."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                cells = parse_json(line.decode("utf-8-sig"))
            except UnicodeDecodeError:
                yield number, "the line is not UTF-8"
            except ValueError as error:
                yield number, f"the line is not valid JSON ({error})"
            else:
                yield number, cells if isinstance(cells, dict) else "the line is not a JSON object"


def read_parquet(path: Path, columns: Sequence[str], delimiter: str) -> Iterator[NumberedRow]:
    """Yield the rows of a Parquet file, reading only these columns; the first row is row 1.

    Raises:
        InputError: This is no Parquet file, or it lacks one of the columns.
    """
    import pyarrow as pa
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            _require(path, columns, file.schema_arrow.names)
            for batch in file.iter_batches(BATCH_ROWS, columns=list(columns)):
                for cells in _cells(batch):
                    number += 1
                    yield number, cells
    except (pa.ArrowException, OSError) as error:
        raise _not_parquet(path, error) from error


def _cells(batch: Any) -> list[Cells | str]:
    """Return the rows of an Arrow batch; Parquet's writers need not check that text is UTF-8."""
    try:
        rows: list[Cells | str] = batch.to_pylist()
    except UnicodeDecodeError:
        if batch.num_rows == 1:
            return ["the row is not UTF-8"]
        return [row for n in range(batch.num_rows) for row in _cells(batch.slice(n, 1))]
    return rows


Reader: TypeAlias = Callable[[Path, Sequence[str], str], Iterator[NumberedRow]]
"""Yields the rows of a file: given its path, the columns that are read, and the delimiter."""

READERS: Mapping[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".parquet": read_parquet,
}
"""The reader of each kind of file, by suffix."""


def column_names(path: Path, delimiter: str) -> list[str] | None:
    """Return the columns that a table says it has; None for JSON lines, where each row has its own.

    Raises:
        InputError: This is no Parquet file.
    """
    reader = READERS[path.suffix.lower()]
    if reader is read_jsonl:
        return None
    if reader is read_csv:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            return next(csv.reader(file, delimiter=delimiter), [])
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return list(parquet.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise _not_parquet(path, error) from error


def _not_parquet(path: Path, error: Exception) -> InputError:
    return InputError(
        f"this is not a readable Parquet file ({error})", where=str(path), hint="Write it anew."
    )


def _require(path: Path, columns: Sequence[str], header: Sequence[str]) -> None:
    missing = [column for column in columns if column not in header]
    if missing:
        raise InputError(
            f"the table has no column {', '.join(map(repr, missing))}",
            where=str(path),
            hint=f"Its columns are {', '.join(header)}.",
        )
