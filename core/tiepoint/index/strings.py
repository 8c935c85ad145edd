"""Many strings kept as one, and patterns over them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray


class StringStore:
    """Strings by number, some of them missing; what was loaded stays one block of bytes."""

    def __init__(self) -> None:
        self._blob: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._offsets: NDArray[np.int64] = np.zeros(1, np.int64)
        self._there: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._recent: list[str | None] = []

    def __len__(self) -> int:
        return len(self._there) + len(self._recent)

    def append(self, values: Iterable[str | None]) -> None:
        """Add strings at the end; None for a missing one."""
        self._recent.extend(values)

    def at(self, numbers: NDArray[np.integer[Any]]) -> list[str | None]:
        """Return the strings of these numbers."""
        loaded = len(self._there)
        return [
            self._loaded(number) if number < loaded else self._recent[number - loaded]
            for number in numbers.tolist()
        ]

    def _loaded(self, number: int) -> str | None:
        if not self._there[number]:
            return None
        return self._blob[self._offsets[number] : self._offsets[number + 1]].tobytes().decode()

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return everything as arrays: `blob` (UTF-8), `offsets` (n + 1,), `there` (n,)."""
        recent = pack(value or "" for value in self._recent)
        there = np.fromiter((value is not None for value in self._recent), np.bool_)
        return {
            "blob": np.concatenate([self._blob, recent[0]]),
            "offsets": np.concatenate([self._offsets, self._offsets[-1] + recent[1][1:]]),
            "there": np.concatenate([self._there, there]),
        }

    @classmethod
    def of(
        cls, blob: NDArray[np.uint8], offsets: NDArray[np.int64], there: NDArray[np.bool_]
    ) -> StringStore:
        """Take over what `arrays` returned; nothing is decoded before it is asked for."""
        store = cls()
        store._blob, store._offsets, store._there = blob, offsets, there
        return store


def pack(strings: Iterable[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return strings as UTF-8 bytes and their (n + 1,) offsets."""
    encoded = [text.encode() for text in strings]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def unpack(blob: NDArray[np.uint8], offsets: NDArray[np.int64]) -> list[str]:
    """Return the strings that `pack` was given."""
    data = blob.tobytes()
    if data.isascii():  # one decoding instead of one a string
        text = data.decode("ascii")
        return [text[start:end] for start, end in pairwise(offsets.tolist())]
    return [data[start:end].decode() for start, end in pairwise(offsets.tolist())]


def like_table(words: Sequence[str], pattern: str) -> list[bool]:
    """Return which words match a pattern: `%` is any run of characters, `_` any one."""
    matches = _matcher(pattern)
    return [matches(word) is not None for word in words]


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Callable[[str], re.Match[str] | None]:
    # Each middle piece is matched at its leftmost place and, being atomic, never tried again:
    # that is enough for `%`, and a hostile pattern cannot make the search explode.
    first, *rest = (
        "".join("." if character == "_" else re.escape(character) for character in piece)
        for piece in pattern.split("%")
    )
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return re.compile(first + middle + "".join(f".*{piece}" for piece in rest[-1:]), re.S).fullmatch
