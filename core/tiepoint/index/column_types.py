"""Typed columns with missing values, whose tests are vectorised (see `filters.mask`)."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import MetadataType
from tiepoint.index.filters.mask import Mask
from tiepoint.index.filters.nodes import Operator, Scalar
from tiepoint.index.growing import GrowingArray
from tiepoint.index.strings import like_table, pack, unpack

OPERATORS: dict[Operator, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Arrays = Mapping[str, NDArray[Any]]


class Column(ABC):
    """The values of one metadata field; rows are only ever added."""

    @abstractmethod
    def append(self, values: Sequence[Any]) -> None:
        """Add values at the end; None for a missing one."""

    @abstractmethod
    def at(self, rows: NDArray[np.integer[Any]]) -> list[Any]:
        """Return the values of these rows, None for a missing one."""

    @abstractmethod
    def present(self) -> Mask:
        """Return where there is a value."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the column as plain arrays."""

    @classmethod
    @abstractmethod
    def of(cls, arrays: Arrays) -> Column:
        """Return the column that `arrays` was called on."""

    def compare(self, operator: Operator, value: Scalar) -> Mask:
        """Return where the value compares so."""
        raise TypeError(f"{type(self).__name__} has no order")

    def isin(self, values: Sequence[Scalar]) -> Mask:
        """Return where the value is one of these."""
        raise TypeError(f"{type(self).__name__} holds lists")

    def like(self, pattern: str) -> Mask:
        """Return where the text matches."""
        raise TypeError(f"{type(self).__name__} holds no text")

    def contains(self, values: Sequence[Scalar], every: bool) -> Mask:
        """Return where the list holds any (or every one) of these."""
        raise TypeError(f"{type(self).__name__} holds no lists")


class NumberColumn(Column):
    """Integers, floats or truth values."""

    def __init__(self, dtype: Any) -> None:
        self._values: GrowingArray[Any] = GrowingArray(dtype)
        self._there: GrowingArray[np.bool_] = GrowingArray(np.bool_)

    def append(self, values: Sequence[Any]) -> None:
        self._values.append([0 if value is None else value for value in values])
        self._there.append([value is not None for value in values])

    def at(self, rows: NDArray[np.integer[Any]]) -> list[Any]:
        there = self._there.view[rows].tolist()
        values = self._values.view[rows].tolist()
        return [value if known else None for value, known in zip(values, there, strict=True)]

    def present(self) -> Mask:
        return self._there.view.copy()

    def compare(self, operator: Operator, value: Scalar) -> Mask:
        mask: Mask = OPERATORS[operator](self._values.view, value)
        return np.logical_and(mask, self._there.view, out=mask)

    def isin(self, values: Sequence[Scalar]) -> Mask:
        column = self._values.view
        return np.isin(column, np.array(values, column.dtype)) & self._there.view

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"values": self._values.view, "there": self._there.view}

    @classmethod
    def of(cls, arrays: Arrays) -> NumberColumn:
        column = cls(arrays["values"].dtype)
        column._values = GrowingArray.of(arrays["values"])
        column._there = GrowingArray.of(arrays["there"])
        return column


class Dictionary:
    """Numbers for distinct strings, in the order in which they came."""

    def __init__(self, words: list[str] | None = None) -> None:
        self.words = words or []
        self._codes = {word: code for code, word in enumerate(self.words)}

    def encode(self, word: str) -> int:
        """Return the number of a string, new if need be."""
        code = self._codes.setdefault(word, len(self.words))
        if code == len(self.words):
            self.words.append(word)
        return code

    def find(self, word: Any) -> int:
        """Return the number of a string, or -2, which no row has."""
        return self._codes.get(word, -2)


class StringColumn(Column):
    """Strings, as numbers into a dictionary: a test looks at each distinct string once."""

    def __init__(self) -> None:
        self._dictionary = Dictionary()
        self._codes: GrowingArray[np.int32] = GrowingArray(np.int32)

    def append(self, values: Sequence[Any]) -> None:
        encode = self._dictionary.encode
        self._codes.append([-1 if value is None else encode(value) for value in values])

    def at(self, rows: NDArray[np.integer[Any]]) -> list[Any]:
        words = self._dictionary.words
        return [None if code < 0 else words[code] for code in self._codes.view[rows].tolist()]

    def present(self) -> Mask:
        return self._codes.view >= 0

    def compare(self, operator: Operator, value: Scalar) -> Mask:
        codes = self._codes.view
        if operator == "==":
            return np.equal(codes, self._dictionary.find(value))
        if operator == "!=":
            return np.not_equal(codes, self._dictionary.find(value)) & (codes >= 0)
        compares = OPERATORS[operator]
        return self._look_up([compares(word, value) for word in self._dictionary.words])

    def isin(self, values: Sequence[Scalar]) -> Mask:
        return np.isin(self._codes.view, [self._dictionary.find(value) for value in values])

    def like(self, pattern: str) -> Mask:
        return self._look_up(like_table(self._dictionary.words, pattern))

    def _look_up(self, passes: list[bool]) -> Mask:
        # A missing value is -1 and so finds the last entry, which is false.
        return np.array([*passes, False])[self._codes.view]

    def arrays(self) -> dict[str, NDArray[Any]]:
        blob, offsets = pack(self._dictionary.words)
        return {"codes": self._codes.view, "blob": blob, "offsets": offsets}

    @classmethod
    def of(cls, arrays: Arrays) -> StringColumn:
        column = cls()
        column._dictionary = Dictionary(unpack(arrays["blob"], arrays["offsets"]))
        column._codes = GrowingArray.of(arrays["codes"])
        return column


class ListColumn(Column):
    """Lists: all elements in one array, with the row that each belongs to."""

    def __init__(self, dtype: Any) -> None:
        self._elements: GrowingArray[Any] = GrowingArray(dtype)
        self._rows: GrowingArray[np.int32] = GrowingArray(np.int32)
        self._offsets: GrowingArray[np.int64] = GrowingArray(np.int64)
        self._offsets.append([0])
        self._there: GrowingArray[np.bool_] = GrowingArray(np.bool_)

    def append(self, values: Sequence[Any]) -> None:
        lengths = [len(value or ()) for value in values]
        first = len(self._there)
        self._elements.append(
            [self._encode(element) for value in values for element in value or ()]
        )
        self._rows.append(np.repeat(np.arange(first, first + len(values)), lengths))
        self._offsets.append(self._offsets.view[-1] + np.cumsum(lengths, dtype=np.int64))
        self._there.append([value is not None for value in values])

    def at(self, rows: NDArray[np.integer[Any]]) -> list[Any]:
        there = self._there.view[rows].tolist()
        starts = self._offsets.view[rows].tolist()
        ends = self._offsets.view[rows + 1].tolist()
        return [
            self._decode(self._elements.view[start:end].tolist()) if known else None
            for known, start, end in zip(there, starts, ends, strict=True)
        ]

    def present(self) -> Mask:
        return self._there.view.copy()

    def contains(self, values: Sequence[Scalar], every: bool) -> Mask:
        if every:
            mask = self.present()
            for value in values:
                mask &= self._having(self._elements.view == self._find(value))
            return mask
        wanted = np.array([self._find(value) for value in values], self._elements.view.dtype)
        return self._having(np.isin(self._elements.view, wanted))

    def _having(self, elements: Mask) -> Mask:
        mask = np.zeros(len(self._there), np.bool_)
        mask[self._rows.view[elements]] = True
        return mask

    def _encode(self, element: Any) -> Any:
        return element

    def _find(self, element: Scalar) -> Any:
        return element

    def _decode(self, elements: list[Any]) -> list[Any]:
        return elements

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "elements": self._elements.view,
            "rows": self._rows.view,
            "offsets": self._offsets.view,
            "there": self._there.view,
        }

    @classmethod
    def of(cls, arrays: Arrays) -> ListColumn:
        column = cls(arrays["elements"].dtype)
        column._elements = GrowingArray.of(arrays["elements"])
        column._rows = GrowingArray.of(arrays["rows"])
        column._offsets = GrowingArray.of(arrays["offsets"])
        column._there = GrowingArray.of(arrays["there"])
        return column


class StringListColumn(ListColumn):
    """Lists of strings, as numbers into a dictionary."""

    def __init__(self, dtype: Any = np.int32) -> None:
        super().__init__(dtype)
        self._dictionary = Dictionary()

    def _encode(self, element: Any) -> Any:
        return self._dictionary.encode(element)

    def _find(self, element: Scalar) -> Any:
        return self._dictionary.find(element)

    def _decode(self, elements: list[Any]) -> list[Any]:
        return [self._dictionary.words[code] for code in elements]

    def arrays(self) -> dict[str, NDArray[Any]]:
        blob, offsets = pack(self._dictionary.words)
        return {**super().arrays(), "words_blob": blob, "words_offsets": offsets}

    @classmethod
    def of(cls, arrays: Arrays) -> StringListColumn:
        column = super().of(arrays)
        assert isinstance(column, StringListColumn)  # noqa: S101 - `of` makes a `cls`
        column._dictionary = Dictionary(unpack(arrays["words_blob"], arrays["words_offsets"]))
        return column


_TYPES: dict[MetadataType, tuple[type[Column], Any]] = {
    "string": (StringColumn, None),
    "int": (NumberColumn, np.int64),
    "float": (NumberColumn, np.float64),
    "bool": (NumberColumn, np.bool_),
    "strings": (StringListColumn, np.int32),
    "ints": (ListColumn, np.int64),
    "floats": (ListColumn, np.float64),
}


def new_column(kind: MetadataType) -> Column:
    """Return an empty column of a metadata type."""
    column, dtype = _TYPES[kind]
    return column() if dtype is None else column(dtype)  # type: ignore[call-arg]


def column_of(kind: MetadataType, arrays: Arrays) -> Column:
    """Return a column of a metadata type from its arrays."""
    return _TYPES[kind][0].of(arrays)
