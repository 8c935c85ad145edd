"""The card of a stored collection: what its rows are, and what made their vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tiepoint.errors import FingerprintError, SchemaError
from tiepoint.index.base import SCHEMA_VERSION, CollectionSchema, TextAnalysis, VectorField

CARD = "tiepoint.card"
"""The Milvus collection property that holds the card."""


def card_of(schema: CollectionSchema, identity: str) -> str:
    """Return the card of a new collection: what its rows are, as JSON.

    Args:
        schema: The collection.
        identity: Names this very collection, so that what is derived from another one of the
            same schema is not taken for its own.
    """
    return json.dumps(
        {
            "identity": identity,
            "schema_version": SCHEMA_VERSION,
            "vectors": [[f.name, f.dim, f.fingerprint, f.metric] for f in schema.vectors],
            "texts": {name: asdict(analysis) for name, analysis in schema.texts.items()},
            "metadata": dict(schema.metadata),
        }
    )


def check_card(stored: str | None, schema: CollectionSchema, where: str) -> str:
    """Compare a stored card with a schema; gives the collection's identity.

    Args:
        stored: The card that lies with the data, None if there is none.
        schema: What is configured.
        where: The store and collection, as named in errors.

    Raises:
        FingerprintError: A vector field was made by something else.
        SchemaError: Not a collection of ours, of another version, or with other fields.
    """
    if stored is None:
        raise SchemaError(
            "this Milvus collection was not made by tiepoint",
            where=where,
            hint="Give the collection another name.",
        )
    card = _read(stored, where)
    vectors = {name: VectorField(name, *kept) for name, *kept in card["vectors"]}
    _check_fingerprints(vectors, schema, where)
    configured: dict[str, Mapping[str, Any]] = {
        "vector fields": {field.name: _shape(field) for field in schema.vectors},
        "word-indexed fields": {
            name: _languages(analysis) for name, analysis in schema.texts.items()
        },
        "metadata": schema.metadata,
    }
    kept: dict[str, Mapping[str, Any]] = {
        "vector fields": {name: _shape(field) for name, field in vectors.items()},
        "word-indexed fields": {
            name: _languages(_analysis(field)) for name, field in card["texts"].items()
        },
        "metadata": card["metadata"],
    }
    for kind, fields in configured.items():
        if dict(fields) != dict(kept[kind]):
            raise SchemaError(
                f"the stored {kind} ({_listing(kept[kind])}) are not the configured ones "
                f"({_listing(fields)})",
                where=where,
                hint="Configure the stored ones, or index into a new store.",
            )
    return str(card["identity"])


def schema_of(name: str, stored: str, where: str) -> CollectionSchema:
    """Return the schema that a card describes.

    Args:
        name: The collection.
        stored: Its card.
        where: The store and collection, as named in errors.

    Raises:
        SchemaError: The rows have another version, or the card cannot be read.
    """
    card = _read(stored, where)
    vectors = tuple(VectorField(*kept) for kept in card["vectors"])
    texts = {field: _analysis(kept) for field, kept in card["texts"].items()}
    return CollectionSchema(name, vectors, texts, card["metadata"])


def _read(stored: str, where: str) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(stored)
        version = card["schema_version"]
    except (ValueError, TypeError, KeyError) as error:
        raise SchemaError(
            "the collection's card cannot be read",
            where=where,
            hint="Give the collection another name, or restore it from a backup.",
        ) from error
    if version != SCHEMA_VERSION:
        raise SchemaError(
            f"the stored rows have version {version}, not {SCHEMA_VERSION}",
            where=where,
            hint="Use the release that wrote them, or index into a new store.",
        )
    return card


def _shape(field: VectorField) -> str:
    return str(field.dim) if field.metric == "cosine" else f"{field.dim} {field.metric}"


def _analysis(kept: Mapping[str, Any]) -> TextAnalysis:
    return TextAnalysis(tuple(kept["languages"]), tuple(kept["stop_words"]))


def _languages(analysis: TextAnalysis) -> str:
    named = "+".join(analysis.languages) or "any language"
    return f"{named} without {list(analysis.stop_words)}" if analysis.stop_words else named


def _check_fingerprints(
    stored: Mapping[str, VectorField], schema: CollectionSchema, where: str
) -> None:
    for field in schema.vectors:
        kept = stored.get(field.name)
        if kept is not None and kept.fingerprint != field.fingerprint:
            raise FingerprintError(
                f"the stored vectors of field {field.name!r} were made by {kept.fingerprint}, "
                f"the configuration names {field.fingerprint}",
                where=where,
                hint="Configure the former again, or run `tiepoint index CONFIG --migrate`.",
            )


def _listing(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {kind}" for name, kind in fields.items()) or "none"
