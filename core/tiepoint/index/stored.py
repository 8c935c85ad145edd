"""What lies in a Milvus: collections with their cards, sequence numbers and tombstones."""

from __future__ import annotations

from collections.abc import Mapping

from tiepoint.errors import InputError
from tiepoint.index.base import CollectionSchema
from tiepoint.index.card import CARD, schema_of
from tiepoint.index.connection import Connection
from tiepoint.index.embedded import CollectionState
from tiepoint.index.sequences import last_sequence

COPY_OF = "tiepoint.copy_of"
"""The Milvus collection property that names what a collection is a copy of."""


def properties(connection: Connection, name: str) -> Mapping[str, str]:
    """Return the properties of a stored collection."""
    described = connection.call("describe_collection", name)
    return described.get("properties") or {}


def collections(connection: Connection) -> dict[str, CollectionSchema]:
    """Return the schemas of the collections that tiepoint made, by name.

    Raises:
        SchemaError: One was written by another version.
        StoreError: The store failed.
    """
    found = {}
    for name in sorted(connection.call("list_collections")):
        card = properties(connection, name).get(CARD)
        if card is not None:
            found[name] = schema_of(name, card, f"{connection.where}, {name!r}")
    return found


def read_state(connection: Connection, name: str, known: CollectionState) -> CollectionState:
    """Return a collection's last sequence number and its tombstones, as they are stored.

    Args:
        connection: Where it lies.
        name: The collection.
        known: A lower bound of the sequence number.
    """
    deleted = connection.call("query", name, "deleted == true", output_fields=["id", "seq"])
    tombstones = {entity["id"]: entity["seq"] for entity in deleted}
    return CollectionState(read_sequence(connection, name, known.sequence), tombstones)


def read_sequence(connection: Connection, name: str, known: int) -> int:
    """Return a collection's last sequence number, as it is stored.

    Args:
        connection: Where it lies.
        name: The collection.
        known: A lower bound.
    """

    def is_beyond(sequence: int) -> bool:
        beyond = f"seq > {sequence}"
        return bool(connection.call("query", name, beyond, output_fields=["seq"], limit=1))

    return last_sequence(is_beyond, known)


def refuse_other_content(
    stored: Mapping[str, str], copy_of: str | None, sequence: int, where: str
) -> None:
    """Check that a collection that is to take a copy is a copy of the same one, or empty.

    Args:
        stored: Its properties.
        copy_of: The identity of the original; None if no copy is to be made.
        sequence: Its last sequence number.
        where: Its name in errors.

    Raises:
        InputError: It holds something else.
    """
    if copy_of is not None and stored.get(COPY_OF) != copy_of and sequence:
        raise InputError(
            "the target has a collection of this name that is no copy of this one, or that was"
            " written to since",
            where=where,
            hint="Name another target; nothing was changed.",
        )
