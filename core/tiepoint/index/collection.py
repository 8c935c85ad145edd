"""A collection: items in a durable store, and a serving tier in step with it."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import IndexSection
from tiepoint.encoders.base import Vectors
from tiepoint.errors import StoreError
from tiepoint.index.base import Candidates, CollectionSchema, Payload, Row, Store, Tier
from tiepoint.index.filters import Filter
from tiepoint.index.validation import validate_rows
from tiepoint.types import MetadataValue

if TYPE_CHECKING:
    from tiepoint.index.tier import ServingTier

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Told how many items are done, and how many there are."""

_SNAPSHOT_BACKLOG = 20_000


class Collection:
    """Items that are searched together; answers the routes as a `Searcher`.

    A write goes to the store first, where it is durable, and then to the tier; reads see the
    tier only. A write that fails, or is interrupted, between the two leaves the tier behind;
    the next write first takes over what the store has. One thread writes at a time (others
    wait), any number may read meanwhile.

    A snapshot of the tier lies in a folder of its own. It is taken at closing, and whenever
    the writes since the last one outnumber the items; then tombstones that it covers are
    purged from the store.

    Use `Collection.open`.
    """

    def __init__(
        self,
        store: Store,
        schema: CollectionSchema,
        folder: Path,
        tier: Tier,
        opened: dict[str, Any],
    ) -> None:
        self.schema = schema
        self._store = store
        self._folder = folder
        self._tier = tier
        self._snapshot_sequence = tier.sequence
        self._behind = False
        self._snapshot_error: str | None = None
        self._opened = opened
        self._writing = threading.Lock()

    @classmethod
    def open(
        cls,
        store: Store,
        schema: CollectionSchema,
        folder: Path,
        progress: Progress | None = None,
        options: Mapping[str, IndexSection] | None = None,
    ) -> Collection:
        """Open a collection, creating it if it is new.

        The tier comes from its snapshot and takes over what was written since; if there is no
        snapshot, or it does not match the store, the tier is built again from all items, and
        `health` says why (`opened`: `because`).

        Args:
            store: An open store.
            schema: What the collection holds.
            folder: Where the tier's snapshots lie, in a folder for each stored collection.
            progress: Told of items taken over from the store.
            options: How vectors are searched by the serving tier, by vector field.

        Raises:
            FingerprintError: The stored vectors come from another encoder or aligner.
            SchemaError: The stored fields or metadata differ.
            StoreError: The store failed.
        """
        started = time.perf_counter()
        store.create(schema)
        pushed_down = store.pushed_down(schema)
        if pushed_down is not None:
            return cls(store, schema, folder, pushed_down, {"from": "server"})
        from tiepoint.index.tier import ServingTier

        folder = folder / store.identity(schema.name)
        count, last = store.count(schema.name), store.last_sequence(schema.name)
        tier, problem = _saved_tier(schema, folder, options, last)
        saved = 0 if tier is None else tier.sequence
        opened: dict[str, Any] = {"from": "snapshot"}
        if tier is not None:
            with tier.deferred():
                opened["taken_over"] = _take_over(store, tier, count, progress)
            if len(tier) != count:
                problem = f"it has {len(tier):,} items, the store {count:,}"
                tier.close()
                tier = None
        if tier is None:
            tier, saved = ServingTier(schema, options, folder), 0
            opened = {"from": "store", "because": problem if count or last else None}
            if opened["because"]:
                logger.warning(
                    "%s: the index is built again from %d items: %s", schema.name, count, problem
                )
            with tier.deferred():
                opened["taken_over"] = _take_over(store, tier, count, progress)
        opened["seconds"] = round(time.perf_counter() - started, 3)
        collection = cls(store, schema, folder, tier, opened)
        collection._snapshot_sequence = saved
        if opened["from"] == "store" and count:
            collection._try_snapshot()  # a process that is killed again starts fast all the same
        return collection

    def __len__(self) -> int:
        return len(self._tier)

    @property
    def tier(self) -> Tier:
        """What answers searches."""
        return self._tier

    def write(self, rows: Sequence[Row]) -> None:
        """Write items, replacing those of the same id; durable and searchable on return.

        Raises:
            SchemaError: A row does not fit; nothing was written.
            StoreError: The store failed; the tier is as before.
        """
        validate_rows(self.schema, rows)
        if not rows:
            return
        with self._writing:
            self._catch_up()
            self._behind = True
            self._tier.upsert(self._store.upsert(self.schema.name, rows), rows)
            self._behind = False
            if self._tier.sequence - self._snapshot_sequence > max(_SNAPSHOT_BACKLOG, len(self)):
                self._try_snapshot()

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items; unknown ids are passed over. Gives how many there were.

        Raises:
            StoreError: The store failed; the tier is as before.
        """
        with self._writing:
            self._catch_up()
            existing = list(self._tier.digests(list(dict.fromkeys(ids))))
            if not existing:
                return 0
            self._behind = True
            self._tier.delete(self._store.delete(self.schema.name, existing), existing)
            self._behind = False
            return len(existing)

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the digest of each of these items that exists."""
        return self._tier.digests(ids)

    def ids(self, most: int | None = None) -> list[str]:
        """Return the ids of all items, or of at most so many, spread over the collection."""
        return self._tier.ids(most)

    def get(
        self, ids: Sequence[str]
    ) -> dict[str, tuple[Mapping[str, MetadataValue], Mapping[str, str]]]:
        """Return (metadata, parts) of each of these items that exists."""
        existing = list(self._tier.digests(ids))
        return dict(zip(existing, self._tier.payloads(existing), strict=True))

    def reading(self) -> AbstractContextManager[None]:
        return self._tier.reading()

    def search_vector(
        self, field: str, query: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> Candidates:
        return self._tier.search_vector(field, query, k, where, exclude)

    def search_items(
        self, field: str, query: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> tuple[Candidates, Sequence[Payload]]:
        return self._tier.search_items(field, query, k, where, exclude)

    def search_vectors(
        self, field: str, queries: Vectors, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> list[Candidates]:
        return self._tier.search_vectors(field, queries, k, where, exclude)

    def search_text(
        self, field: str, query: str, k: int, where: Filter | None, exclude: Sequence[str]
    ) -> Candidates:
        return self._tier.search_text(field, query, k, where, exclude)

    def similarities(self, field: str, query: Vectors, ids: Sequence[str]) -> Vectors:
        return self._tier.similarities(field, query, ids)

    def vectors(self, field: str, ids: Sequence[str]) -> Vectors:
        return self._tier.vectors(field, ids)

    def word_scores(self, field: str, query: str, ids: Sequence[str]) -> Vectors:
        return self._tier.word_scores(field, query, ids)

    def background(self, field: str, query: Vectors) -> tuple[float, float]:
        return self._tier.background(field, query)

    def matches(self, where: Filter, ids: Sequence[str]) -> NDArray[np.bool_]:
        return self._tier.matches(where, ids)

    def values(self, name: str, ids: Sequence[str]) -> list[MetadataValue | None]:
        return self._tier.values(name, ids)

    def payloads(
        self, ids: Sequence[str]
    ) -> list[tuple[Mapping[str, MetadataValue], Mapping[str, str]]]:
        return self._tier.payloads(ids)

    def snapshot(self) -> None:
        """Save the tier, so that the next opening is fast, and purge tombstones.

        Raises:
            StoreError: The snapshot cannot be written; items are not affected.
        """
        with self._writing:
            self._snapshot()

    def close(self) -> None:
        """Save the tier if it has changed, and free it; the store stays open for others."""
        with self._writing:
            try:
                self._try_snapshot()
            finally:
                self._tier.close()

    def discard(self) -> None:
        """Free the tier and remove its snapshots; for a collection that has been superseded."""
        with self._writing:
            self._tier.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def health(self) -> dict[str, Any]:
        """Return the number of items, sequence numbers, and how the collection was opened.

        `items` and `sequence` are None while the server that has them cannot be reached.
        """
        unreachable = self._store.health()["status"] == "unreachable"
        degraded = self._behind or self._snapshot_error is not None or unreachable
        return {
            "status": "degraded" if degraded else "ok",
            "items": None if unreachable else len(self),
            "sequence": None if unreachable else self._tier.sequence,
            "snapshot_sequence": self._snapshot_sequence,
            "snapshot_error": self._snapshot_error,
            "behind_store": self._behind,
            "opened": self._opened,
            "tier": self._tier.describe(),
        }

    def _catch_up(self) -> None:
        if self._behind:
            name = self.schema.name
            _take_over(self._store, self._tier, self._store.count(name), None)
            self._behind = False

    def _snapshot(self) -> None:
        if self._tier.sequence == self._snapshot_sequence and not self._tier.improved:
            return
        self._tier.snapshot(self._folder)
        self._snapshot_sequence = self._tier.sequence
        self._snapshot_error = None
        self._store.purge(self.schema.name, self._snapshot_sequence)

    def _try_snapshot(self) -> None:
        try:
            self._snapshot()
        except StoreError as error:
            logger.warning("%s", error)
            self._snapshot_error = str(error)


def _saved_tier(
    schema: CollectionSchema,
    folder: Path,
    options: Mapping[str, IndexSection] | None,
    last: int,
) -> tuple[ServingTier | None, str]:
    """Return the tier of the snapshot, or None and why it cannot be used."""
    from tiepoint.index.snapshot import SnapshotError
    from tiepoint.index.tier import ServingTier

    try:
        tier = ServingTier.load(folder, schema, options)
    except SnapshotError as error:
        return None, str(error)
    if tier.sequence > last:
        tier.close()
        return None, (
            f"the snapshot is newer than the store ({tier.sequence} after {last}), which was put"
            " back to an earlier state"
        )
    return tier, ""


def _take_over(store: Store, tier: Tier, count: int, progress: Progress | None) -> int:
    """Bring a tier up to what its store has; gives the number of rows and tombstones."""
    total = 0
    for batch in store.scan(tier.schema.name, after=tier.sequence):
        sequence = max(number for number, _ in batch)
        rows = [row for _, row in batch if isinstance(row, Row)]
        deleted = [item for _, item in batch if isinstance(item, str)]
        if rows:
            tier.upsert(sequence, rows)
        if deleted:
            tier.delete(sequence, deleted)
        total += len(batch)
        if progress is not None:
            progress(min(total, count), count)
    return total
