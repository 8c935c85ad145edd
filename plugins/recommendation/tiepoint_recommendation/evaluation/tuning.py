"""Options of rankers, chosen on a split within the training part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from tiepoint_recommendation.evaluation.answering import answer
from tiepoint_recommendation.evaluation.figures import by_user, per_query
from tiepoint_recommendation.fitting import empty_blend
from tiepoint_recommendation.histories import Histories
from tiepoint_recommendation.interactions import EventLog
from tiepoint_recommendation.rankers.base import ItemSpace
from tiepoint_recommendation.rankers.loading import build_ranker, ranker_class
from tiepoint_recommendation.settings import FitSettings
from tiepoint_recommendation.splits import Split, split_of

FIGURE = "NDCG@20"
"""What is made as large as possible: it tells more from few queries than recall."""
_FACTORS = (0.5, 2.0)
_FIXED = ("seed", "iterations", "neighbours", "latest")
_LEAST_GAIN = 1.005
"""A setting must be better by this factor; less is noise, and the default stays."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting of one ranker.

    Attributes:
        ranker: Its name.
        options: Those that differ from the defaults.
        value: Its `FIGURE`.
        kept: Whether it was better than all before.
    """

    ranker: str
    options: dict[str, Any]
    value: float
    kept: bool


def tune(
    log: EventLog,
    space: ItemSpace,
    settings: FitSettings,
    protocol: str,
    trials: int,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Iterator[Trial]:
    """Yield the trials of each ranker: one option at a time, halved and doubled.

    Settings are measured on a split within the training part of the protocol's split, so that
    `eval` afterwards measures them on queries that had no part in the choice.

    Args:
        log: All events.
        space: The items.
        settings: What is begun with.
        protocol: One of `PROTOCOLS`.
        trials: Of each ranker, at most.
        progress: Called with the trials done and the most that there can be.
    """
    cap = settings.events.most_strength
    outer = split_of(log, protocol, cap, settings.seed)
    inner = split_of(outer.train, protocol, cap, settings.seed + 2000)
    histories = inner.train.histories(float(inner.train.time_s.max()), cap)
    names = empty_blend(settings).rankers
    for number, name in enumerate(names):
        best = dict(settings.blend.rankers.get(name, {}))
        highest = _value(name, best, histories, space, inner)
        yield Trial(name, best, highest, True)
        for done, changed in enumerate(_neighbours(name, best)):
            if done >= trials:
                break
            tried = {**best, **changed}
            value = _value(name, tried, histories, space, inner)
            kept = value > highest * _LEAST_GAIN
            if kept:
                best, highest = tried, value
            progress(number * trials + done + 1, len(names) * trials)
            yield Trial(name, tried, value, kept)


def _neighbours(name: str, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield changes of single options; those that are numbers, and neither bounds nor seeds."""
    made = ranker_class(name).Options
    defaults = made.model_validate(options).model_dump()
    for option, value in defaults.items():
        if option in _FIXED or option.startswith("most_") or isinstance(value, str | bool):
            continue
        for factor in _FACTORS:
            changed = type(value)(value * factor)
            try:
                made.model_validate({**options, option: changed})
            except ValidationError:
                continue
            yield {option: changed}


def _value(
    name: str, options: dict[str, Any], histories: Histories, space: ItemSpace, split: Split
) -> float:
    ranker = build_ranker(name, options)
    ranker.fit(histories, space)
    found = per_query(answer(split, ranker.scores, space.offered))[FIGURE]
    return float(np.mean(by_user(found, split.users)))
