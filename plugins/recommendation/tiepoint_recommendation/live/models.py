"""The model that serves: switched in one step, kept where its successor cannot be used."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from tiepoint.errors import InputError, StoreError, TiepointError
from tiepoint_recommendation.live.shelf import Shelf
from tiepoint_recommendation.model import Model
from tiepoint_recommendation.saving import current_generation, load_model
from tiepoint_recommendation.storage.catalogue import CatalogueStore

log = logging.getLogger(__name__)


class Models:
    """Holds the shelf that answers come from; threads may ask while it is replaced.

    Args:
        store: The folder of models; another process may fit there.
        catalogue: What is known of the items.
    """

    def __init__(self, store: Path, catalogue: CatalogueStore) -> None:
        self.store = store
        self.catalogue = catalogue
        self.problem: str | None = None
        self._shelf: Shelf | None = None
        self._unusable: str | None = None
        self._catalogue_version = 0
        self._lock = threading.Lock()

    @property
    def shelf(self) -> Shelf:
        """What serves now; the first call loads it.

        Raises:
            InputError: There is no model, or it is damaged.
        """
        if self._shelf is None:
            with self._lock:
                if self._shelf is None:
                    self._shelf = self._with_catalogue(load_model(self.store))
        return self._shelf

    @property
    def loaded(self) -> Shelf | None:
        """What serves now; None before the first use."""
        return self._shelf

    def follow(self) -> bool:
        """Take up the current model where it is another one; returns whether it was.

        One that cannot be loaded is told in `problem`, and the former one serves on.

        Raises:
            StoreError: The database refused; the model is taken up when it answers again.
        """
        with self._lock:
            generation = current_generation(self.store)
            serving = self._shelf.model.generation if self._shelf is not None else None
            if generation is None or generation in (serving, self._unusable):
                return False
            try:
                shelf = self._with_catalogue(load_model(self.store))
            except StoreError:
                raise
            except TiepointError as error:
                self._unusable = generation
                self.problem = f"model {generation} cannot be used: {error}"
                log.error("%s; %s serves on", self.problem, serving or "none")
                return False
            self._shelf, self.problem, self._unusable = shelf, None, None
            return True

    def read_catalogue(self) -> None:
        """Read prices, stocks and all else of the products that have changed.

        Raises:
            StoreError: The database refused; the former facts stay.
        """
        with self._lock:
            if self._shelf is None:
                return
            found = self.catalogue.since(self._catalogue_version)
            if found.version != self._catalogue_version:
                self._shelf = self._shelf.changed(found.products, found.gone)
                self._catalogue_version = found.version

    def take(self, generation: str) -> None:
        """Serve this generation, whichever is current.

        Raises:
            InputError: It is not there, or damaged.
        """
        with self._lock:
            self._shelf = self._with_catalogue(load_model(self.store, generation))

    def _with_catalogue(self, model: Model) -> Shelf:
        version = self.catalogue.version()  # before the products, so that no change is missed
        shelf = Shelf.of(model, self.catalogue.all())
        self._catalogue_version = version
        return shelf

    def require(self, item: str) -> int:
        """Return the number of an item.

        Raises:
            InputError: The model does not know it.
        """
        number = self.shelf.model.number_of.get(item)
        if number is None:
            raise InputError(
                f"the model knows no item {item!r}",
                hint="Ingest it and fit again; then a title or an image is enough.",
            )
        return number
