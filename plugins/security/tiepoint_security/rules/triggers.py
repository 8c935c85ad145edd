"""The triggers of rules, as the deployment file writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from tiepoint.config.sections import Name, Section

_ZONES = "The zones that count; the whole picture if none is given."


class _InZones(Section):
    zones: tuple[Name, ...] = Field(default=(), title="Zones", description=_ZONES)


class _Rare(_InZones):
    """A trigger whose threshold is a rate on ordinary footage."""

    alerts_per_hour: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        title="Alerts per hour",
        description="How often the camera's own ordinary footage may reach the threshold.",
    )


class AbnormalSettings(_Rare):
    """Something that the camera's ordinary footage does not have."""

    by: Literal["motion", "looks"] = Field(
        default="motion",
        title="By",
        description="`motion`: speed and direction by place. `looks`: the distance of what moves"
        " to the nearest of what usually moves there.",
    )


class DescribedSettings(_Rare):
    """Something that a sentence or a picture describes."""

    text: str | None = Field(
        default=None, min_length=1, max_length=1000, title="Text", description="A sentence."
    )
    picture: Path | None = Field(default=None, title="Picture", description="An example.")
    look_at: Literal["regions", "scene"] = Field(
        default="regions",
        title="Look at",
        description="What is compared: each thing that moves, or the whole picture.",
    )

    @model_validator(mode="after")
    def _one(self) -> DescribedSettings:
        if (self.text is None) == (self.picture is None):
            raise ValueError("give either text or picture")
        if self.look_at == "scene" and self.zones:
            raise ValueError("zones have no meaning for the whole picture; leave them out")
        return self


class IntrusionSettings(Section):
    """Something is in a zone: the middle of its lower edge, where it stands, is."""

    zones: tuple[Name, ...] = Field(
        min_length=1, title="Zones", description="The zones that nobody should be in."
    )


class LoiteringSettings(_InZones):
    """Something stays: it does not leave a small part of the picture for a time."""

    seconds: float = Field(
        default=30.0, gt=0, le=86_400, title="Seconds", description="How long it has to stay."
    )
    within: float = Field(
        default=0.33,
        gt=0,
        le=1,
        title="Within",
        description="The part of the picture's diagonal that it does not leave meanwhile.",
    )


class WrongDirectionSettings(_InZones):
    """Something goes against the way that is allowed."""

    allowed: Literal["right", "down", "left", "up"] | float = Field(
        title="Allowed",
        description="The allowed way in the picture: a word, or degrees clockwise from the right.",
    )
    tolerance: float = Field(
        default=90.0,
        gt=0,
        lt=180,
        title="Tolerance",
        description="How many degrees the way may differ from the allowed one.",
    )
    over: float = Field(
        default=0.08,
        gt=0,
        le=1,
        title="Over",
        description="The part of the picture's diagonal that it has to go the wrong way.",
    )


class LineCrossingSettings(Section):
    """Something crosses a line."""

    line: Name = Field(title="Line", description="The line.")
    to: Literal["left", "right", "any"] = Field(
        default="any",
        title="To",
        description="The side that it goes to, seen on the way from the line's first end to its"
        " second.",
    )


class AbandonedSettings(_InZones):
    """Something new stays where it is with nobody near it."""

    seconds: float = Field(
        default=30.0, gt=0, le=86_400, title="Seconds", description="How long it has to stay."
    )


class CrowdingSettings(_InZones):
    """Many at a time."""

    count: int = Field(ge=2, le=1000, title="Count", description="How many are too many.")


class FightSettings(_Rare):
    """Fight-like motion; needs cameras of 10 frames a second."""
