"""The parts of the deployment file that say how hits are scored and ordered."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tiepoint.config.sections import ComponentSection, Name, Section


class DecaySection(Section):
    """A strength that falls with the distance of a number or date from an origin."""

    field: Name = Field(
        title="Field",
        description="A metadata field of numbers, or of dates (ISO 8601, or seconds since 1970).",
    )
    shape: Literal["gauss", "exp", "linear"] = Field(
        default="gauss", title="Shape", description="How the strength falls with the distance."
    )
    origin: float | str = Field(
        title="Origin",
        description="The value of full strength: a number, a date, or `now`.",
        examples=["now", "2026-05-01", 100.0],
    )
    scale: float | str = Field(
        title="Scale",
        description="The distance at which the strength is `at_scale`: a number, or such as `7d`.",
        examples=["7d", "12h", 25.0],
    )
    offset: float | str = Field(
        default=0.0, title="Offset", description="The distance up to which the strength is full."
    )
    at_scale: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        title="At scale",
        description="The strength at the distance `scale` beyond the offset.",
    )


class BoostSection(Section):
    """A bonus by metadata: for items that pass a filter, or by a decay, or both."""

    where: str | None = Field(
        default=None,
        title="Where",
        description="Which items get it, in the language of `--filter`; all if not given.",
    )
    decay: DecaySection | None = Field(
        default=None, title="Decay", description="How much of it an item gets; all if not given."
    )
    value: float = Field(
        title="Value",
        description="Added to the score at full strength; negative to push items down.",
        allow_inf_nan=False,
    )


class FusionSection(ComponentSection):
    """How routes are combined: an entry point in `tiepoint.fusions`."""

    type: str = Field(
        default="weighted",
        title="Type",
        description="`weighted`, `rrf`, `max`, `saved` (a fitted one), or another entry point.",
    )
    candidates: int = Field(
        default=100,
        ge=1,
        le=10_000,
        title="Candidates",
        description="How many items each route proposes, at least; never fewer than asked for.",
    )
    boosts: dict[Name, BoostSection] = Field(
        default_factory=dict, title="Boosts", description="Bonuses by metadata, by name."
    )


class SearchSection(Section):
    """How the parts of a query that are not simply asked for count."""

    negative_weight: float = Field(
        default=1.0,
        gt=0,
        le=100,
        title="Negative weight",
        description="What `negative` parts take away, relative to what the same part would add.",
    )
    like_weight: float = Field(
        default=0.75,
        gt=0,
        le=100,
        title="Like weight",
        description="What likeness to the items in `like` adds (beta of Rocchio's feedback).",
    )
    unlike_weight: float = Field(
        default=0.25,
        gt=0,
        le=100,
        title="Unlike weight",
        description="What likeness to the items in `unlike` takes away (gamma of Rocchio's).",
    )
    session_hours: float = Field(
        default=24.0,
        gt=0,
        le=24 * 365,
        title="Session hours",
        description="How long after its last turn a search session is kept.",
    )
