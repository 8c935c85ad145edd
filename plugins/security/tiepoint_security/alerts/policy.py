"""What becomes of a rule's alerts: thresholds, repetition, escalation, hours, limits."""

from __future__ import annotations

from pydantic import Field, model_validator

from tiepoint.config.sections import Name, Section
from tiepoint_security.alerts.condition import ConditionSettings
from tiepoint_security.alerts.limits import RateSettings
from tiepoint_security.alerts.schedule import Schedule


class SubjectSettings(Section):
    """When two alerts are about the same thing, so that only one is told of."""

    similarity: float = Field(
        default=0.85,
        ge=-1,
        le=1,
        title="Similarity",
        description="The least cosine between the looks of two tracks of one subject.",
    )
    across_cameras: bool = Field(
        default=True,
        title="Across cameras",
        description="Whether one subject seen by several cameras is one alert.",
    )
    same_place: float = Field(
        default=0.7,
        gt=0,
        le=1,
        title="Same place",
        description="The least overlap (intersection over union) by which a thing that stands"
        " still is known again, whatever the light does to its looks.",
    )


class EscalationStep(Section):
    """Who else is told of an alert that nobody has acknowledged."""

    after_s: float = Field(
        gt=0,
        le=7 * 86_400,
        title="After",
        description="Seconds after the alert was first delivered.",
    )
    sinks: tuple[Name, ...] = Field(
        default=(), title="Sinks", description="Sinks told from then on; all if none is given."
    )


class EscalationSettings(Section):
    """How an alert that nobody acknowledges is told of again."""

    steps: tuple[EscalationStep, ...] = Field(
        default=(), title="Steps", description="The steps, each later than the one before."
    )
    repeat_s: float | None = Field(
        default=None,
        ge=1,
        le=7 * 86_400,
        title="Repeat",
        description="Seconds after which the last step is taken again, until acknowledged.",
    )
    give_up_s: float = Field(
        default=86_400.0,
        gt=0,
        le=30 * 86_400,
        title="Give up",
        description="Seconds after the first delivery from which nothing is repeated.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> EscalationSettings:
        times = [step.after_s for step in self.steps]
        if sorted(set(times)) != times:
            raise ValueError("each step must come later than the one before")
        if self.repeat_s is not None and not self.steps:
            raise ValueError("repeat_s needs a step to repeat")
        return self


class AlertPolicy(Section):
    """How the alerts of a rule are raised, told of, and repeated."""

    condition: ConditionSettings = Field(
        default_factory=ConditionSettings, title="Condition", description="When it is the case."
    )
    cooldown_s: float = Field(
        default=60.0,
        ge=0,
        le=7 * 86_400,
        title="Cooldown",
        description="Seconds after the last delivered alert in which the same subject is not told"
        " of as a new one.",
    )
    subject: SubjectSettings = Field(
        default_factory=SubjectSettings, title="Subject", description="What is the same subject."
    )
    update_every_s: float = Field(
        default=10.0,
        ge=0,
        le=3600,
        title="Update every",
        description="The least seconds between two updates of one alert.",
    )
    sinks: tuple[Name, ...] = Field(
        default=(), title="Sinks", description="Who is told at first; all sinks if none is given."
    )
    escalation: EscalationSettings = Field(
        default_factory=EscalationSettings,
        title="Escalation",
        description="Who is told when nobody acknowledges.",
    )
    schedule: Schedule = Field(
        default_factory=Schedule, title="Schedule", description="When alerts are delivered."
    )
    rate: RateSettings | None = Field(
        default=None, title="Rate", description="The most new alerts of the rule on one camera."
    )
