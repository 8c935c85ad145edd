"""Items for an item: like it, or going with it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from tiepoint_recommendation.histories import Floats, Histories, History
from tiepoint_recommendation.live.scores import Part
from tiepoint_recommendation.live.shelf import Mask, Shelf
from tiepoint_recommendation.rankers.content import Content
from tiepoint_recommendation.rankers.popularity import Popularity

Relation = Literal["similar", "complementary"]

_WEIGHTS: dict[Relation, tuple[float, float]] = {
    "similar": (1.0, 0.3),
    "complementary": (-0.3, 1.0),
}
"""What the mean of the content rankers counts, and that of those of behaviour."""


def related(
    shelf: Shelf, number: int, relation: Relation, now_s: float
) -> tuple[dict[str, Part], Mask]:
    """Return what each ranker gives to every item, and which items are in question.

    `similar`: by content above all, and by what people do. `complementary`: by what people do,
    less by content; nothing of the same category, and no variant of it.

    Args:
        shelf: The items.
        number: The item asked for.
        relation: Which of the two.
        now_s: The present, in seconds since 1970.

    Returns:
        What each ranker gives, and (n,) bool.
    """
    one = History(
        np.array([number], np.int32), np.ones(1, np.float32), np.array([now_s], np.float64)
    )
    asked = Histories.of([one], now_s)
    content: dict[str, Floats] = {}
    behaviour: dict[str, Floats] = {}
    for name, ranker in shelf.model.rankers.items():
        if not isinstance(ranker, Popularity):
            scores = ranker.scores(asked)[0]
            if np.ptp(scores) > 0:
                (content if isinstance(ranker, Content) else behaviour)[name] = scores
    parts: dict[str, Part] = {}
    for some, weight in zip((content, behaviour), _WEIGHTS[relation], strict=True):
        parts |= {name: Part.standardised(one, weight / len(some)) for name, one in some.items()}
    space = shelf.model.space
    open_ = space.groups != space.groups[number]
    if relation == "complementary" and shelf.category[number] >= 0:
        open_ &= shelf.category != shelf.category[number]
    return parts, open_
