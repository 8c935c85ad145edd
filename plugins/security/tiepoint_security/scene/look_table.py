"""Looks in one table: memory that is taken once, and no copies when one of them changes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Usual(NamedTuple):
    """One look of ordinary footage.

    Attributes:
        own: (d,) float16, of the encoder.
        joint: (k,) float16, in the joint space; empty without one.
        thumbnail: JPEG of at most 96 pixels; empty for looks without a picture.
        subject: What it was a look at: all looks at one track have the same.
    """

    own: NDArray[np.float16]
    joint: NDArray[np.float16]
    thumbnail: bytes
    subject: str


class LookTable:
    """Rows of looks that are added and replaced, never removed.

    Args:
        capacity: The most rows.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.thumbnails: list[bytes] = []
        self.subjects: list[str] = []
        self._own = self._joint = np.zeros((0, 0), np.float32)

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def own(self) -> NDArray[np.float32]:
        """(n, d), a view."""
        return self._own[: len(self)]

    @property
    def joint(self) -> NDArray[np.float32]:
        """(n, k), a view; k is 0 without a joint space."""
        return self._joint[: len(self)]

    def append(self, look: Usual) -> int:
        """Add a look; return its row.

        Raises:
            IndexError: There are as many as there may be.
        """
        row = len(self)
        if not row:  # its pages are taken when they are written to
            self._own = np.zeros((self._capacity, len(look.own)), np.float32)
            self._joint = np.zeros((self._capacity, len(look.joint)), np.float32)
        self._own[row], self._joint[row] = look.own, look.joint
        self.thumbnails.append(look.thumbnail)
        self.subjects.append(look.subject)
        return row

    def replace(self, row: int, look: Usual) -> None:
        """Put a look into a row that there is."""
        self._own[row], self._joint[row] = look.own, look.joint
        self.thumbnails[row], self.subjects[row] = look.thumbnail, look.subject
