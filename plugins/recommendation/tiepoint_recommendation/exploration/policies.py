"""Policies that choose the item of one place, and say how likely that choice was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint.config.sections import Section
from tiepoint_recommendation.exploration.thompson import probability_of_best


class ExplorationSettings(Section):
    """How the last places of an answer try what is not known to be best."""

    policy: Literal["none", "epsilon", "thompson"] = Field(
        default="none",
        title="Policy",
        description="`epsilon` tries any candidate now and then; `thompson` tries those most of"
        " which least is known, by their clicks so far.",
    )
    epsilon: float = Field(
        default=0.1,
        gt=0,
        le=1,
        title="Epsilon",
        description="How often an explored place takes any candidate.",
    )
    places: int = Field(
        default=1,
        ge=1,
        le=100,
        title="Places",
        description="How many places of an answer explore: the last ones.",
    )
    candidates: int = Field(
        default=20,
        ge=2,
        le=500,
        title="Candidates",
        description="Among how many of the next best items an explored place chooses.",
    )
    seed: int = Field(
        default=0, ge=0, title="Seed", description="With a request's id, it decides every draw."
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """What a policy chose.

    Attributes:
        position: Which of the candidates.
        propensity: How likely it was to be chosen, from above 0 to 1.
    """

    position: int
    propensity: float


class Policy(Protocol):
    """What chooses among candidates."""

    def choose(
        self, shown: NDArray[np.int64], clicked: NDArray[np.int64], rng: np.random.Generator
    ) -> Choice:
        """Choose one of n candidates, which stand best first.

        Args:
            shown: (n,) how often each one was shown.
            clicked: (n,) how often it was clicked then.
            rng: Where chance comes from.
        """


@dataclass(frozen=True, slots=True)
class Epsilon:
    """The best one mostly; with the probability epsilon any one, all alike.

    Attributes:
        epsilon: From 0 to 1.
    """

    epsilon: float

    def choose(
        self, shown: NDArray[np.int64], clicked: NDArray[np.int64], rng: np.random.Generator
    ) -> Choice:
        any_one = rng.random() < self.epsilon
        position = int(rng.integers(len(shown))) if any_one else 0
        propensity = self.propensities(np.array([position == 0]), np.array([len(shown)]))
        return Choice(position, float(propensity[0]))

    def propensities(
        self, best: NDArray[np.bool_], candidates: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return (n,) how likely candidates are to be chosen.

        Args:
            best: (n,) whether each is the first one.
            candidates: (n,) among how many.

        >>> Epsilon(0.2).propensities(np.array([True]), np.array([10])).round(2).tolist()
        [0.82]
        """
        return np.asarray((1.0 - self.epsilon) * best + self.epsilon / candidates)


class Thompson:
    """Thompson sampling: a click rate drawn for each candidate from its posterior; the highest.

    A Beta posterior from a prior of one click in twenty shows (Chapelle and Li, NIPS 2011).
    """

    _CLICKS, _OTHERS = 0.5, 9.5

    def choose(
        self, shown: NDArray[np.int64], clicked: NDArray[np.int64], rng: np.random.Generator
    ) -> Choice:
        clicks = clicked.astype(np.float64) + self._CLICKS
        others = np.maximum(shown - clicked, 0).astype(np.float64) + self._OTHERS
        position = int(rng.beta(clicks, others).argmax())
        return Choice(position, probability_of_best(clicks, others, position))


def policy_of(settings: ExplorationSettings) -> Policy | None:
    """Return the policy that the settings name; None where nothing is explored."""
    if settings.policy == "epsilon":
        return Epsilon(settings.epsilon)
    return Thompson() if settings.policy == "thompson" else None
