"""What of the deployment file is about events, rankers and their blend."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tiepoint.config.sections import Section

WEIGHTS = {
    "view": 1.0,
    "click": 1.0,
    "like": 2.0,
    "comment": 2.0,
    "share": 3.0,
    "cart": 3.0,
    "purchase": 4.0,
    "rating": 1.0,
    "hide": -1.0,
    "dislike": -1.0,
    "impression": 0.0,
}
"""What an event of each kind counts, unless the deployment says otherwise."""
_LISTED = ", ".join(f"{kind} {value:g}" for kind, value in WEIGHTS.items())


class EventSettings(Section):
    """What events count, and which are no person's."""

    weights: dict[str, float] = Field(
        default_factory=dict,
        title="Weights",
        description="What an event of each kind counts; below 0 is a rejection, 0 is ignored."
        f" Known by themselves: {_LISTED}.",
        examples=[{"view": 1, "cart": 3, "hide": -1}],
    )
    other: float = Field(
        default=1.0, title="Other", description="What an event of any other kind counts."
    )
    most_strength: float = Field(
        default=5.0,
        gt=0,
        title="Most strength",
        description="The most that all events of a user with one item count together.",
    )
    repeat_s: float = Field(
        default=60.0,
        ge=0,
        title="Repeat (s)",
        description="An event like one of the same user, item and kind at most so many seconds"
        " before is a repetition, and counts nothing.",
    )
    robot_events_per_hour: int = Field(
        default=3000,
        ge=10,
        title="Robot events per hour",
        description="A user with more events within some hour is a robot, and is left out.",
    )

    def weight(self, kind: str) -> float:
        """Return what an event of a kind counts."""
        return self.weights.get(kind, WEIGHTS.get(kind, self.other))


class BlendSettings(Section):
    """Which rankers are blended, and how their weights are learned."""

    rankers: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        title="Rankers",
        description="Options of rankers by name: those that are blended. All that come with the"
        " plugin but `recurrent`, with their own defaults, if empty.",
    )
    weights: dict[str, float] | None = Field(
        default=None,
        title="Weights",
        description="Fixed weights by ranker, for all users; learned if not given.",
    )
    validation: Literal["leave-last", "time", "strict-cold"] = Field(
        default="leave-last",
        title="Validation",
        description="What the weights are learned from: each user's last new item, the items"
        " after a global time, or items without events.",
    )
    light_from: int = Field(
        default=1, ge=1, title="Light from", description="With so many items, a user is light."
    )
    heavy_from: int = Field(
        default=20, ge=2, title="Heavy from", description="With so many items, a user is heavy."
    )


class FitSettings(Section):
    """How a model is made from events and catalogue."""

    events: EventSettings = Field(
        default_factory=EventSettings, title="Events", description="What events count."
    )
    blend: BlendSettings = Field(
        default_factory=BlendSettings, title="Blend", description="The rankers and their weights."
    )
    seed: int = Field(default=0, title="Seed", description="Of everything that is drawn by chance.")
