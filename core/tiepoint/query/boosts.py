"""Boosts: what an item's metadata add to its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tiepoint.config.collections import MetadataType
from tiepoint.config.ranking import BoostSection
from tiepoint.errors import QueryError
from tiepoint.index.base import Searcher
from tiepoint.index.filters import Filter
from tiepoint.query.decay import Decay
from tiepoint.types import Contribution


@dataclass(frozen=True, slots=True)
class Boost:
    """A bonus (or, with a negative value, a malus) by metadata.

    Attributes:
        route: What the contribution is called: `boost:<name>`.
        where: Which items get it; None for all.
        decay: How much of it they get; None for all of it.
        value: What full strength adds to the score.
    """

    route: str
    where: Filter | None
    decay: Decay | None
    value: float

    @classmethod
    def of(
        cls, name: str, section: BoostSection, metadata: Mapping[str, MetadataType], where: str
    ) -> Boost:
        """Return a boost as it is written.

        Args:
            name: What it is called.
            section: How it is written.
            metadata: The collection's metadata.
            where: The boosts' place, as named in errors.

        Raises:
            QueryError: Neither `where` nor `decay`, or a decay that cannot be.
            FilterError: A filter that cannot be understood.
        """
        place = f"{where}.{name}"
        if section.where is None and section.decay is None:
            raise QueryError(
                "a boost for all items changes nothing", where=place, hint="Add where or decay."
            )
        condition = Filter.parse(section.where, metadata) if section.where is not None else None
        decay = Decay.of(section.decay, metadata, f"{place}.decay") if section.decay else None
        return cls(f"boost:{name}", condition, decay, section.value)

    def contributions(self, searcher: Searcher, pool: Sequence[str]) -> list[Contribution | None]:
        """Return what each item of the pool gets; None for one that gets nothing."""
        strengths = np.ones(len(pool))
        if self.decay is not None:
            strengths = self.decay.strengths(searcher.values(self.decay.field, pool))
        if self.where is not None:
            strengths[~searcher.matches(self.where, pool)] = np.nan
        return [
            # NaN is the only number that differs from itself.
            None if s != s else Contribution(self.route, s, s, self.value, self.value * s)
            for s in strengths.tolist()
        ]


def with_boosts(
    shares: Sequence[tuple[Contribution, ...]],
    boosts: Sequence[Boost],
    searcher: Searcher,
    pool: Sequence[str],
) -> list[tuple[Contribution, ...]]:
    """Return each item's contributions with those of the boosts behind them."""
    columns = [boost.contributions(searcher, pool) for boost in boosts]
    return [
        (*share, *(bonus for bonus in bonuses if bonus is not None))
        for share, *bonuses in zip(shares, *columns, strict=True)
    ]
