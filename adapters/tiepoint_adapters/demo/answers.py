"""The demo's searches, timed, and how often they found what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tiepoint.types import Hit
from tiepoint_adapters.demo.questions import COLLECTIONS, Kind, Question

if TYPE_CHECKING:
    from tiepoint.host import Host

SHOWN = 5
"""How many hits each question asks for."""

TITLES: dict[Kind, str] = {
    "text-image": "Text → image",
    "image-text": "Image → text",
    "image-image": "Image → image",
    "hybrid": "Text → captioned image",
}

NOTES: dict[Kind, str] = {
    "text-image": "Asked of pictures that have no text: only what they show can answer.",
    "image-text": "Asked of captions that have no picture; one in any language is right.",
    "image-image": "Pictures that were changed before they were asked with, or another view.",
    "hybrid": "Asked of pictures with their captions: what a picture shows, what its captions"
    " mean, and which words they share with the query, added up.",
}
"""What each direction shows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question brought.

    Attributes:
        question: The question.
        hits: Up to `SHOWN` hits, best first.
        took_ms: Milliseconds from the query's parts to the hits.
    """

    question: Question
    hits: Sequence[Hit]
    took_ms: float

    @property
    def rank(self) -> int | None:
        """The rank of the first right answer, from 1; None if it is not among the hits."""
        for rank, hit in enumerate(self.hits, 1):
            if hit.id in self.question.expected:
                return rank
        return None


@dataclass(frozen=True, slots=True)
class Section:
    """The answers of one direction."""

    kind: Kind
    answers: Sequence[Answer]

    @property
    def title(self) -> str:
        """The direction in words."""
        return TITLES[self.kind]

    @property
    def note(self) -> str:
        """What the direction shows."""
        return NOTES[self.kind]

    @property
    def judged(self) -> int:
        """How many questions have a right answer that is known."""
        return sum(1 for answer in self.answers if answer.question.expected)

    @property
    def median_ms(self) -> float:
        """The median of the searches' milliseconds."""
        return median(answer.took_ms for answer in self.answers)

    def found(self, within: int) -> int:
        """Count the questions with a right answer among the first hits."""
        return sum(1 for answer in self.answers if (answer.rank or SHOWN + 1) <= within)

    def as_dict(self) -> dict[str, Any]:
        """Return the section as plain data, in the documented shape of `demo --json`."""
        return {
            "direction": self.kind,
            "queries": len(self.answers),
            "judged": self.judged,
            "found_at_1": self.found(1),
            "found_at_5": self.found(SHOWN),
            "median_ms": round(self.median_ms, 3),
            "answers": [
                {
                    "query": answer.question.label,
                    "language": answer.question.language,
                    "expected": sorted(answer.question.expected),
                    "rank": answer.rank,
                    "took_ms": round(answer.took_ms, 3),
                    "hits": [hit.as_dict() for hit in answer.hits],
                }
                for answer in self.answers
            ],
        }


def ask_all(host: Host, questions: Iterable[Question]) -> list[Section]:
    """Ask every question and return the answers by direction."""
    by_kind: dict[Kind, list[Answer]] = {}
    for question in questions:
        started = perf_counter()
        hits = host.search(
            **question.query, k=SHOWN, collection=COLLECTIONS[question.kind], explain=True
        )
        took_ms = (perf_counter() - started) * 1000
        by_kind.setdefault(question.kind, []).append(Answer(question, hits, took_ms))
    return [Section(kind, by_kind[kind]) for kind in TITLES if kind in by_kind]
