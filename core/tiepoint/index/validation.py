"""What a row must be, before anything of its batch is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tiepoint.config.collections import MetadataType
from tiepoint.errors import SchemaError
from tiepoint.index.base import CollectionSchema, Row, VectorField
from tiepoint.types import checked_id

MAX_TEXT_BYTES = 65_535
"""Longest metadata string, UTF-8: the limit of a VARCHAR field in Milvus."""
MAX_LIST_LENGTH = 4_096
"""Longest metadata list: the limit of an ARRAY field in Milvus."""
MAX_PART_BYTES = 1 << 20
"""Longest part (a text, a path), UTF-8."""
MAX_DIMENSIONS = 32_768
MAX_DIGEST_BYTES = 256
_MAX_INTEGER = 2**63 - 1
_NORM_TOLERANCE = 1e-3


def validate_schema(schema: CollectionSchema) -> None:
    """Check that a collection can be stored at all.

    Raises:
        SchemaError: A metadata field called `id`, a vector field of no or too many dimensions,
            or two vector fields of one name.
    """
    where = f"collection {schema.name!r}"
    if "id" in schema.metadata:
        raise SchemaError(
            "a metadata field cannot be called 'id'",
            where=where,
            hint="Filters use that name for the item's own id; call it otherwise.",
        )
    names = [field.name for field in schema.vectors]
    if len(set(names)) < len(names):
        raise SchemaError(
            f"two vector fields share a name: {', '.join(names)}", where=where, hint="Rename one."
        )
    for field in schema.vectors:
        if not 2 <= field.dim <= MAX_DIMENSIONS:
            raise SchemaError(
                f"vector field {field.name!r} has {field.dim} dimensions",
                where=where,
                hint=f"A vector field takes 2 to {MAX_DIMENSIONS:,}.",
            )


def validate_rows(schema: CollectionSchema, rows: Sequence[Row]) -> None:
    """Check a batch against its collection; nothing is written before all of it passes.

    Args:
        schema: The collection's schema.
        rows: The batch.

    Raises:
        SchemaError: Names the item and the field: an unusable or repeated id, a vector of
            another length, with a non-finite value or not of unit length, an unknown field,
            or a value of another type or beyond the limits of this module.
    """
    fields = {field.name: field for field in schema.vectors}
    seen: set[str] = set()
    for row in rows:
        checked_id(row.id)
        if row.id in seen:
            raise _refusal(row.id, "the same id stands twice in one batch", "Write it once.")
        seen.add(row.id)
        _validate_metadata(row.id, row.metadata, schema.metadata)
        for name, part in row.parts.items():
            _validate_string(row.id, f"part {name!r}", part, MAX_PART_BYTES)
        _validate_string(row.id, "digest", row.digest, MAX_DIGEST_BYTES)
        unknown = row.vectors.keys() - fields.keys()
        if unknown:
            raise _refusal(
                row.id,
                f"the collection has no vector field {min(unknown)!r}",
                f"Its vector fields are: {', '.join(fields) or 'none'}.",
            )
    for field in schema.vectors:
        _validate_vectors(field, [row for row in rows if field.name in row.vectors])


def _validate_vectors(field: VectorField, rows: Sequence[Row]) -> None:
    for row in rows:
        vector = np.asarray(row.vectors[field.name])
        if vector.shape != (field.dim,):
            raise _refusal(
                row.id,
                f"the vector of field {field.name!r} has shape {vector.shape}, not ({field.dim},)",
                "Encode it with the encoder that the collection names.",
            )
        if vector.dtype != np.float32:
            raise _refusal(
                row.id,
                f"the vector of field {field.name!r} is {vector.dtype}, not float32",
                "Convert it with astype(numpy.float32).",
            )
    if not rows:
        return
    vectors = np.stack([row.vectors[field.name] for row in rows])
    # A non-finite value makes the norm non-finite, so that one comparison finds both faults.
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    wrong = ~np.isfinite(norms)
    if field.metric == "cosine":
        wrong = ~(np.abs(norms - 1) <= _NORM_TOLERANCE)
    if wrong.any():
        position = int(np.argmax(wrong))
        fault = (
            f"has length {norms[position]:.4g}, not 1"
            if np.isfinite(norms[position])
            else "has a value that is not finite"
        )
        raise _refusal(
            rows[position].id,
            f"the vector of field {field.name!r} {fault}",
            "Check the part that it was made from.",
        )


def _validate_metadata(
    item: str, metadata: Mapping[str, Any], types: Mapping[str, MetadataType]
) -> None:
    for name, value in metadata.items():
        kind = types.get(name)
        if kind is None:
            raise _refusal(
                item,
                f"the collection declares no metadata {name!r}",
                f"Declare it under the collection's metadata, or leave it out; declared: "
                f"{', '.join(types) or 'none'}.",
            )
        if kind in _LISTS:
            if not isinstance(value, list):
                raise _wrong_type(item, name, kind, value)
            if len(value) > MAX_LIST_LENGTH:
                raise _refusal(
                    item,
                    f"metadata {name!r} has {len(value)} values; at most {MAX_LIST_LENGTH} fit",
                    "Shorten the list.",
                )
            for element in value:
                _validate_scalar(item, name, kind, _LISTS[kind], element)
        else:
            _validate_scalar(item, name, kind, kind, value)


def _validate_scalar(item: str, name: str, declared: str, kind: str, value: Any) -> None:
    if not _CHECKS[kind](value):
        raise _wrong_type(item, name, declared, value)
    if isinstance(value, str):
        _validate_string(item, f"metadata {name!r}", value, MAX_TEXT_BYTES)
    elif isinstance(value, int) and abs(value) > _MAX_INTEGER:
        raise _refusal(item, f"metadata {name!r} does not fit 64 bits", "Store it as a string.")
    elif kind == "float" and not math.isfinite(value):
        raise _refusal(item, f"metadata {name!r} is not finite", "Leave a missing value out.")


def _validate_string(item: str, label: str, value: Any, limit: int) -> None:
    if not isinstance(value, str):
        raise _refusal(item, f"{label} is {value!r:.40}, not a string", "Give it as a string.")
    length = _encoded_length(value)
    if length < 0:
        raise _refusal(item, f"{label} is not valid Unicode", "Remove lone surrogates.")
    if length > limit:
        raise _refusal(
            item, f"{label} has {length:,} bytes; at most {limit:,} fit", "Shorten or split it."
        )


def _encoded_length(text: str) -> int:
    """Bytes of UTF-8, or -1 for text that cannot be encoded (a lone surrogate)."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return -1


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_LISTS: dict[str, str] = {"strings": "string", "ints": "int", "floats": "float"}
_CHECKS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "int": _is_integer,
    "float": lambda value: isinstance(value, float) or _is_integer(value),
    "bool": lambda value: isinstance(value, bool),
}


def _wrong_type(item: str, name: str, kind: str, value: Any) -> SchemaError:
    return _refusal(
        item,
        f"metadata {name!r} is {value!r:.40}, not {_ARTICLES[kind]}",
        "Convert it, or declare another type in the collection's metadata.",
    )


_ARTICLES = {
    "string": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "strings": "a list of strings",
    "ints": "a list of integers",
    "floats": "a list of numbers",
}


def _refusal(item: str, what: str, hint: str) -> SchemaError:
    return SchemaError(what, where=f"item {item!r:.80}", hint=hint)
