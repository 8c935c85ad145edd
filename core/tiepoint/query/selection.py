"""From a ranking to the hits of one page: minimum, groups, diversity, and where to begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import QueryError
from tiepoint.index.base import CollectionSchema, Searcher
from tiepoint.query.checks import MAX_K
from tiepoint.query.diversity import Marginal
from tiepoint.query.options import SearchOptions
from tiepoint.query.plan import Plan
from tiepoint.query.ranking import Block
from tiepoint.types import Contribution


@dataclass(frozen=True, slots=True)
class Chosen:
    """An item of a block that becomes a hit.

    Attributes:
        block: The block.
        position: Its place there.
        shares: Its contributions.
    """

    block: Block
    position: int
    shares: tuple[Contribution, ...]

    @property
    def id(self) -> str:
        """The item's id."""
        return self.block.ids[self.position]


class Selection:
    """Chooses the hits of one search from its ranking.

    Args:
        searcher: The collection.
        schema: What it holds.
        plan: What is ranked.
        options: What is asked for.
        k: How many hits.

    Raises:
        QueryError: An option that the collection has nothing for.
    """

    def __init__(
        self,
        searcher: Searcher,
        schema: CollectionSchema,
        plan: Plan,
        options: SearchOptions,
        k: int,
    ) -> None:
        self._searcher = searcher
        self._options = options
        self._k = k
        if options.offset + k > MAX_K:
            raise QueryError(
                f"offset and k add up to {options.offset + k}",
                hint=f"Go on to at most {MAX_K} hits; narrow the search by a filter.",
            )
        self._least = _least(options.minimum, plan)
        self._counts: Counter[Any] = Counter()
        if options.group_by is not None:
            _require_single_values(options.group_by, schema)
        self._fields = _fields_of(plan, schema) if options.diversity else []
        self._marginal: Marginal | None = None

    def choose(self, blocks: Iterable[Block]) -> list[Chosen]:
        """Return the hits of the page, best first.

        Raises:
            QueryError: The hit to go on after is not in the ranking.
        """
        chosen: list[Chosen] = []
        after, k = self._options.after, self._k
        start = self._options.offset
        reached = after is None
        for block in blocks:
            order = self._grouped(block, self._reaching(block, block.order()))
            wanted = start + k - len(chosen) if reached else len(order)
            chosen += self._picked(block, order, wanted)
            if not reached:
                start = next((i + 1 for i, item in enumerate(chosen) if item.id == after), 0)
                reached = start > 0
            if reached and len(chosen) >= start + k:
                break
            if self._least and not len(order):  # what is proposed deeper is no better
                break
        if not reached:
            raise QueryError(
                f"the hit {after!r:.80} is not in this ranking",
                where="after",
                hint="Give the id of the last hit of the same search, or use offset.",
            )
        return chosen[start : start + k]

    def _reaching(self, block: Block, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Keep what reaches the minimum."""
        for route, least in self._least.items():
            if route is None:
                order = order[block.scores[order] >= least]
                continue
            reached = [
                view.scores[order] >= least  # NaN does not
                for view in block.routes
                if route in (view.route, view.route.partition("->")[2])
            ]
            order = order[np.logical_or.reduce(reached)]
        return order

    def _grouped(self, block: Block, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Keep the best of each group; what has no value is in none."""
        name = self._options.group_by
        if name is None or not len(order):
            return order
        values = self._searcher.values(name, [block.ids[position] for position in order])
        kept = []
        for position, value in zip(order.tolist(), values, strict=True):
            if value is not None:
                if self._counts[value] >= self._options.group_size:
                    continue
                self._counts[value] += 1
            kept.append(position)
        return np.array(kept, np.int64)

    def _picked(self, block: Block, order: NDArray[np.int64], count: int) -> list[Chosen]:
        if not self._fields:
            return [Chosen(block, p, block.shares[p]) for p in order[:count].tolist()]
        scores = block.scores[order]
        if self._marginal is None:
            self._marginal = Marginal(self._options.diversity, scores)
        ids = [block.ids[position] for position in order]
        vectors = [self._searcher.vectors(field, ids) for field in self._fields]
        picked = []
        for place, penalty in self._marginal.pick(scores, vectors, count):
            position = int(order[place])
            shares = block.shares[position]
            picked.append(Chosen(block, position, (*shares, penalty) if penalty else shares))
        return picked


def _least(minimum: float | Mapping[str, float] | None, plan: Plan) -> dict[str | None, float]:
    """Return the least similarity by field or route; the least score under None."""
    if minimum is None:
        return {}
    if not isinstance(minimum, Mapping):
        return {None: minimum}
    routes = plan.wanted.routes
    known = dict.fromkeys([*routes, *(route.partition("->")[2] for route in routes)])
    for name in minimum:
        if name not in known:
            raise QueryError(
                f"the query asks no field or route {name!r:.80}",
                where="minimum",
                hint=f"It asks {', '.join(known)}.",
            )
    return dict(minimum.items())


def _require_single_values(name: str, schema: CollectionSchema) -> None:
    single = [field for field, kind in schema.metadata.items() if not kind.endswith("s")]
    if name not in single:
        raise QueryError(
            f"hits cannot be grouped by {name!r:.80}",
            where="group_by",
            hint=f"Fields of one value are {', '.join(single) or 'not declared'}.",
        )


def _fields_of(plan: Plan, schema: CollectionSchema) -> Sequence[str]:
    """Return the vector fields that the query asks; all of them if it asks by words alone."""
    asked = dict.fromkeys(probe.field for probe in plan.wanted.probes)
    fields = list(asked) or [vector.name for vector in schema.vectors]
    if not fields:
        raise QueryError(
            "without vectors nothing tells how alike hits are",
            where="diversity",
            hint="Leave it out, or group by a field.",
        )
    return fields
