"""A rule: what it does, to which products, and when."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tiepoint.config.sections import Section

Action = Literal["pin", "boost", "bury", "exclude", "cap_brand", "cap_category"]


class Selector(Section):
    """Which products are meant: those that fit everything that is given; all, if nothing is."""

    items: tuple[str, ...] = Field(default=(), title="Items", description="These ids.")
    brand: str | None = Field(default=None, title="Brand", description="Products of this brand.")
    category: str | None = Field(
        default=None, title="Category", description="Products of this category."
    )
    tag: str | None = Field(default=None, title="Tag", description="Products with this tag.")

    @property
    def everything(self) -> bool:
        """Whether nothing is given."""
        return not self.items and self.brand is self.category is self.tag is None


class Rule(Section):
    """One rule of a merchandiser."""

    name: str = Field(min_length=1, max_length=200, title="Name", description="What people see.")
    action: Action = Field(
        title="Action",
        description="`pin` puts products at a place, `boost` and `bury` lift and lower them,"
        " `exclude` keeps them out, `cap_brand` and `cap_category` allow each brand or category"
        " so many places of an answer.",
    )
    select: Selector = Field(
        default_factory=Selector, title="Select", description="Which products are meant."
    )
    place: int = Field(
        default=1, ge=1, le=100, title="Place", description="For `pin`: from 1, the first one."
    )
    strength: float = Field(
        default=1.0,
        gt=0,
        le=100,
        title="Strength",
        description="For `boost` and `bury`: in standard deviations of the scores of an answer.",
    )
    most: int = Field(
        default=2, ge=1, le=1000, title="Most", description="For caps: how many places."
    )
    start_s: float | None = Field(
        default=None, title="Start", description="From when on, in seconds since 1970."
    )
    end_s: float | None = Field(
        default=None, title="End", description="Until when, in seconds since 1970."
    )

    @model_validator(mode="after")
    def _sensible(self) -> Rule:
        if self.start_s is not None and self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError("the rule ends before it starts")
        if self.action in ("pin", "exclude", "boost", "bury") and self.select.everything:
            raise ValueError(f"`{self.action}` needs to be told which products, under `select`")
        return self

    def active(self, now_s: float) -> bool:
        """Whether the rule holds at a time, in seconds since 1970."""
        begun = self.start_s is None or now_s >= self.start_s
        return begun and (self.end_s is None or now_s < self.end_s)
