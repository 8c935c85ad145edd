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
"""Items that are encoded and acknowledged together."""

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
        """Write items in batches; a batch is durable before the next one is written.

        Raises:
            SchemaError: The same id twice; in strict mode, an item that does not fit.
            DecodeError: In strict mode, a part that cannot be read.
        """
        report = AddReport()
        writing: tuple[EncodedItems, Future[int]] | None = None
        try:
            for batch in self.engine.encoded(self.encoding, batches(unique(items))):
                if strict and batch.failure is not None:
                    raise batch.failure
                if writing is not None:
                    before, writing = writing, None
                    _acknowledge(*before, report, progress)
                # The next batch is encoded while this one is written.
                writing = batch, preparation_threads().submit(self._write, batch.rows)
        finally:
            if writing is not None:
                _acknowledge(*writing, report, progress)
        return report

    def _write(self, rows: list[Row]) -> int:
        """Write the rows that changed; returns how many."""
        known = self.collection.digests([row.id for row in rows])
        changed = [row for row in rows if known.get(row.id) != row.digest]
        if changed:
            self.collection.write(changed)
        return len(changed)


def _acknowledge(
    batch: EncodedItems, writing: Future[int], report: AddReport, progress: Progress | None
) -> None:
    """Wait until a batch is durable, and count it."""
    changed = writing.result()
    report.added += changed
    report.unchanged += len(batch.rows) - changed
    report.encoded += batch.encoded
    report.cached += batch.cached
    report.skipped += batch.skipped
    if progress is not None:
        progress(report)


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
