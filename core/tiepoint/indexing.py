"""From items to stored rows: encode them, and write what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import Protocol

from tiepoint.engine import Encoding, Engine
from tiepoint.errors import SchemaError
from tiepoint.index.base import Row
from tiepoint.item_encoding import EncodedItems
from tiepoint.threads import preparation_threads
from tiepoint.types import AddReport, Item

BATCH = 64
"""Items that are encoded together."""

MOST_ROWS = 1024
"""Items that are written together at most."""

Progress = Callable[[AddReport], None]


class Target(Protocol):
    """A collection to write to, in this process or in the one that holds the store."""

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the digest of each of these items that exists."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write items, replacing those of the same id; durable on return."""


class Indexer:
    """Adds items to one collection.

    Args:
        encoding: How its items become rows.
        engine: Where that is done.
        collection: Where the rows go.
    """

    def __init__(self, encoding: Encoding, engine: Engine, collection: Target) -> None:
        self.encoding = encoding
        self.engine = engine
        self.collection = collection

    def add(
        self, items: Iterable[Item], *, strict: bool, progress: Progress | None = None
    ) -> AddReport:
        """Write items in batches; what is reported of is durable.

        Raises:
            SchemaError: The same id twice; in strict mode, an item that does not fit.
            DecodeError: In strict mode, a part that cannot be read.
        """
        report = AddReport()
        writes = _Writes(self._write, report, progress)
        try:
            for batch in self.engine.encoded(self.encoding, batches(unique(items))):
                if strict and batch.failure is not None:
                    raise batch.failure
                writes.put(batch)  # the next batch is encoded while this one is written
        finally:
            writes.finish()
        return report

    def _write(self, rows: list[Row]) -> int:
        """Write the rows that changed; returns how many."""
        known = self.collection.digests([row.id for row in rows])
        changed = [row for row in rows if known.get(row.id) != row.digest]
        if changed:
            self.collection.write(changed)
        return len(changed)


class _Writes:
    """Writes batches in the background, and those that come meanwhile together.

    A write waits for the disk, for as long whether it is large or small.

    Args:
        write: Writes rows, and returns how many changed.
        report: What is counted in, once it is durable.
        progress: Told of each such step.
    """

    def __init__(
        self, write: Callable[[list[Row]], int], report: AddReport, progress: Progress | None
    ) -> None:
        self._write = write
        self._report = report
        self._progress = progress
        self._waiting: list[EncodedItems] = []
        self._writing: tuple[list[EncodedItems], Future[int]] | None = None

    def put(self, batch: EncodedItems) -> None:
        """Write a batch now or with the next ones; raises what went wrong with earlier ones."""
        self._waiting.append(batch)
        full = sum(len(waiting.rows) for waiting in self._waiting) >= MOST_ROWS
        if self._writing is not None and (full or self._writing[1].done()):
            self._acknowledge()
        if self._writing is None:
            self._begin()

    def finish(self) -> None:
        """Wait until everything is durable."""
        if self._writing is not None:
            self._acknowledge()
        if self._waiting:
            self._begin()
            self._acknowledge()

    def _begin(self) -> None:
        batches, self._waiting = self._waiting, []
        rows = [row for batch in batches for row in batch.rows]
        self._writing = batches, preparation_threads().submit(self._write, rows)

    def _acknowledge(self) -> None:
        assert self._writing is not None  # noqa: S101 - the callers look
        (batches, future), self._writing = self._writing, None
        try:
            changed = future.result()
        except BaseException:
            self._waiting = []  # what comes after a failed write is not written
            raise
        report = self._report
        report.added += changed
        report.unchanged -= changed
        for batch in batches:
            report.unchanged += len(batch.rows)
            report.encoded += batch.encoded
            report.cached += batch.cached
            report.skipped += batch.skipped
        if self._progress is not None:
            self._progress(report)


def batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Yield lists of up to `BATCH` items."""
    while batch := list(islice(items, BATCH)):
        yield batch


def unique(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items, refusing an id that came before; a sequence is checked as a whole first.

    Raises:
        SchemaError: The same id twice, or something that is no item.
    """
    if isinstance(items, list | tuple):
        first_pass: set[str] = set()
        for item in items:
            refuse_repeated(item, first_pass)
    seen: set[str] = set()
    if isinstance(items, str | bytes | Mapping) or not isinstance(items, Iterable):
        raise SchemaError(f"items is a {type(items).__name__}", hint="Give a list of Item.")
    for item in items:
        refuse_repeated(item, seen)
        yield item


def refuse_repeated(item: Item, seen: set[str]) -> None:
    """Remember an item's id.

    Raises:
        SchemaError: It was seen before, or this is no item.
    """
    if not isinstance(item, Item):
        raise SchemaError(f"a {type(item).__name__} is no item", hint="Give a list of Item.")
    if item.id in seen:
        raise SchemaError("the same id is given twice", where=item.id, hint="Make ids unique.")
    seen.add(item.id)
