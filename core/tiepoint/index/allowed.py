"""The rows that a search may return, and what follows from them for each index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tiepoint.index.filters.mask import Mask

Element = TypeVar("Element", bound=np.generic)


class Allowed:
    """A mask over rows that stays as it is, so that what follows from it is found once.

    Attributes:
        mask: (rows,) bool.
        count: How many rows are allowed.
        every: Whether all rows are.
        share: The share that is.
    """

    __slots__ = ("_derived", "count", "every", "mask", "share")

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.count = int(np.count_nonzero(mask))
        self.every = self.count == len(mask)
        self.share = self.count / max(len(mask), 1)
        self._derived: dict[tuple[int, int], tuple[object, NDArray[Any]]] = {}

    def derived(
        self, owner: object, size: int, derive: Callable[[Mask], NDArray[Element]]
    ) -> NDArray[Element]:
        """Return what an owner of this size derives from the mask, from memory if it can be.

        Args:
            owner: What derives it; kept alive, so that no other can be taken for it.
            size: Its size, which tells one state of it from another.
            derive: From the mask.
        """
        key = (id(owner), size)
        known = self._derived.get(key)
        if known is None:
            known = owner, derive(self.mask)
            self._derived[key] = known
        return known[1]
