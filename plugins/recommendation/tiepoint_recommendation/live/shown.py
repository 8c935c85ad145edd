"""From an answer to the rows of the log of impressions."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tiepoint_recommendation.experiments.arms import ExperimentSettings
from tiepoint_recommendation.live.asks import Answered, Ask
from tiepoint_recommendation.live.choosing import Chosen
from tiepoint_recommendation.live.impressions import Impression


def impressions_of(
    ask: Ask, answered: Answered, chosen: Sequence[Chosen], experiment: ExperimentSettings | None
) -> list[Impression]:
    """Return what is logged of an answer: each item that was shown, and how likely that was.

    Args:
        ask: The question.
        answered: The answer.
        chosen: How each of its items was chosen.
        experiment: The one that runs.
    """
    name = experiment.name if experiment is not None and answered.arm else ""
    now_s = time.time()
    return [
        Impression(
            answered.request,
            ask.somebody,
            told.id,
            told.rank,
            name,
            answered.arm,
            one.policy,
            one.propensity,
            one.candidates,
            one.best,
            told.score,
            now_s,
        )
        for told, one in zip(answered.items, chosen, strict=True)
    ]
