"""What the serving tier holds of items beside their vectors: ids, metadata, parts, digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from tiepoint.index.base import CollectionSchema, Payload, Row
from tiepoint.index.column_types import (
    OPERATORS,
    Arrays,
    column_of,
    new_column,
)
from tiepoint.index.filters import FilterColumn
from tiepoint.index.filters.mask import Mask
from tiepoint.index.filters.nodes import Operator, Scalar
from tiepoint.index.growing import GrowingArray
from tiepoint.index.strings import StringStore, like_table, pack, unpack
from tiepoint.types import MetadataValue

_SELECT_STEP = 8192


class Columns:
    """Items by row number. Rows are added dead, and brought to life (or killed) together.

    Attributes:
        ids: The id of each row; a replaced item leaves a dead row of the same id.
        row_of: The living row of an id.
    """

    def __init__(self, schema: CollectionSchema) -> None:
        self.ids: list[str] = []
        self.row_of: dict[str, int] = {}
        self._live: GrowingArray[np.bool_] = GrowingArray(np.bool_)
        self._metadata = {name: new_column(kind) for name, kind in schema.metadata.items()}
        self._parts: dict[str, StringStore] = {}
        self._digests = StringStore()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def live(self) -> Mask:
        """(rows,) bool: which rows stand for an item; not a copy."""
        return self._live.view

    def append(self, rows: Sequence[Row]) -> int:
        """Add rows, dead as yet, and return the number of the first."""
        first = len(self.ids)
        for name, column in self._metadata.items():
            column.append([row.metadata.get(name) for row in rows])
        for name in {name for row in rows for name in row.parts} - self._parts.keys():
            self._parts[name] = StringStore()
            self._parts[name].append([None] * first)
        for name, store in self._parts.items():
            store.append(row.parts.get(name) for row in rows)
        self._digests.append(row.digest for row in rows)
        self._live.append(np.zeros(len(rows), np.bool_))
        self.ids.extend(row.id for row in rows)
        return first

    def revive(self, first: int, end: int) -> None:
        """Let rows stand for their items, in place of the rows that did."""
        for row in range(first, end):
            self.kill(self.ids[row])
            self.row_of[self.ids[row]] = row
        self.live[first:end] = True

    def kill(self, item: str) -> None:
        """Forget an item, if it is known."""
        row = self.row_of.pop(item, None)
        if row is not None:
            self.live[row] = False

    def rows(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Return (n,) the living rows of ids, -1 for an unknown one."""
        return np.array([self.row_of.get(item, -1) for item in ids], np.int64)

    def column(self, name: str) -> FilterColumn:
        """Return a metadata column, or `id`."""
        return _IdColumn(self) if name == "id" else self._metadata[name]

    def values(self, name: str, rows: NDArray[np.int64]) -> list[MetadataValue | None]:
        """Return a metadata field's values of these rows, None for a missing one."""
        return self._metadata[name].at(rows)

    def metadata(self, rows: NDArray[np.integer[Any]]) -> list[dict[str, MetadataValue]]:
        """Return the values of these rows by name."""
        return _records(rows, {name: column.at(rows) for name, column in self._metadata.items()})

    def parts(self, rows: NDArray[np.integer[Any]]) -> list[dict[str, str]]:
        """Return what is kept of the parts of these rows, by name."""
        return _records(rows, {name: store.at(rows) for name, store in self._parts.items()})

    def digests(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the digests of these rows."""
        return [digest or "" for digest in self._digests.at(rows)]

    def selected(self, schema: CollectionSchema, rows: NDArray[np.int64]) -> Columns:
        """Return columns of these living rows only, numbered anew."""
        columns = Columns(schema)
        for start in range(0, len(rows), _SELECT_STEP):
            step = rows[start : start + _SELECT_STEP]
            ids = [self.ids[row] for row in step.tolist()]
            data = zip(ids, self.metadata(step), self.parts(step), self.digests(step), strict=True)
            columns.append(
                [Row(item, {}, metadata, parts, digest) for item, metadata, parts, digest in data]
            )
        columns.revive(0, len(rows))
        return columns

    def arrays(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Return everything as groups of plain arrays."""
        blob, offsets = pack(self.ids)
        groups: dict[str, dict[str, NDArray[Any]]] = {
            "rows": {"blob": blob, "offsets": offsets, "live": self.live},
            "digests": dict(self._digests.arrays()),
        }
        for name, column in self._metadata.items():
            groups[f"metadata.{name}"] = column.arrays()
        for name, store in self._parts.items():
            groups[f"part.{name}"] = dict(store.arrays())
        return groups

    @classmethod
    def of(cls, schema: CollectionSchema, groups: Mapping[str, Arrays]) -> Columns:
        """Return the columns that `arrays` was called on."""
        columns = cls(schema)
        columns.ids = unpack(groups["rows"]["blob"], groups["rows"]["offsets"])
        live = groups["rows"]["live"].copy()
        columns._live = GrowingArray.of(live)
        columns.row_of = {columns.ids[row]: row for row in np.flatnonzero(live).tolist()}
        columns._digests = StringStore.of(**groups["digests"])
        columns._metadata = {
            name: column_of(kind, groups[f"metadata.{name}"])
            for name, kind in schema.metadata.items()
        }
        columns._parts = {
            name.removeprefix("part."): StringStore.of(**arrays)
            for name, arrays in groups.items()
            if name.startswith("part.")
        }
        return columns


class RowPayloads(Sequence[Payload]):
    """The metadata and parts of some rows, read together when the first is asked for.

    A row never changes, so that what is read later is what was found.

    Args:
        columns: Where the rows are.
        rows: (n,) their numbers.
    """

    __slots__ = ("_columns", "_read", "_rows")

    def __init__(self, columns: Columns, rows: NDArray[np.integer[Any]]) -> None:
        self._columns = columns
        self._rows = rows
        self._read: list[Payload] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Payload: ...

    @overload
    def __getitem__(self, index: slice) -> list[Payload]: ...

    def __getitem__(self, index: int | slice) -> Payload | list[Payload]:
        if self._read is None:
            columns, rows = self._columns, self._rows
            self._read = list(zip(columns.metadata(rows), columns.parts(rows), strict=True))
        return self._read[index]


def _records(
    rows: NDArray[np.integer[Any]], fields: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """Turn values by field into values by row, the missing ones left out."""
    records: list[dict[str, Any]] = [{} for _ in range(len(rows))]
    for name, values in fields.items():
        for record, value in zip(records, values, strict=True):
            if value is not None:
                record[name] = value
    return records


class _IdColumn:
    """The ids as a filter sees them; dead rows may come out either way."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def present(self) -> Mask:
        return np.ones(len(self._columns), np.bool_)

    def compare(self, operator: Operator, value: Scalar) -> Mask:
        if operator == "==":
            return self.isin([value])
        if operator == "!=":
            return ~self.isin([value])
        compares = OPERATORS[operator]
        return np.array([compares(item, value) for item in self._columns.ids], np.bool_)

    def isin(self, values: Sequence[Scalar]) -> Mask:
        mask = np.zeros(len(self._columns), np.bool_)
        rows = self._columns.rows([str(value) for value in values])
        mask[rows[rows >= 0]] = True
        return mask

    def like(self, pattern: str) -> Mask:
        return np.array(like_table(self._columns.ids, pattern), np.bool_)

    def contains(self, values: Sequence[Scalar], every: bool) -> Mask:
        raise TypeError("an id is not a list")
