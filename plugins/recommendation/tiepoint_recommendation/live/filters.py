"""Filters: which items may be in an answer, and which filter left none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import Field, model_validator

from tiepoint.config.sections import Section
from tiepoint_recommendation.live.shelf import Mask, Shelf

_DAY_S = 86_400.0


class Filters(Section):
    """What items of an answer have to be like."""

    in_stock: bool | None = Field(
        default=None,
        title="In stock",
        description="Whether there has to be one left; as the deployment says if not given."
        " Items of which the stock is not counted are there.",
    )
    least_price: float | None = Field(
        default=None, ge=0, title="Least price", description="They cost so much or more."
    )
    most_price: float | None = Field(
        default=None, ge=0, title="Most price", description="They cost so much or less."
    )
    fresh_days: float | None = Field(
        default=None,
        gt=0,
        title="Fresh (days)",
        description="They came into the catalogue within so many days.",
    )
    brands: tuple[str, ...] = Field(
        default=(), title="Brands", description="They are of one of these."
    )
    categories: tuple[str, ...] = Field(
        default=(), title="Categories", description="They are in one of these."
    )
    exclude: tuple[str, ...] = Field(
        default=(), title="Exclude", description="Ids of items that are left out."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Filters:
        low, high = self.least_price, self.most_price
        if low is not None and high is not None and low > high:
            raise ValueError("the least price is above the most price")
        return self


@dataclass(frozen=True, slots=True)
class Eligible:
    """Which items an answer may have.

    Attributes:
        mask: (n,) bool.
        left: How many were left after each filter, in their order.
    """

    mask: Mask
    left: dict[str, int]

    @property
    def emptied_by(self) -> str | None:
        """The filter after which nothing was left; None if something is."""
        return next((name for name, left in self.left.items() if not left), None)

    def further(self, name: str, passing: Mask) -> Eligible:
        """Return what also passes one more filter."""
        mask = self.mask & passing
        return Eligible(mask, {**self.left, name: int(np.count_nonzero(mask))})

    def why_empty(self) -> str | None:
        """Say in one line which filter left nothing; None if something is left."""
        name = self.emptied_by
        if name is None:
            return None
        names = list(self.left)
        place = names.index(name)
        if not place:
            return "the catalogue offers nothing"
        before = self.left[names[place - 1]]
        return f"`{name}` left out the last {before} of {self.left[names[0]]} items"


def eligible(shelf: Shelf, filters: Filters, now_s: float) -> Eligible:
    """Return which items pass all filters.

    Args:
        shelf: The items.
        filters: What is asked of them.
        now_s: The present, in seconds since 1970.
    """
    found = Eligible(np.ones(len(shelf), np.bool_), {})
    for name, passing in checks(shelf, filters, now_s):
        found = found.further(name, passing)
    return found


def checks(shelf: Shelf, filters: Filters, now_s: float) -> Iterator[tuple[str, Mask]]:
    """Yield the name of each filter that is asked for, and (n,) which items pass it."""
    yield "offered", shelf.offered
    if filters.in_stock:
        yield "in_stock", shelf.in_stock
    if filters.least_price is not None:
        yield "least_price", shelf.price >= filters.least_price
    if filters.most_price is not None:
        yield "most_price", shelf.price <= filters.most_price
    if filters.fresh_days is not None:
        yield "fresh_days", shelf.added_s >= now_s - filters.fresh_days * _DAY_S
    if filters.brands:
        codes = [shelf.brands[name] for name in filters.brands if name in shelf.brands]
        yield "brands", np.isin(shelf.brand, codes)
    if filters.categories:
        codes = [shelf.categories[name] for name in filters.categories if name in shelf.categories]
        yield "categories", np.isin(shelf.category, codes)
    if filters.exclude:
        yield "exclude", ~shelf.mask_of(filters.exclude)
