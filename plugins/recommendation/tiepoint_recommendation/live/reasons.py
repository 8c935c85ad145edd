"""Why an item is recommended: in numbers, and in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tiepoint_recommendation.live.asks import Because, Reasons
from tiepoint_recommendation.live.profiles import Profile
from tiepoint_recommendation.live.shelf import Shelf
from tiepoint_recommendation.settings import EventSettings

_DID = {
    "view": "looked at",
    "click": "clicked",
    "like": "liked",
    "comment": "commented on",
    "share": "shared",
    "cart": "put into the cart",
    "purchase": "bought",
    "rating": "rated",
}
_WHY = {
    "popularity": "popular lately",
    "text": "similar title",
    "image": "similar picture",
    "fused": "similar in looks and words",
    "sequence": "often next",
    "item-item": "liked by the same people",
    "neighbours": "chosen by people like you",
    "ease": "liked along with it",
    "als": "to the taste of people like you",
    "recurrent": "what comes next for many",
    "taste": "of the kind you like",
    "content-map": "people who like such things",
    "query": "fits what you asked for",
    "rules": "lifted by the shop",
}
_MOST_BECAUSE, _MOST_WHY = 2, 3


def reasons_of(
    profile: Profile,
    number: int,
    parts: Mapping[str, float],
    shelf: Shelf,
    counting: EventSettings,
    pinned: bool,
) -> Reasons:
    """Return why an item is in an answer.

    What each ranker gave to the score is shared out over the entries of the history in
    proportion to what they gave to the ranker's own score.

    Args:
        profile: Of who asks.
        number: The item's number.
        parts: What each ranker, rule or query gave.
        shelf: The items.
        counting: What events count.
        pinned: Whether a rule put it there.
    """
    credits = np.zeros(len(profile.history))
    for name, shares in shelf.model.reasons(profile.history, number).items():
        positive = np.maximum(shares, 0.0)
        if parts.get(name, 0.0) > 0 and positive.sum() > 0:
            credits += parts[name] * positive / positive.sum()
    did = _did(profile, counting)
    because = []
    for entry in np.argsort(-credits, kind="stable")[:_MOST_BECAUSE].tolist():
        if credits[entry] > 0:
            item = shelf.model.space.ids[int(profile.history.items[entry])]
            words = did.get(item, "looked at")
            because.append(Because(item, shelf.title(item), words, round(float(credits[entry]), 4)))
    strongest = sorted((name for name in parts if parts[name] > 0), key=lambda name: -parts[name])
    why = tuple(_WHY.get(name, name) for name in strongest[:_MOST_WHY])
    if pinned:
        why = ("put here by the shop",)
    return Reasons(_words([] if pinned else because, why), tuple(because), why)


def _did(profile: Profile, counting: EventSettings) -> dict[str, str]:
    """Return what was done with each item: of several things the one that counts most."""
    best: dict[str, tuple[float, str]] = {}
    for event in profile.events:
        weight = counting.weight(event.kind)
        if event.item not in best or weight > best[event.item][0]:
            best[event.item] = weight, event.kind
    return {item: _DID.get(kind, f"did “{kind}” with") for item, (_, kind) in best.items()}


def _words(because: list[Because], why: tuple[str, ...]) -> str:
    said = []
    if because:
        by_deed: dict[str, list[str]] = {}
        for one in because:
            by_deed.setdefault(one.did, []).append(one.title)
        deeds = (f"{did} {' and '.join(titles)}" for did, titles in by_deed.items())
        said.append("because you " + " and ".join(deeds))
    if why:
        said.append(", ".join(why))
    return "; ".join(said) or "nothing speaks against it"
