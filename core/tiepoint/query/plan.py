"""What a search does: the routes that it asks, for and against, and what it adds to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tiepoint.query.boosts import Boost
from tiepoint.query.gathering import Scope
from tiepoint.query.probes import Probe, WordProbe


@dataclass(frozen=True, slots=True)
class Side:
    """Routes that are asked together.

    Attributes:
        probes: The vector routes.
        words: The word routes.
        factors: What a route's contributions are multiplied by; 1 if not named.
    """

    probes: Sequence[Probe] = ()
    words: Sequence[WordProbe] = ()
    factors: Mapping[str, float] = field(default_factory=dict)

    @property
    def routes(self) -> list[str]:
        """The names of the routes; one that is asked twice stands there twice."""
        return [*(probe.route for probe in self.probes), *(word.route for word in self.words)]

    def __len__(self) -> int:
        return len(self.probes) + len(self.words)

    def __add__(self, other: Side) -> Side:
        return Side(
            [*self.probes, *other.probes],
            [*self.words, *other.words],
            {**self.factors, **other.factors},
        )

    def __bool__(self) -> bool:
        return bool(self.probes or self.words)


@dataclass(frozen=True, slots=True)
class Plan:
    """A search, ready to be ranked.

    Attributes:
        wanted: Routes that propose items and add to their scores.
        unwanted: Routes that take from the scores of what is proposed.
        boosts: Bonuses by metadata.
        scope: Which items may be proposed.
    """

    wanted: Side
    unwanted: Side
    boosts: Sequence[Boost]
    scope: Scope
