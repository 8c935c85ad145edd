"""The rows that a search may return, and what follows from them for each index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from tiepoint.index.filters.mask import Mask

Derived = TypeVar("Derived")


class Allowed:
    """A mask over rows that stays as it is, so that what follows from it is found once.

    Attributes:
        mask: (rows,) bool.
        count: How many rows are allowed.
        every: Whether all rows are.
        share: The share that is.
        asked: How often it was searched with.
    """

    __slots__ = ("_derived", "asked", "count", "every", "mask", "share")

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.count = int(np.count_nonzero(mask))
        self.every = self.count == len(mask)
        self.share = self.count / max(len(mask), 1)
        self.asked = 0
        self._derived: dict[tuple[int, int, str], tuple[object, Any]] = {}

    def derived(
        self, owner: object, size: int, what: str, derive: Callable[[Mask], Derived]
    ) -> Derived:
        """Return what an owner of this size derives from the mask, from memory if it can be.

        Args:
            owner: What derives it; kept alive, so that no other can be taken for it.
            size: Its size, which tells one state of it from another.
            what: Its name.
            derive: From the mask.
        """
        key = (id(owner), size, what)
        known = self._derived.get(key)
        if known is None:
            known = owner, derive(self.mask)
            self._derived[key] = known
        return cast(Derived, known[1])
