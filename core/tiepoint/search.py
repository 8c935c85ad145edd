"""From a query to hits: encode its parts, ask every route, fuse, explain."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tiepoint.config.models import FusionSection
from tiepoint.encoders.base import Vectors
from tiepoint.encoders.texts import clean_text
from tiepoint.errors import QueryError
from tiepoint.fusion.base import Fusion, RouteScores
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.index.base import Candidates, Searcher
from tiepoint.index.filters import Filter
from tiepoint.probabilities import Calibration, hit_probabilities
from tiepoint.routes import Layout
from tiepoint.types import TEXT, Contribution, Hit, Modality

MAX_K = 16_384
"""The most hits that one search gives; Milvus servers have the same limit."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one route asks: a unit vector for a vector field, and what a similarity means.

    `own_field` is where the items' vectors of their own encoder are.
    """

    route: str
    field: str
    vector: Vectors
    calibration: Calibration | None = None
    own_field: str = ""


@dataclass(frozen=True, slots=True)
class WordProbe:
    """What a BM25 route asks: words for a text field."""

    route: str
    field: str
    text: str


class CollectionSearch:
    """Answers queries on one collection.

    Args:
        layout: The collection's fields and routes.
        searcher: What answers the single routes.
        fusion: How several routes become one ranking.
        section: The fusion's part of the deployment file: boosts, number of candidates.
    """

    def __init__(
        self, layout: Layout, searcher: Searcher, fusion: Fusion, section: FusionSection
    ) -> None:
        self.layout = layout
        self.searcher = searcher
        self.fusion = fusion
        self.candidates = section.candidates
        self.boosts = [
            (f"boost:{name}", self._filter(boost.where), boost.value)
            for name, boost in section.boosts.items()
        ]

    def search(
        self,
        parts: Mapping[Modality, Any],
        vectors: Mapping[str, Any] | Vectors | None,
        *,
        where: str | None,
        exclude: Sequence[str],
        k: int,
        explain: bool,
    ) -> list[Hit]:
        """Return up to k hits, best first.

        Raises:
            QueryError: Nothing to search for, a bad vector or k, or no route that matches.
            DecodeError: A query part that cannot be read.
            FilterError: A filter that cannot be understood.
        """
        k = checked_k(k)
        exclude = id_list(exclude, "exclude")
        condition = self._filter(where) if where is not None else None
        probes = self._given(vectors) if vectors is not None else []
        words: list[WordProbe] = []
        if parts:
            probes += self._encoded(parts)
            words = self._words(parts)
        if not probes and not words:
            raise self._no_route(parts)
        if len(probes) == 1 and not words and not self.boosts:
            return self._single(probes[0], condition, exclude, k, explain)
        if not probes and len(words) == 1 and not self.boosts:
            found = self.searcher.search_text(words[0].field, words[0].text, k, condition, exclude)
            return self._raw_hits(words[0].route, found, explain)
        return self._fused(probes, words, condition, exclude, k, explain)

    def _filter(self, where: str) -> Filter:
        return Filter.parse(where, self.layout.schema.metadata)

    # What is asked

    def _encoded(self, parts: Mapping[Modality, Any]) -> list[Probe]:
        """Encode each part once per encoder, and bring it into the space of each route."""
        own: dict[tuple[int, Modality], Vectors] = {}
        probes = []
        for modality, part in parts.items():
            for route in self.layout.routes.get(modality, ()):
                key = (id(route.encoder), modality)
                if key not in own:
                    own[key] = route.encoder.encode([part], modality)
                vector, calibration = own[key], route.calibration(own[key])
                if route.aligner is not None:
                    vector = route.aligner.transform(route.space, vector)
                probes.append(
                    Probe(route.name, route.field, vector[0], calibration, route.own_field)
                )
        return probes

    def _words(self, parts: Mapping[Modality, Any]) -> list[WordProbe]:
        if TEXT not in parts or not self.layout.schema.texts:
            return []
        text = clean_text(parts[TEXT])
        return [WordProbe(f"words->{field}", field, text) for field in self.layout.schema.texts]

    def _given(self, vectors: Mapping[str, Any] | Vectors) -> list[Probe]:
        """Check given vectors; one without a field is compared with the joint space."""
        by_field = {vector.name: vector for vector in self.layout.schema.vectors}
        if not isinstance(vectors, Mapping):
            fields = list(by_field.values())
            if len(fields) > 1:
                fields = self.layout.joint_fields()
            if not fields:
                raise QueryError(
                    "it is not said which field the vector is for",
                    hint=f"Pass vector={{field: vector}}; fields: {', '.join(by_field)}.",
                )
            vectors = {field.name: vectors for field in fields}
        probes = []
        for name, given in vectors.items():
            if name not in by_field:
                raise QueryError(
                    f"the collection has no vector field {name!r}",
                    hint=f"Its vector fields are {', '.join(by_field) or 'none'}.",
                )
            vector = unit_vector(given, by_field[name].dim, name)
            probes.append(Probe(f"vector->{name}", name, vector))
        return probes

    def _no_route(self, parts: Mapping[Modality, Any]) -> QueryError:
        if not parts:
            return QueryError("nothing to search for", hint="Give a text, an image or a vector.")
        known = {m for m, routes in self.layout.routes.items() if routes}
        if self.layout.schema.texts:
            known.add(TEXT)
        return QueryError(
            f"no route leads from {' or '.join(parts)} to the collection"
            f" {self.layout.schema.name!r}",
            hint=f"It can be asked by {', '.join(sorted(known)) or 'vector'}.",
        )

    # How it is answered

    def _single(
        self,
        probe: Probe,
        condition: Filter | None,
        exclude: Sequence[str],
        k: int,
        explain: bool,
    ) -> list[Hit]:
        found = self.searcher.search_vector(probe.field, probe.vector, k, condition, exclude)
        return self._raw_hits(probe.route, found, explain, probe)

    def _raw_hits(
        self, route: str, found: Candidates, explain: bool, probe: Probe | None = None
    ) -> list[Hit]:
        """A single route needs no scaling: the score is its similarity."""
        payloads = self.searcher.payloads(found.ids)
        probabilities: Sequence[float | None] = [None] * len(found.ids)
        if probe is not None and probe.calibration is not None:
            scores = self._against_background(probe, found.scores)
            chosen = np.arange(len(found.ids))
            probabilities = hit_probabilities(
                self._calibrations([probe], found.ids), [scores], chosen, len(self.searcher)
            )
        hits = []
        for id_, score, probability, (metadata, parts) in zip(
            found.ids, found.scores.tolist(), probabilities, payloads, strict=True
        ):
            shares = (Contribution(route, score, score, 1.0, score),)
            text = explanation(shares) if explain else None
            hits.append(Hit(id_, score, probability, shares, metadata, parts, text))
        return hits

    def _fused(
        self,
        probes: Sequence[Probe],
        words: Sequence[WordProbe],
        condition: Filter | None,
        exclude: Sequence[str],
        k: int,
        explain: bool,
    ) -> list[Hit]:
        """Each route proposes; every proposal is then scored on every route."""
        depth = max(k, self.candidates)
        ids: dict[str, None] = {}
        for probe in probes:
            found = self.searcher.search_vector(
                probe.field, probe.vector, depth, condition, exclude
            )
            ids.update(dict.fromkeys(found.ids))
        matched = []
        for word in words:
            found = self.searcher.search_text(word.field, word.text, depth, condition, exclude)
            ids.update(dict.fromkeys(found.ids))
            matched.append((word.route, found))
        pool = list(ids)
        if not pool:
            return []
        routes = [self._vector_scores(probe, pool) for probe in probes]
        routes += [word_scores(route, found, pool) for route, found in matched]
        shares = self.fusion.fuse(routes)
        for name, filter_, value in self.boosts:
            bonus = Contribution(name, 1.0, 1.0, value, value)
            passes = self.searcher.matches(filter_, pool)
            shares = [
                (*share, bonus) if passed else share
                for share, passed in zip(shares, passes, strict=True)
            ]
        scores = np.array([sum(c.value for c in share) for share in shares])
        best = np.argsort(-scores, kind="stable")[:k]
        payloads = self.searcher.payloads([pool[i] for i in best])
        calibrations = self._calibrations(probes, [pool[i] for i in best])
        return [
            Hit(
                pool[i],
                float(scores[i]),
                probability,
                shares[i],
                metadata,
                parts,
                explanation(shares[i]) if explain else None,
            )
            for i, probability, (metadata, parts) in zip(
                best,
                hit_probabilities(calibrations, routes, best, len(self.searcher)),
                payloads,
                strict=True,
            )
        ]

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

    def _vector_scores(self, probe: Probe, pool: Sequence[str]) -> RouteScores:
        return self._against_background(
            probe, self.searcher.similarities(probe.field, probe.vector, pool)
        )

    def _against_background(self, probe: Probe, scores: Vectors) -> RouteScores:
        mean, deviation = self.searcher.background(probe.field, probe.vector)
        return RouteScores(probe.route, scores, mean, max(deviation, 1e-6))


def word_scores(route: str, found: Candidates, pool: Sequence[str]) -> RouteScores:
    """Return BM25 scores over the pool, in units of their root mean square.

    An item without a matching word scores 0 by definition, so 0 is the background; the root
    mean square of the matches is a spread that a single match has too.
    """
    by_id = dict(zip(found.ids, found.scores.tolist(), strict=True))
    scores = np.array([by_id.get(id_, np.nan) for id_ in pool], np.float32)
    spread = float(np.sqrt(np.mean(np.square(found.scores)))) if len(found.ids) else 1.0
    return RouteScores(route, scores, 0.0, max(spread, 1e-6))


def unit_vector(given: Any, dim: int, field: str) -> Vectors:
    """Return a given vector as (dim,) float32 of unit length.

    Raises:
        QueryError: It has another length, is zero, or is not finite.
    """
    try:
        # In double precision, where the norm of any float32 vector is finite.
        vector = np.asarray(given, np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise QueryError("the vector is not made of numbers", where=field) from None
    if len(vector) != dim:
        raise QueryError(
            f"the vector has {len(vector)} values", where=field, hint=f"Give {dim} values."
        )
    norm = math.sqrt(vector @ vector)
    if not math.isfinite(norm) or norm == 0:
        raise QueryError(
            "the vector is zero or not finite", where=field, hint="Give finite numbers."
        )
    return (vector / norm).astype(np.float32)


def checked_k(k: Any) -> int:
    """Return the number of hits that is asked for.

    Raises:
        QueryError: It is no integer from 1 to `MAX_K`.
    """
    try:
        count = operator.index(k)
    except TypeError:
        count = 0
    if isinstance(k, bool) or not 1 <= count <= MAX_K:
        raise QueryError(f"k is {k!r}", hint=f"Ask for 1 to {MAX_K} hits.")
    return count


def id_list(ids: Sequence[str], what: str) -> list[str]:
    """Return ids as a list.

    Raises:
        QueryError: They are one string, which is a sequence too, but of letters.
    """
    if isinstance(ids, str | bytes):
        raise QueryError(f"{what} is one string", hint="Give a list of ids.")
    return list(ids)


def explanation(contributions: Sequence[Contribution]) -> str:
    """Say in words what made a score.

    >>> explanation([Contribution("text->image", 0.31, 4.0, 0.5, 2.0)])
    'text->image: similarity 0.310, standardised 4.00 x weight 0.5 = 2.000'
    """
    return "; ".join(
        f"{c.route}: similarity {c.similarity:.3f}, standardised {c.standardised:.2f}"
        f" x weight {c.weight:g} = {c.value:.3f}"
        for c in contributions
    )
