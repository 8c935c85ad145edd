"""Recommendations as a service: plain methods that a web API, a stream or a command calls."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tiepoint.errors import InputError
from tiepoint.threads import native_threads
from tiepoint_recommendation.experiments.results import ArmResult, results
from tiepoint_recommendation.exploration.estimates import click_rate_under
from tiepoint_recommendation.exploration.off_policy import Estimate
from tiepoint_recommendation.live import tables
from tiepoint_recommendation.live.answering import Answerer
from tiepoint_recommendation.live.asks import Answered, Ask, Explained
from tiepoint_recommendation.live.filters import Filters
from tiepoint_recommendation.live.guard import Guard
from tiepoint_recommendation.live.impressions import ImpressionLog, ImpressionStore
from tiepoint_recommendation.live.intake import Intake, Recorded
from tiepoint_recommendation.live.models import Models
from tiepoint_recommendation.live.profiles import Profiles
from tiepoint_recommendation.live.queries import QueryEncoder
from tiepoint_recommendation.live.refit import FitJob, Refitter
from tiepoint_recommendation.live.relations import Relation
from tiepoint_recommendation.live.settings import LiveSettings
from tiepoint_recommendation.live.shown import impressions_of
from tiepoint_recommendation.live.standing import Standing
from tiepoint_recommendation.rules.book import Entry, RuleBook
from tiepoint_recommendation.rules.preview import Preview, preview_of
from tiepoint_recommendation.rules.rule import Rule
from tiepoint_recommendation.settings import FitSettings
from tiepoint_recommendation.storage.catalogue import CatalogueStore
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.events import EventStore
from tiepoint_recommendation.types import Event, Product

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment


class RecommendationService:
    """Takes events, answers questions, and keeps rules; several processes may share a store.

    All state is in the database and in the folder of models, so that replicas agree. Threads
    may share a service.

    Args:
        store: The folder of models, and of the database where that is SQLite.
        deployment: Whose encoders and alignment make vectors.
        live: How answers are made.
        fit: How models are made.
        url: The database's, where it is not SQLite in the store.

    Raises:
        ConfigError: The URL is wrong.
    """

    def __init__(
        self,
        store: Path,
        deployment: Deployment,
        live: LiveSettings | None = None,
        fit: FitSettings | None = None,
        url: str | None = None,
    ) -> None:
        self.deployment = deployment
        self.url = url
        self.live = live or LiveSettings()
        self.fit_settings = fit or FitSettings()
        self.database = Database.of_store(store, url)
        self.events = EventStore(self.database)
        self.catalogue = CatalogueStore(self.database)
        self.impressions = ImpressionStore(self.database)
        self.book = RuleBook(self.database)
        self.models = Models(store, self.catalogue)
        self._log = ImpressionLog(self.impressions)
        self._guard = Guard(self.fit_settings.events.robot_events_per_hour)
        self._intake = Intake(
            self.events,
            self._guard,
            self._log if self.live.log_impressions else None,
            self.live.attribution_hours * 3600,
        )
        self._standing = Standing(self.book, self.impressions)
        self._answerer = Answerer(
            self.models,
            Profiles(self.events, self.live, self.fit_settings.events),
            QueryEncoder(deployment),
            self._standing,
            self.live,
            self.fit_settings.events,
        )
        job = FitJob(store, url, self.fit_settings, deployment)
        self._refitter = Refitter(job, self.models, self.live.refit, self._standing.read_rules)
        self._ready = False

    @classmethod
    def from_config(cls, path: Path, store: Path | None = None) -> Self:
        """Build the service that a deployment file describes, without opening it.

        Args:
            path: The deployment file.
            store: The folder of models, in place of the one that the file names.

        Raises:
            ConfigError: The file is wrong.
        """
        from tiepoint.config.loader import load
        from tiepoint.config.problems import validate
        from tiepoint_recommendation.plugin import RecommendationConfig

        deployment = load(path)
        given = dict(deployment.plugins.get("recommendation", {}))
        config = validate(RecommendationConfig, given, ("plugins", "recommendation"))
        folder = store or config.store_beside(deployment.store.uri)
        return cls(folder, deployment, config.live, config.fit, config.url)

    # Life

    def open(self) -> None:
        """Open the database and make its tables. Idempotent.

        Raises:
            StoreError: The database cannot be used.
        """
        if not self._ready:
            native_threads()  # products this small are slower with more than one
            self.database.ensure(tables.metadata)
            self._ready = True

    def start(self) -> None:
        """Open, and begin to log, to refit and to follow what others change."""
        self.open()
        self.models.follow()
        self._log.start()
        self._refitter.start()

    def stop(self) -> None:
        """End what `start` has begun, and close the database; a refit under way is dropped."""
        self._refitter.stop()
        self._log.stop()
        self.database.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def health(self) -> dict[str, Any]:
        """Return what serves, and what went wrong last."""
        shelf, refit = self.models.loaded, self._refitter.health()
        problem = self.models.problem or self._refitter.lost
        degraded = problem is not None or refit["status"] != "ok"
        return {
            "status": "no model" if shelf is None else "degraded" if degraded else "ok",
            "model": None if shelf is None else shelf.model.generation,
            "items": 0 if shelf is None else len(shelf),
            "problem": problem,
            "refit": refit,
            "impressions": self._log.health(),
            "refused_events": dict(self._guard.refused),
        }

    # Events and products

    def record_event(self, event: Event) -> Recorded:
        """Take in one event; see `record_events`."""
        return self.record_events([event])

    def record_events(self, batch: Sequence[Event]) -> Recorded:
        """Take in events: when this returns they are durable, and the next answer knows them.

        Callers in several threads share transactions, so many of them are quick together.

        Raises:
            StoreError: The database refused; none was kept.
        """
        return self._intake.take(batch)

    def put_products(
        self, products: Sequence[Product], *, keep_images: Collection[str] = ()
    ) -> int:
        """Change or add products; prices and stocks count at once, new items after a refit.

        Args:
            products: The products.
            keep_images: Ids of those whose picture stays as it is.

        Returns:
            How many were known before.

        Raises:
            StoreError: The database refused; nothing was changed.
        """
        replaced = self.catalogue.put(products, keep_images=keep_images)
        self.models.read_catalogue()
        return replaced

    def remove_products(self, ids: Sequence[str]) -> int:
        """Remove products, which are recommended no more; returns how many there were.

        Their events stay.

        Raises:
            StoreError: The database refused; nothing was changed.
        """
        removed = self.catalogue.remove(ids)
        self.models.read_catalogue()
        return removed

    def refit(self) -> bool:
        """Fit a new model now, in another process, and take it up; returns whether that went well.

        Where it fails, the former model serves on and `health` says why.
        """
        self.open()
        return self._refitter.refit()

    # Answers

    def recommend(self, ask: Ask) -> Answered:
        """Answer a question.

        Raises:
            InputError: There is no model, or a query cannot be encoded.
            StoreError: The database refused.
        """
        answered, chosen = self._answerer.answer(ask)
        if self.live.log_impressions and ask.somebody:
            self._log.add(impressions_of(ask, answered, chosen, self.live.experiment))
        return answered

    def similar(
        self,
        item: str,
        *,
        relation: Relation = "similar",
        k: int = 10,
        filters: Filters | None = None,
        diversity: float = 0.0,
    ) -> Answered:
        """Return items that are like an item, or go with it (`complementary`).

        Raises:
            InputError: There is no model, or it does not know the item.
        """
        return self._answerer.related(item, relation, k, filters or Filters(), diversity)

    def explain(self, user: str, item: str) -> Explained:
        """Say why a user would, or would not, be recommended an item.

        Raises:
            InputError: There is no model, or it does not know the item.
        """
        return self._answerer.explain(user, item)

    def batch(
        self, users: Iterable[str], k: int, filters: Filters | None = None
    ) -> Iterator[Answered]:
        """Yield an answer for each user, by filters and rules; nothing is explored or logged."""
        for user in users:
            ask = Ask(user=user, k=k, filters=filters or Filters())
            yield self._answerer.answer(ask, explore=False)[0]

    # Rules

    def rules(self, *, undone: bool = False) -> list[Entry]:
        """Return the rules that hold, or will; with `undone`, also those taken back."""
        return self.book.entries(undone=undone)

    def preview_rule(self, rule: Rule, ask: Ask) -> Preview:
        """Return what a rule would do to an answer, without applying it, whatever its times."""
        return preview_of(self._answerer, rule, ask)

    def apply_rule(self, rule: Rule, by: str) -> int:
        """Write a rule into the book; it holds at once here, and within a second elsewhere.

        Returns:
            Its number.
        """
        number = self.book.apply(rule, by)
        self._standing.read_rules()
        return number

    def undo_rule(self, by: str, number: int | None = None) -> int:
        """Take back a rule, the latest if no number is given; returns its number.

        Raises:
            InputError: There is none.
        """
        undone = self.book.undo(by, number)
        self._standing.read_rules()
        return undone

    # Experiments

    def experiment_results(self) -> list[ArmResult]:
        """Return the click-through of each arm of the experiment that runs.

        Raises:
            InputError: None does.
        """
        experiment = self.live.experiment
        if experiment is None:
            raise InputError(
                "no experiment runs", hint="Describe one: plugins.recommendation.live.experiment."
            )
        self._log.flush()
        found = self.impressions.by_arm(experiment.name)
        nobody = np.zeros((0, 2), np.int64)
        return results({arm: found.get(arm, nobody) for arm in experiment.arms})

    def estimate_epsilon(self, epsilon: float) -> dict[str, Estimate]:
        """Return the click rate that explored places would have under another epsilon.

        Args:
            epsilon: From 0 (always the best) to 1 (any one).

        Returns:
            The estimates by IPS and by SNIPS.

        Raises:
            InputError: Nothing was logged under exploration.
        """
        self._log.flush()
        return click_rate_under(epsilon, self.impressions)

    def forget(self, user: str) -> tuple[int, int]:
        """Remove all that a user did and was shown, and fit the model again without it.

        Returns:
            How many events and impressions there were.

        Raises:
            StoreError: The database refused.
        """
        from tiepoint_recommendation import forgetting
        from tiepoint_recommendation.item_space import ProductEncoder

        self._log.flush()
        encoder = ProductEncoder(self.deployment, self.models.store)
        removed = forgetting.forget(
            self.database, self.models.store, user, encoder, self.fit_settings
        )
        self.models.follow()
        return removed
