"""The contract of answerers: a language model that completes a prompt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is asked: what to do, and with what."""

    system: str
    user: str


class Answerer(ABC):
    """A language model (entry points: `tiepoint.answerers`).

    Constructed cheaply with its options; a model loads at first use.
    """

    @abstractmethod
    def complete(self, prompt: Prompt) -> str:
        """Return what the model says.

        Raises:
            AnswerError: It cannot be asked, or did not answer in time.
        """


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer.

    Attributes:
        text: The sentence, without its citations.
        citations: Ids of the hits that it cites; empty where nothing supports it.
    """

    text: str
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that rests on hits.

    Attributes:
        text: The sentences with the ids that they cite, in square brackets.
        sentences: The sentences that are shown.
        citations: Ids of all hits that are cited, in the order of their first citation.
        unsupported: Sentences that cite no hit: left out, or marked in the text.
        unknown: What was cited and is no hit; left out.
    """

    text: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data, in the documented shape of `--json`."""
        return asdict(self)
