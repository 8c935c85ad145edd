"""What the rules of a moment do to the items of a shelf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiepoint_recommendation.histories import Floats
from tiepoint_recommendation.live.shelf import Mask, Shelf
from tiepoint_recommendation.rules.rule import Rule, Selector


@dataclass(frozen=True)
class Effects:
    """The rules that hold, worked out for n items.

    Attributes:
        allowed: (n,) False for what a rule keeps out; None if none does.
        shift: (n,) float32, what boosts and burials add, in standard deviations; None for none.
        pins: Place, from 0, and item number of what is pinned, by place.
        caps: (n,) int32 numbers of brands or categories, and how many places each may take.
        names: Of the rules, in their order.
    """

    allowed: Mask | None
    shift: Floats | None
    pins: tuple[tuple[int, int], ...]
    caps: tuple[tuple[np.ndarray[tuple[int], np.dtype[np.int32]], int], ...]
    names: tuple[str, ...]


def effects_of(rules: Sequence[Rule], shelf: Shelf) -> Effects:
    """Return what rules do, which all hold now.

    Args:
        rules: The oldest first.
        shelf: The items.
    """
    allowed: Mask | None = None
    shift: Floats | None = None
    pins: list[tuple[int, int]] = []
    caps = []
    for rule in rules:
        if rule.action == "cap_brand":
            caps.append((shelf.brand, rule.most))
        elif rule.action == "cap_category":
            caps.append((shelf.category, rule.most))
        else:
            meant = _meant(rule.select, shelf)
            if rule.action == "exclude":
                allowed = ~meant if allowed is None else allowed & ~meant
            elif rule.action == "pin":
                pins += [(rule.place - 1 + n, item) for n, item in _pinned(rule, shelf, meant)]
            else:
                signed = rule.strength if rule.action == "boost" else -rule.strength
                shift = np.zeros(len(shelf), np.float32) if shift is None else shift
                shift[meant] += signed
    names = tuple(rule.name for rule in rules)
    return Effects(allowed, shift, tuple(sorted(pins)), tuple(caps), names)


def _pinned(rule: Rule, shelf: Shelf, meant: Mask) -> list[tuple[int, int]]:
    """Return the items of a pin, those that are named in their order, numbered from 0."""
    known = shelf.model.number_of
    if rule.select.items:
        items = [known[id_] for id_ in rule.select.items if id_ in known and meant[known[id_]]]
    else:
        items = np.flatnonzero(meant).tolist()
    return list(enumerate(items))


def _meant(selector: Selector, shelf: Shelf) -> Mask:
    mask = np.ones(len(shelf), np.bool_)
    if selector.items:
        mask &= shelf.mask_of(selector.items)
    if selector.brand is not None:
        mask &= shelf.brand == shelf.brands.get(selector.brand, -2)
    if selector.category is not None:
        mask &= shelf.category == shelf.categories.get(selector.category, -2)
    if selector.tag is not None:
        tagged = [one.id for one in shelf.products.values() if selector.tag in one.tags]
        mask &= shelf.mask_of(tagged)
    return mask
