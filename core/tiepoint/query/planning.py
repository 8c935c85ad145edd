"""From what a search was given to what it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from tiepoint.config.ranking import SearchSection
from tiepoint.errors import QueryError
from tiepoint.index.base import Searcher
from tiepoint.query.boosts import Boost
from tiepoint.query.feedback import Feedback
from tiepoint.query.gathering import Scope
from tiepoint.query.options import SearchOptions
from tiepoint.query.plan import Plan, Side
from tiepoint.query.probes import QueryReader
from tiepoint.routes import Layout

LIKE, UNLIKE = "like", "unlike"


class Planner:
    """Makes plans for searches with options on one collection.

    Args:
        layout: The collection's fields and routes.
        searcher: The collection.
        reader: Reads query parts.
        section: What negative parts and feedback weigh.
    """

    def __init__(
        self, layout: Layout, searcher: Searcher, reader: QueryReader, section: SearchSection
    ) -> None:
        self._layout = layout
        self._reader = reader
        self._section = section
        self._feedback = Feedback(layout, searcher)

    def plan(
        self,
        wanted: Side,
        unwanted: Side,
        boosts: Sequence[Boost],
        scope: Scope,
        options: SearchOptions,
    ) -> Plan:
        """Return what a search does.

        Args:
            wanted: The routes of the parts that are wanted.
            unwanted: Routes that are not wanted, beside those of the options.
            boosts: The deployment's boosts.
            scope: Which items may be proposed.
            options: What else is asked for.

        Raises:
            QueryError: A field, route, item or boost that cannot be; nothing that is wanted.
            DecodeError: A negative part that cannot be read.
            FilterError: A boost's filter that cannot be understood.
        """
        self._require_known_weights(options.weights)
        unwanted = _times(unwanted, self._section.negative_weight)
        if options.like:
            found = self._feedback.read(options.like, LIKE)
            wanted += _times(Side(*found), self._section.like_weight)
        if options.negative:
            found = self._reader.read(options.negative)
            if not any(found):
                raise self._reader.no_route(options.negative)
            unwanted += _times(Side(*found), self._section.negative_weight)
        if options.unlike:
            found = self._feedback.read(options.unlike, UNLIKE)
            unwanted += _times(Side(*found), self._section.unlike_weight)
        if options.weights:
            wanted = _weighted(wanted, options.weights)
            unwanted = _weighted(unwanted, options.weights)
        if not wanted:
            raise QueryError(
                "nothing to search for",
                hint="Say also what is wanted, by a part or `like`, with a weight over 0.",
            )
        return Plan(
            wanted,
            unwanted,
            [*boosts, *self._boosts(options)],
            Scope(scope.where, [*scope.exclude, *options.like, *options.unlike]),
        )

    def _boosts(self, options: SearchOptions) -> list[Boost]:
        metadata = self._layout.schema.metadata
        return [
            Boost.of(name, section, metadata, "boosts") for name, section in options.boosts.items()
        ]

    def _require_known_weights(self, weights: Mapping[str, float]) -> None:
        if not weights:
            return
        fields = [*self._layout.fields, *(vector.name for vector in self._layout.schema.vectors)]
        feedback = [f"{side}->{field}" for side in (LIKE, UNLIKE) for field in fields]
        known = [*dict.fromkeys(fields), *self._layout.route_names(), *feedback]
        for name in weights:
            if name not in known:
                near = get_close_matches(name, known, 1)
                raise QueryError(
                    f"there is no field or route {name!r:.80}",
                    where="weights",
                    hint=f"Did you mean {near[0]!r}?"
                    if near
                    else f"There are: {', '.join(known[: -len(feedback)])}.",
                )


def _times(side: Side, factor: float) -> Side:
    return Side(side.probes, side.words, dict.fromkeys(side.routes, factor))


def _weighted(side: Side, weights: Mapping[str, float]) -> Side:
    """Weigh routes by their name and by their field's; those that weigh 0 are not asked."""
    factors = {
        route: side.factors.get(route, 1.0)
        * weights.get(route, 1.0)
        * weights.get(route.partition("->")[2], 1.0)
        for route in side.routes
    }
    return Side(
        [probe for probe in side.probes if factors[probe.route]],
        [word for word in side.words if factors[word.route]],
        factors,
    )
