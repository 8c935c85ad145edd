"""Refits in a process of their own: the answering neither waits for them nor fails with them."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiepoint.errors import StoreError, TiepointError
from tiepoint_adapters.background import Background
from tiepoint_recommendation.live.models import Models
from tiepoint_recommendation.live.settings import RefitSettings
from tiepoint_recommendation.settings import FitSettings
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.events import EventStore
from tiepoint_recommendation.storage.forgotten import unfinished
from tiepoint_recommendation.turns import fit_turn

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_NICE = 10


@dataclass(frozen=True, slots=True)
class FitJob:
    """What a refit needs to know.

    Attributes:
        store: The folder of models.
        url: The database's, where it is not in the store.
        settings: How to fit.
        deployment: Whose encoders make the vectors of new products.
    """

    store: Path
    url: str | None
    settings: FitSettings
    deployment: Deployment


class Refitter:
    """Looks for new models and catalogues, and makes a new model when there is enough new.

    Args:
        job: What to fit.
        models: What serves; is told of every new model.
        settings: When to fit.
        tick: Called about every second, for what else has to be read again.
    """

    def __init__(
        self, job: FitJob, models: Models, settings: RefitSettings, tick: Callable[[], None]
    ) -> None:
        self.job = job
        self.models = models
        self.settings = settings
        self.failure: str | None = None
        self.lost: str | None = None
        self.fitting = False
        self._tick = tick
        self._background = Background("tiepoint-refit", self._run)
        self._process: multiprocessing.process.BaseProcess | None = None

    def start(self) -> None:
        """Begin to look."""
        self._background.start()

    def stop(self) -> None:
        """End; a refit under way is stopped, which changes nothing."""
        self._background.ended.set()
        process = self._process
        if process is not None and process.is_alive():
            process.terminate()
        self._background.stop()

    def refit(self) -> bool:
        """Fit now and take up the model; returns whether that went well.

        Where it fails, `failure` says why, and the former model serves on. Where another process
        fits already, nothing is done.
        """
        self.fitting = True
        try:
            self.failure = self._fitted()
        finally:
            self.fitting = False
        if self.failure is not None:
            log.error("the refit failed, the former model serves on: %s", self.failure)
            return False
        return self.models.follow()

    def health(self) -> dict[str, Any]:
        """Return what became of the last refit."""
        state = "failed" if self.failure is not None else "ok"
        found: dict[str, Any] = {"status": state, "fitting": self.fitting}
        return found if self.failure is None else {**found, "reason": self.failure}

    def _fitted(self) -> str | None:
        """Fit in another process; returns what went wrong."""
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_fit, args=(self.job, sender), daemon=True)
        self._process = process
        process.start()
        sender.close()
        try:
            if not receiver.poll(self.settings.most_s):
                return f"it took longer than {self.settings.most_s:g} s"
            outcome: str | None = receiver.recv()
            process.join()
            return outcome
        except EOFError:
            process.join()
            return f"its process ended with {process.exitcode}"
        finally:
            if process.is_alive():
                process.terminate()
            process.join()
            receiver.close()
            self._process = None

    def _run(self) -> None:
        fit_at = time.monotonic() + self.settings.every_s
        read_at = time.monotonic()
        while not self._background.ended.wait(_LOOK_EVERY_S):
            try:
                self.models.follow()
                self._tick()
                self.lost = None
                is_time = time.monotonic() >= fit_at
                if time.monotonic() >= read_at:
                    read_at = time.monotonic() + self.settings.catalogue_every_s
                    self.models.read_catalogue()
                elif not is_time:
                    continue
                if is_time:
                    fit_at = time.monotonic() + self.settings.every_s
                if self._enough(is_time=is_time):
                    self.refit()
            except StoreError as error:
                if self.lost is None:
                    log.warning("%s", error)
                self.lost = str(error)

    def _enough(self, *, is_time: bool) -> bool:
        """Whether there is enough that is new, or somebody who was not wholly forgotten."""
        shelf = self.models.loaded
        seen = 0 if shelf is None else shelf.model.last_event
        database = Database.of_store(self.job.store, self.job.url)
        try:
            if unfinished(database) is not None:
                return True
            return is_time and (
                EventStore(database).last_number() - seen >= self.settings.after_events
            )
        finally:
            database.close()


def _fit(job: FitJob, outcome: Connection) -> None:
    """Fit and save a model, in a process of its own; sends None, or what went wrong."""
    from tiepoint_recommendation.fitting import fit
    from tiepoint_recommendation.forgetting import finish
    from tiepoint_recommendation.item_space import ProductEncoder

    os.nice(_NICE)  # so that it takes no time from those who wait for answers
    database = Database.of_store(job.store, job.url)
    encoder = ProductEncoder(job.deployment, job.store)
    try:
        if unfinished(database) is not None:
            finish(database, job.store, encoder, job.settings)
        else:
            with fit_turn(job.store, wait=False) as held:
                if held:
                    fit(database, job.store, encoder, job.settings)
        outcome.send(None)
    except TiepointError as error:
        outcome.send(str(error))
    except Exception as error:  # noqa: BLE001 - a ranker may be foreign code
        outcome.send(f"{type(error).__name__}: {error}")
    finally:
        database.close()
