"""What of the deployment file is about answers, refits and streams of events."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from tiepoint.config.sections import Section
from tiepoint_recommendation.experiments.arms import ExperimentSettings
from tiepoint_recommendation.exploration.policies import ExplorationSettings


class RefitSettings(Section):
    """When models are made anew, beside the answering."""

    every_s: float = Field(
        default=3600.0,
        gt=0,
        title="Every (s)",
        description="How often it is looked whether there is enough that is new.",
    )
    after_events: int = Field(
        default=1000, ge=1, title="After events", description="So many new events are enough."
    )
    most_s: float = Field(
        default=3600.0,
        gt=0,
        title="Most (s)",
        description="A refit that takes longer is stopped, and counts as failed.",
    )
    catalogue_every_s: float = Field(
        default=60.0,
        gt=0,
        title="Catalogue every (s)",
        description="How often prices and stocks are read again.",
    )


class StreamSettings(Section):
    """A stream that brings events."""

    url: SecretStr = Field(
        title="URL",
        description="`redis://user:password@host:6379/0`, `rediss://...`, or `kafka://host:9092`.",
    )
    name: str = Field(
        default="events", title="Name", description="Of the Redis stream, or of the Kafka topic."
    )
    group: str = Field(
        default="tiepoint",
        title="Group",
        description="The consumer group: its members share the events among them.",
    )


class LiveSettings(Section):
    """How answers are made and kept fresh."""

    recent_events: int = Field(
        default=200,
        ge=1,
        le=5000,
        title="Recent events",
        description="How many of a user's latest events make the profile.",
    )
    leave_out: Literal["seen", "bought", "nothing"] = Field(
        default="seen",
        title="Leave out",
        description="What is not recommended again: all that the profile tells of, what was"
        " bought or rejected, or what was rejected only (`nothing`).",
    )
    in_stock: bool = Field(
        default=True, title="In stock", description="Leave out what is sold out."
    )
    diversity: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        title="Diversity",
        description="From 0 (by score alone) to below 1: how unlike each other the items of an"
        " answer are.",
    )
    onboarding_diversity: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        title="Onboarding diversity",
        description="The same for somebody of whom nothing is known yet.",
    )
    personal: float = Field(
        default=0.5,
        ge=0,
        title="Personal",
        description="How much the profile weighs beside a sentence or a picture, which has 1.",
    )
    attribution_hours: float = Field(
        default=24.0,
        gt=0,
        title="Attribution (hours)",
        description="How long after it was shown a click on an item counts for the answer.",
    )
    log_impressions: bool = Field(
        default=True,
        title="Log impressions",
        description="Keep what was shown; experiments, Thompson and estimates need it.",
    )
    exploration: ExplorationSettings = Field(
        default_factory=ExplorationSettings,
        title="Exploration",
        description="Whether answers try what is not known to be best.",
    )
    experiment: ExperimentSettings | None = Field(
        default=None, title="Experiment", description="Arms that the users are split over."
    )
    refit: RefitSettings = Field(
        default_factory=RefitSettings, title="Refit", description="When models are made anew."
    )
    stream: StreamSettings | None = Field(
        default=None, title="Stream", description="Where events come from by themselves."
    )
