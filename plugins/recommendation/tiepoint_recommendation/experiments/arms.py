"""Arms of an experiment, and which user is in which."""

from __future__ import annotations

import hashlib

from pydantic import Field, model_validator

from tiepoint.config.sections import Name, Section
from tiepoint_recommendation.exploration.policies import ExplorationSettings


class ArmSettings(Section):
    """What is different for the users of one arm; what is not given is as for everybody."""

    share: float = Field(
        gt=0, title="Share", description="Its part of the users, in proportion to the other arms."
    )
    diversity: float | None = Field(
        default=None, ge=0, lt=1, title="Diversity", description="See `live.diversity`."
    )
    exploration: ExplorationSettings | None = Field(
        default=None, title="Exploration", description="See `live.exploration`."
    )
    rankers: dict[str, float] = Field(
        default_factory=dict,
        title="Rankers",
        description="What the weights of rankers are multiplied with; 0 leaves one out.",
    )


class ExperimentSettings(Section):
    """An experiment: its name, and its arms."""

    name: Name = Field(
        title="Name", description="Another name splits the users anew, and counts from nothing."
    )
    arms: dict[Name, ArmSettings] = Field(
        title="Arms", description="Two or more; the first is what the others are compared with."
    )

    @model_validator(mode="after")
    def _two(self) -> ExperimentSettings:
        if len(self.arms) < 2:
            raise ValueError("an experiment needs at least two arms")
        return self


def arm_of(experiment: ExperimentSettings, user: str) -> str:
    """Return a user's arm: always the same one, whichever process is asked.

    Args:
        experiment: The experiment.
        user: The user's id, or that of the session of somebody unknown.
    """
    digest = hashlib.sha256(f"{experiment.name}\0{user}".encode("utf-8", "surrogatepass")).digest()
    point = int.from_bytes(digest[:8]) / 2**64
    total = sum(arm.share for arm in experiment.arms.values())
    upto = 0.0
    for name, arm in experiment.arms.items():
        upto += arm.share / total
        if point < upto:
            return name
    return list(experiment.arms)[-1]
