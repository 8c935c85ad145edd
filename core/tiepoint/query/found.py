"""What a single route found, as hits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, repeat
from typing import Any

from tiepoint.index.base import Candidates, Payload
from tiepoint.types import Contribution, Hit


def hits_of(route: str, found: Candidates, payloads: Sequence[Payload]) -> list[Hit]:
    """Return what a single route found as hits: the score is its similarity."""
    answer = (route, payloads)
    return list(map(FoundHit, found.ids, found.scores.tolist(), repeat(answer), count()))


class FoundHit(Hit):
    """A hit that makes all but its id and its score when they are asked for.

    Making them at once would take a third of a search in a serving tier.

    Args:
        id_: The item's id.
        score: Its similarity.
        answer: The route that found it, with metadata and parts of all that it found.
        place: Which of them are its own.
    """

    __slots__ = ("_answer", "_place")

    def __init__(
        self, id_: str, score: float, answer: tuple[str, Sequence[Payload]], place: int
    ) -> None:
        self.id = id_
        self.score = score
        self._answer = answer
        self._place = place

    def __getattr__(self, name: str) -> Any:  # called for what is not set as yet
        route, payloads = self._answer
        match name:
            case "contributions":
                score = self.score
                value: Any = (Contribution(route, score, score, 1.0, score),)
            case "metadata":
                value = payloads[self._place][0]
            case "parts":
                value = payloads[self._place][1]
            case "probability" | "explanation":
                value = None
            case _:
                raise AttributeError(name)
        setattr(self, name, value)
        return value

    def __reduce__(self) -> tuple[Any, ...]:  # without what it would look things up in
        plain = (self.id, self.score, self.probability, self.contributions)
        return Hit, (*plain, self.metadata, self.parts, self.explanation)
