"""From items to stored rows: check, encode, align, write what changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tiepoint.encoders.cache import EmbeddingCache, digest
from tiepoint.encoders.pipeline import encode_parts
from tiepoint.errors import DecodeError, InputError, SchemaError
from tiepoint.index.base import Row
from tiepoint.index.collection import Collection
from tiepoint.index.validation import validate_rows
from tiepoint.routes import Layout, PartField
from tiepoint.search import unit_vector
from tiepoint.types import TEXT, AddReport, Item, Skipped

BATCH = 256
"""Items that are encoded and acknowledged together."""

Progress = Callable[[AddReport], None]


class Indexer:
    """Adds items to one collection.

    Args:
        layout: The collection's fields.
        collection: Where the rows go.
        cache: Vectors of parts that were encoded before, or None.
    """

    def __init__(
        self, layout: Layout, collection: Collection, cache: EmbeddingCache | None
    ) -> None:
        self.layout = layout
        self.collection = collection
        self.cache = cache
        stamp = "|".join(f"{v.name}:{v.fingerprint}" for v in layout.schema.vectors)
        self.stamp = hashlib.sha256(stamp.encode()).hexdigest()

    def add(
        self, items: Iterable[Item], *, strict: bool, progress: Progress | None = None
    ) -> AddReport:
        """Write items in batches; each batch is durable before the next one is encoded.

        Raises:
            SchemaError: The same id twice; in strict mode, an item that does not fit.
            DecodeError: In strict mode, a part that cannot be read.
        """
        report = AddReport()
        for batch in batches(unique(items)):
            self._add_batch(batch, report, strict)
            if progress is not None:
                progress(report)
        return report

    def _add_batch(self, items: list[Item], report: AddReport, strict: bool) -> None:
        failures: dict[int, InputError] = {}
        rows = [self._row(item, failures, i) for i, item in enumerate(items)]
        hashes: list[list[str]] = [[] for _ in items]
        for field in self.layout.fields.values():
            holders = [
                i for i, item in enumerate(items) if field.name in item.parts and i not in failures
            ]
            self._fill(field, holders, items, rows, hashes, failures, report)
        self._validate(rows, failures)
        if failures and strict:
            raise failures[min(failures)]
        for i in sorted(failures):
            report.skipped.append(Skipped(items[i].id, str(failures[i])))
        self._write([r for i, r in enumerate(rows) if i not in failures], report)

    def _validate(self, rows: list[Row], failures: dict[int, InputError]) -> None:
        """Check the rows at once, and one by one only to find out which do not fit."""
        try:
            validate_rows(self.layout.schema, [r for i, r in enumerate(rows) if i not in failures])
        except InputError:
            for i, row in enumerate(rows):
                if i not in failures:
                    try:
                        validate_rows(self.layout.schema, [row])
                    except InputError as error:
                        failures[i] = error

    def _row(self, item: Item, failures: dict[int, InputError], i: int) -> Row:
        """Start an item's row; its vectors and digest follow."""
        unknown = [name for name in item.parts if name not in self.layout.fields]
        if unknown:
            failures[i] = SchemaError(
                f"the collection {self.layout.schema.name!r} has no field {unknown[0]!r}",
                where=item.id,
                hint=f"Its fields are {', '.join(self.layout.fields)}.",
            )
        return Row(item.id, {}, item.metadata, {}, "")

    def _fill(
        self,
        field: PartField,
        holders: list[int],
        items: list[Item],
        rows: list[Row],
        hashes: list[list[str]],
        failures: dict[int, InputError],
        report: AddReport,
    ) -> None:
        """Add one field's vectors, stored parts and content hashes to the rows that have it."""
        parts = [items[i].parts[field.name] for i in holders]
        for i, part in zip(holders, parts, strict=True):
            try:
                kept = stored_part(field, part)
            except InputError as error:
                failures[i] = error
                continue
            if kept is not None:
                rows[i].parts[field.name] = kept
        if field.encoder is None:
            for i, part in zip(holders, parts, strict=True):
                hashes[i].append(f"{field.name}:{digest(part, field.modality)}")
                if field.dimensions is not None:
                    try:
                        rows[i].vectors[field.name] = unit_vector(
                            part, field.dimensions, field.name
                        )
                    except InputError as error:
                        failures[i] = SchemaError(error.what, where=f"{items[i].id}: {field.name}")
        elif holders:
            encoded = encode_parts(field.encoder, parts, field.modality, self.cache)
            report.encoded += encoded.encoded
            report.cached += encoded.cached
            for at, error in encoded.errors.items():
                failures[holders[at]] = located(error, items[holders[at]].id)
            good = [at for at in range(len(holders)) if at not in encoded.errors]
            own = encoded.vectors[good]
            joint = None
            if field.joint is not None and self.layout.aligner is not None and len(good):
                joint = self.layout.aligner.transform(field.modality, own)
            for position, at in enumerate(good):
                row = rows[holders[at]]
                row.vectors[field.name] = own[position]
                if joint is not None and field.joint is not None:
                    row.vectors[field.joint] = joint[position]
                hashes[holders[at]].append(f"{field.name}:{encoded.digests[at]}")
        for i in holders:
            rows[i].digest = self._digest(hashes[i], items[i])

    def _digest(self, hashes: list[str], item: Item) -> str:
        content = json.dumps(
            [self.stamp, hashes, {k: item.metadata[k] for k in sorted(item.metadata)}],
            ensure_ascii=False,
            default=str,
        )
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _write(self, rows: list[Row], report: AddReport) -> None:
        known = self.collection.digests([row.id for row in rows])
        changed = [row for row in rows if known.get(row.id) != row.digest]
        if changed:
            self.collection.write(changed)
        report.added += len(changed)
        report.unchanged += len(rows) - len(changed)


def batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Yield lists of up to `BATCH` items."""
    while batch := list(islice(items, BATCH)):
        yield batch


def unique(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items, refusing an id that came before; a sequence is checked as a whole first.

    Raises:
        SchemaError: The same id twice.
    """
    if isinstance(items, list | tuple):
        check_ids = set()
        for item in items:
            refuse_repeated(item.id, check_ids)
        yield from items
        return
    seen: set[str] = set()
    for item in items:
        refuse_repeated(item.id, seen)
        yield item


def refuse_repeated(id_: str, seen: set[str]) -> None:
    """Remember an id.

    Raises:
        SchemaError: It was seen before.
    """
    if id_ in seen:
        raise SchemaError("the same id is given twice", where=id_, hint="Make ids unique.")
    seen.add(id_)


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
