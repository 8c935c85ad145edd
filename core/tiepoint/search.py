"""From a query to hits: encode its parts, ask every route, fuse, explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from tiepoint.config.ranking import FusionSection, SearchSection
from tiepoint.encoders.base import Vectors
from tiepoint.fusion.base import Fusion, RouteScores
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.index.base import Searcher
from tiepoint.index.filters import Filter
from tiepoint.probabilities import hit_probabilities
from tiepoint.query.batches import HitLists
from tiepoint.query.boosts import Boost
from tiepoint.query.checks import checked_k, id_list
from tiepoint.query.explanation import explanation
from tiepoint.query.found import hits_of
from tiepoint.query.gathering import Gatherer, Scope
from tiepoint.query.options import SearchOptions
from tiepoint.query.plan import Plan, Side
from tiepoint.query.planning import Planner
from tiepoint.query.probes import Encoded, Probe, QueryReader, WordProbe
from tiepoint.query.ranking import Ranker
from tiepoint.query.selection import Chosen, Selection
from tiepoint.routes import Layout
from tiepoint.types import Hit, Modality


class CollectionSearch:
    """Answers queries on one collection.

    Args:
        layout: The collection's fields and routes.
        searcher: What answers the single routes.
        fusion: How several routes become one ranking.
        fusing: The fusion's part of the deployment file: boosts, number of candidates.
        searching: The searches' part of it.
    """

    def __init__(
        self,
        layout: Layout,
        searcher: Searcher,
        fusion: Fusion,
        fusing: FusionSection,
        searching: SearchSection,
    ) -> None:
        self.layout = layout
        self.searcher = searcher
        self.fusion = fusion
        self.candidates = fusing.candidates
        self.reader = QueryReader(layout)
        self.boosts = [
            Boost.of(name, boost, layout.schema.metadata, "fusion.boosts")
            for name, boost in fusing.boosts.items()
        ]
        self._gatherer = Gatherer(searcher)
        self._ranker = Ranker(self._gatherer, fusion)
        self._planner = Planner(layout, searcher, self.reader, searching)

    def search(
        self,
        parts: Mapping[Modality, Any],
        vectors: Mapping[str, Any] | Vectors | None,
        *,
        where: str | None,
        exclude: Sequence[str],
        k: int,
        explain: bool,
        options: SearchOptions | None = None,
        kept: Side | None = None,
        kept_unwanted: Side | None = None,
        encoded: Encoded | None = None,
    ) -> list[Hit]:
        """Return up to k hits, best first.

        Args:
            parts: What is wanted, by modality.
            vectors: Further vectors that are wanted, by field, or one of the joint space.
            where: A filter.
            exclude: Ids that are not wanted.
            k: How many hits.
            explain: Whether hits say in words what made their score.
            options: What else is asked for.
            kept: What earlier turns want, too; with options only.
            kept_unwanted: What they do not want; with options only.
            encoded: Vectors of the parts that are known already.

        Raises:
            QueryError: Nothing to search for, a bad vector, k or option, or no route that
                matches.
            DecodeError: A query part that cannot be read.
            FilterError: A filter that cannot be understood.
        """
        k = checked_k(k)
        scope = Scope(
            self._filter(where) if where is not None else None, id_list(exclude, "exclude")
        )
        probes = self.reader.given(vectors) if vectors is not None else []
        words: list[WordProbe] = []
        if parts:
            read, words = self.reader.read(parts, encoded)
            probes += read
        if options is None:
            if not probes and not words:
                raise self.reader.no_route(parts)
            alone = not self.boosts and not self.fusion.takes_single_routes
            if alone and len(probes) + len(words) == 1:
                return self._single((probes or words)[0], scope, k, explain)
            plan = Plan(Side(probes, words), Side(), self.boosts, scope)
            options = SearchOptions()
        else:
            if parts and not probes and not words:
                raise self.reader.no_route(parts)
            wanted = Side(probes, words) + (kept or Side())
            plan = self._planner.plan(wanted, kept_unwanted or Side(), self.boosts, scope, options)
        selection = Selection(self.searcher, self.layout.schema, plan, options, k)
        with self.searcher.reading():
            blocks = self._ranker.blocks(plan, max(k, self.candidates))
            return self._hits(selection.choose(blocks), plan.wanted.probes, explain)

    def search_many(
        self,
        vectors: Mapping[str, Any] | Vectors,
        *,
        where: str | None,
        exclude: Sequence[str],
        k: int,
    ) -> HitLists:
        """Return up to k hits of each of many vectors, all for one field.

        Raises:
            QueryError: A bad vector or k, or vectors that not one field alone is for.
            FilterError: A filter that cannot be understood.
        """
        k = checked_k(k)
        name, queries = self.reader.given_many(vectors)
        found = self.searcher.search_vectors(
            name,
            queries,
            k,
            self._filter(where) if where is not None else None,
            id_list(exclude, "exclude"),
        )
        return HitLists(f"vector->{name}", found, self.searcher)

    def candidates_of(
        self,
        parts: Mapping[Modality, Any],
        vectors: Mapping[str, Any] | None = None,
        encoded: Encoded | None = None,
    ) -> tuple[list[str], list[RouteScores]]:
        """Return what a query's routes propose, and each route's view of it, as fusion gets it.

        Args:
            parts: By modality.
            vectors: Given vectors, by field.
            encoded: The parts' vectors, where some are known already.

        Raises:
            QueryError: No route leads to the collection.
            DecodeError: A query part that cannot be read.
        """
        probes, words = self.reader.read(parts, encoded)
        if vectors is not None:
            probes = self.reader.given(vectors) + probes
        if not probes and not words:
            raise self.reader.no_route(parts)
        found = self._gatherer.propose(probes, words, Scope(None, ()), self.candidates)
        return found.ids, self._gatherer.score(probes, words, found.ids, found.matched)

    def _filter(self, where: str) -> Filter:
        return Filter.parse(where, self.layout.schema.metadata)

    def _single(self, probe: Probe | WordProbe, scope: Scope, k: int, explain: bool) -> list[Hit]:
        """A single route needs no scaling: the score is its similarity."""
        if isinstance(probe, WordProbe):
            hits = self._matching(probe, scope, k)
        elif probe.calibration is not None:
            hits = self._calibrated(probe, scope, k)
        else:
            hits = self._nearest(probe, scope, k)
        if explain:
            for hit in hits:
                hit.explanation = explanation(hit.contributions)
        return hits

    def _matching(self, probe: WordProbe, scope: Scope, k: int) -> list[Hit]:
        with self.searcher.reading():
            found = self.searcher.search_text(
                probe.field, probe.text, k, scope.where, scope.exclude
            )
            return hits_of(probe.route, found, self.searcher.payloads(found.ids))

    def _nearest(self, probe: Probe, scope: Scope, k: int) -> list[Hit]:
        found, payloads = self.searcher.search_items(
            probe.field, probe.vector, k, scope.where, scope.exclude
        )
        return hits_of(probe.route, found, payloads)

    def _calibrated(self, probe: Probe, scope: Scope, k: int) -> list[Hit]:
        with self.searcher.reading():
            hits = self._nearest(probe, scope, k)
            ids = [hit.id for hit in hits]
            cosines = np.array([hit.score for hit in hits], np.float32)
            probabilities = hit_probabilities(
                self._calibrations([probe], ids),
                [self._gatherer.against_background(probe, cosines)],
                np.arange(len(hits)),
                len(self.searcher),
            )
        for hit, probability in zip(hits, probabilities, strict=True):
            hit.probability = probability
        return hits

    def _calibrations(
        self, probes: Sequence[Probe], ids: Sequence[str]
    ) -> dict[str, list[MatchProbability]]:
        """Return what a similarity means for each item, by calibrated route."""
        return {
            probe.route: probe.calibration.of_items(
                partial(self._similarities, probe.own_field, ids), len(ids)
            )
            for probe in probes
            if probe.calibration is not None
        }

    def _similarities(self, field: str, ids: Sequence[str], vector: Vectors) -> Vectors:
        return self.searcher.similarities(field, vector, ids)

    def _hits(self, chosen: Sequence[Chosen], probes: Sequence[Probe], explain: bool) -> list[Hit]:
        payloads = self.searcher.payloads([item.id for item in chosen])
        probabilities = [
            probability
            for _, items in groupby(chosen, lambda item: id(item.block))
            for probability in self._stated(list(items), probes)
        ]
        return [
            Hit(
                item.id,
                sum(share.value for share in item.shares),
                probability,
                item.shares,
                metadata,
                parts,
                explanation(item.shares) if explain else None,
            )
            for item, probability, (metadata, parts) in zip(
                chosen, probabilities, payloads, strict=True
            )
        ]

    def _stated(self, items: Sequence[Chosen], probes: Sequence[Probe]) -> Sequence[float | None]:
        """Return the calibrated probabilities of items of one block."""
        block = items[0].block
        positions = np.array([item.position for item in items])
        size = len(self.searcher)
        stated = self.fusion.probabilities(block.fused, size)
        if stated is not None:
            calibrated: list[float] = stated[positions].tolist()
            return calibrated
        ids = [item.id for item in items]
        return hit_probabilities(self._calibrations(probes, ids), block.routes, positions, size)
