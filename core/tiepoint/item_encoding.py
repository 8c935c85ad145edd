"""From items to rows: check each part, encode it, align it, and say what failed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from dataclasses import field as attribute
from pathlib import Path
from typing import Any

from tiepoint.digests import content_of, row_digest, stamp_of
from tiepoint.encoders.base import Encoder
from tiepoint.encoders.cache import EmbeddingCache, digest
from tiepoint.encoders.pipeline import encode_parts
from tiepoint.errors import DecodeError, InputError, QueryError, SchemaError
from tiepoint.index.base import Row
from tiepoint.index.validation import validate_rows
from tiepoint.query.checks import given_vector
from tiepoint.routes import Layout, PartField, given_field
from tiepoint.types import TEXT, Item, Skipped


@dataclass(slots=True)
class EncodedItems:
    """What became of some items: rows to be written, and what could not be used.

    Attributes:
        rows: The rows of the items that can be written, in their order.
        skipped: The others, with reasons.
        failure: The error of the first of these; None if there are none.
        encoded: Parts that went through an encoder.
        cached: Parts whose vector came from the embedding cache.
    """

    rows: list[Row]
    skipped: list[Skipped] = attribute(default_factory=list)
    failure: InputError | None = None
    encoded: int = 0
    cached: int = 0


class _Batch:
    """Items on their way to rows; what fails keeps its place and says why."""

    def __init__(self, items: list[Item]) -> None:
        self.items = items
        self.rows = [Row(item.id, {}, item.metadata, {}, "") for item in items]
        self.hashes: list[dict[str, str]] = [{} for _ in items]
        self.failures: dict[int, InputError] = {}
        self.encoded = 0
        self.cached = 0

    def good_rows(self) -> list[Row]:
        return [row for i, row in enumerate(self.rows) if i not in self.failures]

    def result(self) -> EncodedItems:
        failed = sorted(self.failures)
        return EncodedItems(
            self.good_rows(),
            [Skipped(self.items[i].id, str(self.failures[i])) for i in failed],
            self.failures[failed[0]] if failed else None,
            self.encoded,
            self.cached,
        )


class ItemEncoder:
    """Makes rows of items, as one collection takes them.

    Args:
        layout: The collection's fields.
        cache: Vectors of parts that were encoded before, or None.
    """

    def __init__(self, layout: Layout, cache: EmbeddingCache | None) -> None:
        self.layout = layout
        self.cache = cache
        self.stamp = stamp_of(layout.schema)

    def encode(self, items: list[Item]) -> EncodedItems:
        """Turn items into rows; one that cannot be used is left out and listed."""
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
        return batch.result()

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
        into = given_field(field.name, dimensions, field.metric)
        for i in holders:
            item = batch.items[i]
            try:
                vector = given_vector(item.parts[field.name], into)
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
