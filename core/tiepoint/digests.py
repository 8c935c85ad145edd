"""What says that an item need not be written again: its content, and what made its vectors.

A row's digest is `stamp-content`: the stamp of the collection's vector fields and the hash of
the item's parts and metadata. A migration changes the stamp and keeps the content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tiepoint.index.base import CollectionSchema

_SEPARATOR = "-"


def stamp_of(schema: CollectionSchema) -> str:
    """Return the stamp of a collection: which vector fields it has, and what makes them."""
    fields = sorted(f"{field.name}:{field.fingerprint}" for field in schema.vectors)
    return hashlib.sha256("|".join(fields).encode()).hexdigest()[:16]


def content_of(
    parts: Mapping[str, str], metadata: Mapping[str, Any], schema: CollectionSchema
) -> str:
    """Return the hash of an item's content.

    Args:
        parts: The digest of each part's content, by field.
        metadata: The item's metadata; a whole number of a `float` field counts as that float,
            since this is what is stored.
        schema: The collection, for the types of the metadata.
    """
    stored = {name: _as_stored(metadata[name], schema.metadata.get(name)) for name in metadata}
    text = json.dumps([dict(parts), stored], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def row_digest(stamp: str, content: str) -> str:
    """Return the digest of a row.

    Args:
        stamp: Of its collection.
        content: Of its item; empty if not known, so that the item is written again.
    """
    return f"{stamp}{_SEPARATOR}{content}" if content else ""


def content_part(digest: str) -> str:
    """Return the content of a row's digest; empty if it says nothing of it."""
    return digest.partition(_SEPARATOR)[2]


def _as_stored(value: Any, kind: str | None) -> Any:
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**1000 else value
    if kind == "floats" and isinstance(value, list):
        return [_as_stored(element, "float") for element in value]
    return value
