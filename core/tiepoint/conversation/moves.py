"""What a turn of a session does to the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MoveKind = Literal["ask", "narrow", "shift", "without", "like", "unlike", "next", "undo", "restart"]

LAST, ALL = -1, 0
"""Ranks that stand for the last of the hits that were shown, and for all of them."""


@dataclass(frozen=True, slots=True)
class Move:
    """One change of the query.

    Attributes:
        kind: `ask` for what is wanted at first, `narrow` for what it must have, too, `shift`
            for what it is instead, `without` for what it must not have, `like` and `unlike`
            for hits by rank, `next` for the next page, `undo`, `restart`.
        text: The words, where the move has any.
        ranks: The ranks of hits, from 1; `LAST` or `ALL`.
        attribute: Of a shift: it replaces the last narrowing, not what is asked for.
    """

    kind: MoveKind
    text: str = ""
    ranks: tuple[int, ...] = ()
    attribute: bool = False
