"""From items to stored rows: check, encode, align, write what changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from tiepoint.digests import content_of, row_digest, stamp_of
from tiepoint.encoders.base import Encoder
from tiepoint.encoders.cache import EmbeddingCache, digest
from tiepoint.encoders.pipeline import encode_parts
from tiepoint.errors import DecodeError, InputError, QueryError, SchemaError
from tiepoint.index.base import Row
from tiepoint.index.validation import validate_rows
from tiepoint.routes import Layout, PartField
from tiepoint.search import unit_vector
from tiepoint.threads import preparation_threads
from tiepoint.types import TEXT, AddReport, Item, Skipped

BATCH = 64
"""Items that are encoded and acknowledged together."""

Progress = Callable[[AddReport], None]


class _Batch:
    """Items on their way to rows; what fails keeps its place and says why."""

    def __init__(self, items: list[Item]) -> None:
        self.items = items
        self.rows = [Row(item.id, {}, item.metadata, {}, "") for item in items]
        self.hashes: list[dict[str, str]] = [{} for _ in items]
        self.failures: dict[int, InputError] = {}
        self.encoded = 0
        self.cached = 0
        self.writing: Future[int] | None = None

    def good_rows(self) -> list[Row]:
        return [row for i, row in enumerate(self.rows) if i not in self.failures]


class Target(Protocol):
    """A collection to write to, in this process or in the one that holds the store."""

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the digest of each of these items that exists."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write items, replacing those of the same id; durable on return."""


class Indexer:
    """Adds items to one collection.

    Args:
        layout: The collection's fields.
        collection: Where the rows go.
        cache: Vectors of parts that were encoded before, or None.
    """

    def __init__(self, layout: Layout, collection: Target, cache: EmbeddingCache | None) -> None:
        self.layout = layout
        self.collection = collection
        self.cache = cache
        self.stamp = stamp_of(layout.schema)

    def add(
        self, items: Iterable[Item], *, strict: bool, progress: Progress | None = None
    ) -> AddReport:
        """Write items in batches; a batch is durable before the next one is written.

        Raises:
            SchemaError: The same id twice; in strict mode, an item that does not fit.
            DecodeError: In strict mode, a part that cannot be read.
        """
        report = AddReport()
        written: _Batch | None = None
        try:
            for group in batches(unique(items)):
                batch = self._encoded(group, strict)
                if written is not None:
                    self._acknowledge(written, report, progress)
                # The next batch is encoded while this one is written.
                batch.writing = preparation_threads().submit(self._write, batch)
                written = batch
        finally:
            if written is not None:
                self._acknowledge(written, report, progress)
        return report

    def _acknowledge(self, batch: _Batch, report: AddReport, progress: Progress | None) -> None:
        """Wait until a batch is durable, and count it."""
        written, batch.writing = batch.writing, None
        if written is None:
            return
        changed = written.result()
        report.added += changed
        report.unchanged += len(batch.good_rows()) - changed
        report.encoded += batch.encoded
        report.cached += batch.cached
        for i in sorted(batch.failures):
            report.skipped.append(Skipped(batch.items[i].id, str(batch.failures[i])))
        if progress is not None:
            progress(report)

    def _encoded(self, items: list[Item], strict: bool) -> _Batch:
        """Turn items into rows; in strict mode, the first that fails raises."""
        batch = _Batch(items)
        self._refuse_unknown_parts(batch)
        for field in self.layout.fields.values():
            holders = self._keep(field, batch)
            if field.encoder is not None:
                self._encode(field, field.encoder, holders, batch)
            elif field.dimensions is not None:
                self._take_given(field, field.dimensions, holders, batch)
            else:
                for i in holders:
                    batch.hashes[i][field.name] = digest(items[i].parts[field.name], field.modality)
        for row, item, hashes in zip(batch.rows, items, batch.hashes, strict=True):
            content = content_of(hashes, item.metadata, self.layout.schema)
            row.digest = row_digest(self.stamp, content)
        self._validate(batch)
        if batch.failures and strict:
            raise batch.failures[min(batch.failures)]
        return batch

    def _refuse_unknown_parts(self, batch: _Batch) -> None:
        for i, item in enumerate(batch.items):
            unknown = [name for name in item.parts if name not in self.layout.fields]
            if unknown:
                batch.failures[i] = SchemaError(
                    f"the collection {self.layout.schema.name!r} has no field {unknown[0]!r}",
                    where=item.id,
                    hint=f"Its fields are {', '.join(self.layout.fields)}.",
                )

    def _keep(self, field: PartField, batch: _Batch) -> list[int]:
        """Note what is kept of a field's parts; returns the positions that have a usable one."""
        holders = []
        for i, item in enumerate(batch.items):
            if field.name not in item.parts or i in batch.failures:
                continue
            try:
                kept = stored_part(field, item.parts[field.name])
            except DecodeError as error:
                batch.failures[i] = located(error, item.id)
                continue
            if kept is not None:
                batch.rows[i].parts[field.name] = kept
            holders.append(i)
        return holders

    def _encode(
        self,
        field: PartField,
        encoder: Encoder,
        holders: list[int],
        batch: _Batch,
    ) -> None:
        """Add a field's vectors, in the encoder's own space and in the joint one."""
        parts = [batch.items[i].parts[field.name] for i in holders]
        if not parts:
            return
        encoded = encode_parts(encoder, parts, field.modality, self.cache)
        batch.encoded += encoded.encoded
        batch.cached += encoded.cached
        for at, problem in encoded.errors.items():
            batch.failures[holders[at]] = located(problem, batch.items[holders[at]].id)
        good = [at for at in range(len(holders)) if at not in encoded.errors]
        spaces = self.layout.spaces(field, encoded.vectors[good])
        for position, at in enumerate(good):
            batch.hashes[holders[at]][field.name] = encoded.digests[at]
            for name, vectors in spaces.items():
                batch.rows[holders[at]].vectors[name] = vectors[position]

    def _take_given(
        self, field: PartField, dimensions: int, holders: list[int], batch: _Batch
    ) -> None:
        for i in holders:
            item = batch.items[i]
            try:
                vector = unit_vector(item.parts[field.name], dimensions, field.name)
            except QueryError as error:
                where = f"{item.id}: {field.name}"
                batch.failures[i] = SchemaError(error.what, where=where, hint=error.hint)
                continue
            batch.rows[i].vectors[field.name] = vector
            batch.hashes[i][field.name] = digest(vector, field.modality)

    def _validate(self, batch: _Batch) -> None:
        """Check the rows at once, and one by one only to find out which do not fit."""
        try:
            validate_rows(self.layout.schema, batch.good_rows())
        except InputError:
            for i, row in enumerate(batch.rows):
                if i not in batch.failures:
                    try:
                        validate_rows(self.layout.schema, [row])
                    except InputError as error:
                        batch.failures[i] = error

    def _write(self, batch: _Batch) -> int:
        """Write the rows that changed; returns how many."""
        rows = batch.good_rows()
        known = self.collection.digests([row.id for row in rows])
        changed = [row for row in rows if known.get(row.id) != row.digest]
        if changed:
            self.collection.write(changed)
        return len(changed)


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


def stored_part(field: PartField, part: Any) -> str | None:
    """Return what is kept of a part: a text itself, a file's absolute path, else nothing.

    Raises:
        DecodeError: A text field that holds something else.
    """
    if field.dimensions is not None:
        return None
    if field.modality == TEXT:
        if not isinstance(part, str):
            raise DecodeError(
                f"the text is a {type(part).__name__}", where=field.name, hint="Give a string."
            )
        return part
    if isinstance(part, str | os.PathLike):
        return str(Path(part).absolute())
    return None


def located(error: DecodeError, id_: str) -> DecodeError:
    """Return the error with the item's id, where it names no file."""
    return error if error.where else DecodeError(error.what, where=id_, hint=error.hint)
