"""Arrays that grow at their end without moving what a reader already looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Element = TypeVar("Element", bound=np.generic)

_FIRST_CAPACITY = 1024


class GrowingArray(Generic[Element]):
    """A (n, ...) array with amortised appends.

    A view taken before an append stays valid and keeps its length: new elements are written
    behind it, or into a larger copy.

    Attributes:
        view: The (n, ...) elements, without a copy.
    """

    def __init__(self, dtype: DTypeLike, width: int | None = None) -> None:
        shape = (0,) if width is None else (0, width)
        self._buffer: NDArray[Element] = np.empty(shape, dtype)
        self.view = self._buffer

    @classmethod
    def of(cls, array: NDArray[Element]) -> GrowingArray[Element]:
        """Take over an array, which may be read-only; the first append copies it."""
        growing: GrowingArray[Element] = cls(
            array.dtype, array.shape[1] if array.ndim > 1 else None
        )
        growing._buffer = growing.view = array
        return growing

    def __len__(self) -> int:
        return len(self.view)

    def append(self, values: NDArray[Any] | Sequence[Any]) -> None:
        """Add elements at the end."""
        first, end = len(self.view), len(self.view) + len(values)
        if end > len(self._buffer):
            capacity = max(end, _FIRST_CAPACITY, len(self._buffer) * 3 // 2)
            larger = np.empty((capacity, *self._buffer.shape[1:]), self._buffer.dtype)
            larger[:first] = self.view
            self._buffer = larger
        if len(values):
            self._buffer[first:end] = values
        self.view = self._buffer[:end]
