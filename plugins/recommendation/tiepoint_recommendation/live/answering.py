"""From a question to an answer: profile, scores, filters, choice, reasons."""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tiepoint_recommendation.experiments.arms import ArmSettings, arm_of
from tiepoint_recommendation.exploration.policies import policy_of
from tiepoint_recommendation.histories import Floats, Histories
from tiepoint_recommendation.live.asks import Answered, Ask, Explained, Recommended
from tiepoint_recommendation.live.choosing import Chosen, Exploring, choose
from tiepoint_recommendation.live.filters import Eligible, Filters, checks, eligible
from tiepoint_recommendation.live.models import Models
from tiepoint_recommendation.live.profiles import Profile, Profiles
from tiepoint_recommendation.live.queries import QueryEncoder, nearness
from tiepoint_recommendation.live.reasons import reasons_of
from tiepoint_recommendation.live.relations import Relation, related
from tiepoint_recommendation.live.scores import Part, Scores, blended
from tiepoint_recommendation.live.settings import LiveSettings
from tiepoint_recommendation.live.shelf import Mask, Shelf
from tiepoint_recommendation.live.standing import Standing
from tiepoint_recommendation.rankers.popularity import Popularity
from tiepoint_recommendation.rules.effects import Effects
from tiepoint_recommendation.rules.rule import Rule
from tiepoint_recommendation.settings import EventSettings

_QUERIES = ("text", "image")


@dataclass(frozen=True)
class Answerer:
    """Answers questions; threads may share it.

    Attributes:
        models: What serves.
        profiles: Who asks.
        queries: Encodes sentences and pictures.
        standing: Rules and counts.
        live: How answers are made.
        counting: What events count.
    """

    models: Models
    profiles: Profiles
    queries: QueryEncoder
    standing: Standing
    live: LiveSettings
    counting: EventSettings

    def answer(
        self, ask: Ask, trial: Rule | None = None, *, explore: bool = True
    ) -> tuple[Answered, list[Chosen]]:
        """Answer a question.

        Args:
            ask: The question.
            explore: Whether places may explore, where the settings say so.
            trial: A rule that is taken to hold, to see what it would do.

        Raises:
            InputError: There is no model, or the query cannot be encoded.
            StoreError: The database refused.
        """
        now_s = time.time()
        shelf = self.models.shelf
        profile = self.profiles.of(ask, shelf, now_s)
        arm_name, arm = self._arm(ask)
        scores = self._scores(ask, shelf, profile, arm, now_s)
        effects = self.standing.effects(shelf, now_s, trial)
        allowed = self._eligible(ask.filters, shelf, effects, now_s)
        open_ = allowed.further("seen", self.profiles.fresh(profile, shelf))
        request = ask.request or uuid.uuid4().hex
        exploring = None
        if explore and ask.somebody:
            exploring = self._exploring(shelf, arm, request)
        chosen = choose(
            _shifted(scores, effects),
            open_.mask,
            allowed.mask,
            shelf,
            effects,
            ask.k,
            self._diversity(ask, profile, arm),
            exploring,
        )
        return self._answered(
            request, arm_name, ask, shelf, profile, scores, effects, open_, chosen
        ), chosen

    def related(
        self, item: str, relation: Relation, k: int, filters: Filters, diversity: float
    ) -> Answered:
        """Return items that are like an item, or go with it.

        Raises:
            InputError: There is no model, or it does not know the item.
        """
        now_s, shelf = time.time(), self.models.shelf
        number = self.models.require(item)
        parts, others = related(shelf, number, relation, now_s)
        scores = Scores.of(parts, len(shelf))
        effects = self.standing.effects(shelf, now_s)
        allowed = self._eligible(filters, shelf, effects, now_s).further(relation, others)
        shifted = _shifted(scores, effects)
        chosen = choose(shifted, allowed.mask, allowed.mask, shelf, effects, k, diversity, None)
        found = tuple(
            self._recommended(shelf, scores, effects, one, rank)
            for rank, one in enumerate(chosen, 1)
        )
        return Answered(
            uuid.uuid4().hex,
            found,
            True,
            shelf.model.generation,
            rules=effects.names,
            left=allowed.left,
            empty_because=None if found else allowed.why_empty(),
        )

    def explain(self, user: str, item: str) -> Explained:
        """Say where an item stands for a user, and why.

        Raises:
            InputError: There is no model, or it does not know the item.
        """
        now_s, shelf = time.time(), self.models.shelf
        number = self.models.require(item)
        ask = Ask(user=user)
        profile = self.profiles.of(ask, shelf, now_s)
        scores = self._scores(ask, shelf, profile, self._arm(ask)[1], now_s)
        effects = self.standing.effects(shelf, now_s)
        open_ = np.ones(len(shelf), np.bool_)
        left_out_by = None
        for name, passing in self._checks(ask.filters, shelf, effects, profile, now_s):
            open_ &= passing
            if left_out_by is None and not passing[number]:
                left_out_by = name
        shifted = _shifted(scores, effects)
        rank = int(np.count_nonzero(shifted[open_] > shifted[number])) + 1
        told = self._recommended(shelf, scores, effects, Chosen(number), rank)
        why = reasons_of(profile, number, told.parts, shelf, self.counting, False)
        return Explained(
            item,
            told.title,
            rank if left_out_by is None else None,
            told.score,
            told.parts,
            why,
            left_out_by,
            profile.known,
        )

    def _checks(
        self, filters: Filters, shelf: Shelf, effects: Effects, profile: Profile, now_s: float
    ) -> Iterator[tuple[str, Mask]]:
        yield from checks(shelf, self._with_stock(filters), now_s)
        if effects.allowed is not None:
            yield "rules", effects.allowed
        yield "seen", self.profiles.fresh(profile, shelf)

    def _arm(self, ask: Ask) -> tuple[str, ArmSettings | None]:
        experiment = self.live.experiment
        if experiment is None or not ask.somebody:
            return "", None
        name = arm_of(experiment, ask.somebody)
        return name, experiment.arms[name]

    def _scores(
        self, ask: Ask, shelf: Shelf, profile: Profile, arm: ArmSettings | None, now_s: float
    ) -> Scores:
        query = self._query(ask, shelf)
        if query is not None and not profile.known:
            return Scores.of({"query": query}, len(shelf))
        asked = Histories.of([profile.history], now_s)
        popular = shelf.model.rankers.get(Popularity.name)
        if not profile.known and popular is not None:
            part = Part.standardised(popular.scores(asked)[0], 1.0)
            return Scores.of({Popularity.name: part}, len(shelf))
        parts = blended(shelf.model, asked, {} if arm is None else arm.rankers)
        own = Scores.of(parts, len(shelf))
        if query is None:
            return own
        factor = self.live.personal / max(float(own.total.std()), 1e-12)
        both = {
            name: Part(part.values, part.scale * factor, part.shift * factor)
            for name, part in parts.items()
        }
        return Scores.of({"query": query, **both}, len(shelf))

    def _query(self, ask: Ask, shelf: Shelf) -> Part | None:
        asked = [(name, getattr(ask, name)) for name in _QUERIES]
        near = [
            nearness(shelf, name, *self.queries.encode(name, part))
            for name, part in asked
            if part is not None
        ]
        if not near:
            return None
        return Part.standardised(np.sum(near, axis=0), 1.0)

    def _eligible(self, filters: Filters, shelf: Shelf, effects: Effects, now_s: float) -> Eligible:
        found = eligible(shelf, self._with_stock(filters), now_s)
        return found if effects.allowed is None else found.further("rules", effects.allowed)

    def _with_stock(self, filters: Filters) -> Filters:
        if filters.in_stock is not None:
            return filters
        return filters.model_copy(update={"in_stock": self.live.in_stock})

    def _diversity(self, ask: Ask, profile: Profile, arm: ArmSettings | None) -> float:
        if ask.diversity is not None:
            return ask.diversity
        if arm is not None and arm.diversity is not None:
            return arm.diversity
        known = profile.known or ask.text is not None or ask.image is not None
        return self.live.diversity if known else self.live.onboarding_diversity

    def _exploring(self, shelf: Shelf, arm: ArmSettings | None, request: str) -> Exploring | None:
        settings = self.live.exploration
        if arm is not None and arm.exploration is not None:
            settings = arm.exploration
        policy = policy_of(settings)
        if policy is None:
            return None
        shown, clicked = self.standing.counts(shelf)
        rng = np.random.default_rng([settings.seed, zlib.crc32(request.encode())])
        return Exploring(
            settings.policy, policy, settings.places, settings.candidates, shown, clicked, rng
        )

    def _answered(
        self,
        request: str,
        arm: str,
        ask: Ask,
        shelf: Shelf,
        profile: Profile,
        scores: Scores,
        effects: Effects,
        open_: Eligible,
        chosen: list[Chosen],
    ) -> Answered:
        found = []
        for rank, one in enumerate(chosen, 1):
            told = self._recommended(shelf, scores, effects, one, rank)
            if ask.explain:
                why = reasons_of(profile, one.number, told.parts, shelf, self.counting, one.pinned)
                told = replace(told, reasons=why)
            found.append(told)
        known = shelf.model.number_of
        return Answered(
            request,
            tuple(found),
            profile.known,
            shelf.model.generation,
            arm,
            effects.names,
            open_.left,
            None if found else open_.why_empty(),
            tuple(item for item in ask.items if item not in known),
        )

    def _recommended(
        self, shelf: Shelf, scores: Scores, effects: Effects, one: Chosen, rank: int
    ) -> Recommended:
        item = shelf.model.space.ids[one.number]
        parts = {name: round(part.of(one.number), 4) for name, part in scores.parts.items()}
        if effects.shift is not None and effects.shift[one.number]:
            deviation = float(scores.total.std())
            parts["rules"] = round(float(effects.shift[one.number]) * deviation, 4)
        return Recommended(
            item,
            shelf.title(item),
            rank,
            round(sum(parts.values()), 4),
            parts,
            one.policy,
            one.propensity,
            one.pinned,
        )


def _shifted(scores: Scores, effects: Effects) -> Floats:
    """Return (n,) scores with what rules lift and lower, in standard deviations."""
    if effects.shift is None:
        return scores.total
    return np.asarray(scores.total + effects.shift * scores.total.std(), np.float32)
