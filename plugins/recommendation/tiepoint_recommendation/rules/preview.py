"""What a rule would do to an answer, before it is applied."""

from __future__ import annotations

from dataclasses import dataclass

from tiepoint_recommendation.live.answering import Answerer
from tiepoint_recommendation.live.asks import Answered, Ask
from tiepoint_recommendation.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would do to an answer.

    Attributes:
        before: The answer as it is.
        after: The answer with the rule.
        entered: Ids of items that come in.
        left: Ids of items that go.
        moved: Ids of items that stay, at another place.
    """

    before: Answered
    after: Answered
    entered: tuple[str, ...]
    left: tuple[str, ...]
    moved: tuple[str, ...]


def preview_of(answerer: Answerer, rule: Rule, ask: Ask) -> Preview:
    """Return what a rule would do to an answer; both are drawn by the same chance."""
    ask = ask.model_copy(update={"request": ask.request or "preview"})
    before = answerer.answer(ask)[0]
    after = answerer.answer(ask, trial=rule)[0]
    was = {one.id: one.rank for one in before.items}
    is_ = {one.id: one.rank for one in after.items}
    return Preview(
        before,
        after,
        tuple(item for item in is_ if item not in was),
        tuple(item for item in was if item not in is_),
        tuple(item for item in is_ if item in was and was[item] != is_[item]),
    )
