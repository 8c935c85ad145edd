"""From a question and hits to an answer."""

from __future__ import annotations

from collections.abc import Sequence

from tiepoint.answering.base import Answer, Answerer
from tiepoint.answering.evidence import keys_of, prompt_for
from tiepoint.answering.grounding import Unsupported, grounded
from tiepoint.encoders.texts import clean_text
from tiepoint.types import Hit


def answer(
    question: str,
    hits: Sequence[Hit],
    answerer: Answerer,
    *,
    most: int,
    unsupported: Unsupported,
) -> Answer:
    """Return an answer that rests on the best hits; an empty one where there are none.

    Args:
        question: In any language.
        hits: The hits of a search, best first.
        answerer: The language model.
        most: How many hits the model sees.
        unsupported: What becomes of sentences that cite no hit.

    Raises:
        DecodeError: The question is no text.
        AnswerError: The model did not answer.
    """
    asked = clean_text(question)
    seen = hits[:most]
    if not seen:
        return Answer("")
    keys = keys_of(seen)
    return grounded(answerer.complete(prompt_for(asked, seen, keys)), keys, unsupported)
