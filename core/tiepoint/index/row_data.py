"""Rows as plain data, as they travel between processes."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tiepoint.errors import InputError
from tiepoint.index.base import Row

_MESSAGE_BYTES = 16 << 20


def row_data(row: Row, vectors: Collection[str] | None = None) -> dict[str, Any]:
    """Return a row as plain JSON data.

    Args:
        row: The row.
        vectors: The vector fields whose values are wanted; all if not given. Of the others,
            it is only said that there is one.
    """
    return {
        "id": row.id,
        "vectors": {
            name: base64.b64encode(np.ascontiguousarray(vector, np.float32).tobytes()).decode()
            if vectors is None or name in vectors
            else ""
            for name, vector in row.vectors.items()
        },
        "metadata": row.metadata,
        "parts": row.parts,
        "digest": row.digest,
    }


def row_from(data: Mapping[str, Any]) -> Row:
    """Return the row of plain data; a vector that was not wanted has length 0.

    Raises:
        InputError: The data are no row.
    """
    try:
        vectors = {
            str(name): np.frombuffer(base64.b64decode(text, validate=True), np.float32)
            for name, text in data["vectors"].items()
        }
        return Row(data["id"], vectors, dict(data["metadata"]), dict(data["parts"]), data["digest"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"the message holds no row ({error!s:.80})") from error


def messages(rows: Sequence[Row]) -> Iterator[list[dict[str, Any]]]:
    """Yield rows as plain data, in lists that fit one message."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        data = row_data(row)
        if batch and size + size_of(data) > _MESSAGE_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(data)
        size += size_of(data)
    if batch:
        yield batch


def fitting(numbered: Iterable[tuple[int, dict[str, Any] | str]]) -> list[tuple[int, Any]]:
    """Return the first of (sequence, row data or id) that fit one message, at least one."""
    kept: list[tuple[int, Any]] = []
    size = 0
    for sequence, data in numbered:
        size += size_of(data) if isinstance(data, dict) else len(data)
        if kept and size > _MESSAGE_BYTES:
            break
        kept.append((sequence, data))
    return kept


def size_of(data: Mapping[str, Any]) -> int:
    """Return about how many bytes a row's data take in JSON, where text may be escaped."""
    texts = sum(6 * len(part) for part in data["parts"].values())
    return 2000 + texts + sum(len(text) for text in data["vectors"].values())
