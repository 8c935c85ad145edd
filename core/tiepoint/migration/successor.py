"""The store in which the migrated data grow, until they take the place of the old ones."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from tiepoint.errors import StoreOwnedError
from tiepoint.index.base import CollectionSchema
from tiepoint.index.collection import Collection
from tiepoint.index.embedded import TIERS
from tiepoint.index.milvus import MilvusStore

logger = logging.getLogger(__name__)

_PLAN = "migration.json"


class Successor:
    """Collections of the next generation; a store of its own, so that a kill harms nothing else.

    One that was begun before and left is taken up again, if it was for the same.

    Args:
        folder: Where the next generation lies.
        schemas: Its collections.
        reencode: Whether everything is encoded again.

    Raises:
        StoreOwnedError: Another process migrates the same store.
    """

    def __init__(
        self, folder: Path, schemas: Mapping[str, CollectionSchema], *, reencode: bool
    ) -> None:
        self._folder = folder
        self._schemas = dict(schemas)
        self._store = MilvusStore(str(folder))
        self.collections: dict[str, Collection] = {}
        plan = _plan_text(schemas, reencode)
        if folder.exists() and not self._begun_for(plan):
            self._give_up()
        self.open()
        (folder / _PLAN).write_text(plan, "utf-8")

    def open(self) -> None:
        """Take the store, and open its collections."""
        try:
            self._store.open()
        except StoreOwnedError as error:
            raise StoreOwnedError(
                f"the store is being migrated already: {error.what}",
                where=error.where,
                hint="Wait for that migration, or stop it and run this one.",
            ) from error
        try:
            for name, schema in self._schemas.items():
                self.collections[name] = Collection.open(
                    self._store, schema, self._folder / TIERS / name
                )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Write everything out and give the store up. Idempotent."""
        with ExitStack() as last_to_first:
            last_to_first.callback(self._store.close)
            for collection in self.collections.values():
                last_to_first.callback(collection.close)
            self.collections = {}

    def discard(self) -> None:
        """Close and remove it, as if it had never been begun."""
        self.close()
        shutil.rmtree(self._folder)
        with suppress(OSError):  # there may be others beside it
            self._folder.parent.rmdir()

    def _begun_for(self, plan: str) -> bool:
        try:
            return (self._folder / _PLAN).read_text("utf-8") == plan
        except OSError:
            return False

    def _give_up(self) -> None:
        self._store.open()  # fails where another migration is at work on it
        self._store.close()
        if (self._folder / _PLAN).exists():
            logger.warning(
                "%s: an unfinished migration to something else is given up", self._folder
            )
        shutil.rmtree(self._folder)


def _plan_text(schemas: Mapping[str, CollectionSchema], reencode: bool) -> str:
    from tiepoint.index.snapshot import schema_hash

    hashes = {name: schema_hash(schemas[name]) for name in sorted(schemas)}
    content = json.dumps([hashes, reencode])
    return hashlib.sha256(content.encode()).hexdigest()
