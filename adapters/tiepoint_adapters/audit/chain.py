"""The chain of an audit log: every line carries a hash of itself and of the line before.

A line that is changed, removed, put in between or moved breaks the chain where it stands. Lines
cut off at the end, and a chain that somebody computed anew from one line on, show against a hash
noted elsewhere (the head), or, where a secret key is set, by the key, which is not in the log.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

BEGINNING = "0" * 64
"""What the first line has as the hash of the line before."""


@dataclass(frozen=True, slots=True)
class Hashing:
    """How the lines of a log are hashed; a log keeps the way that it was begun with.

    Attributes:
        compact: Whether what is hashed is JSON in UTF-8 without spaces; else in ASCII with them.
        key: A secret that the hashes are keyed with; without one anybody can compute them.
    """

    compact: bool
    key: bytes | None = None

    def __call__(self, said: Sequence[Any]) -> str:
        """Return the hash of what a line says, in hexadecimal.

        Args:
            said: Plain JSON data, with the hash of the line before among it.
        """
        content = json.dumps(
            list(said),
            ensure_ascii=not self.compact,
            sort_keys=True,
            separators=(",", ":") if self.compact else None,
        ).encode()
        if self.key is not None:
            return hmac.new(self.key, content, hashlib.sha256).hexdigest()
        return hashlib.sha256(content).hexdigest()


class Link(NamedTuple):
    """A line as the check sees it.

    Attributes:
        number: From 1, without gaps.
        previous: The hash of the line before, as this one has it.
        hash: As it is kept.
        computed: As its content gives it.
    """

    number: int
    previous: str
    hash: str
    computed: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What checking a chain found.

    Attributes:
        lines: How many lines there are, up to where it breaks.
        head: The hash of the last one that fits.
        broken_at: The number of the first line that is missing or does not fit; None if all do.
        reason: What is wrong with it.
    """

    lines: int
    head: str
    broken_at: int | None = None
    reason: str | None = None

    @property
    def intact(self) -> bool:
        """Whether the whole chain fits."""
        return self.broken_at is None


def verified(
    links: Iterable[Link], head: str | None = None, *, after: int = 0, before: str = BEGINNING
) -> Verification:
    """Check every line against the one before.

    Args:
        links: The lines in the order of their numbers.
        head: A hash noted earlier, which has to be among them still.
        after: The number of the line before the first of them.
        before: The hash of that line.
    """
    previous, number, head_seen = before, after, head in (None, before)
    for link in links:
        number += 1
        reason = None
        if link.number != number:
            reason = f"line {number} is missing"
        elif link.previous != previous:
            reason = "it does not follow the line before"
        elif not hmac.compare_digest(link.hash, link.computed):
            reason = "its hash is not that of its content"
        if reason is not None:
            return Verification(number, previous, number, reason)
        previous = link.hash
        head_seen = head_seen or link.hash == head
    if not head_seen:
        reason = "the noted hash is not in the chain: lines were cut off or made anew"
        return Verification(number, previous, number + 1, reason)
    return Verification(number, previous)
