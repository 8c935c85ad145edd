"""The store that is migrated: in this process, or in the one that holds it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol

from tiepoint.config.carried import deployment_text
from tiepoint.config.models import Deployment
from tiepoint.errors import InputError, StoreOwnedError
from tiepoint.index.base import CollectionSchema, Row
from tiepoint.index.card import schema_of
from tiepoint.index.embedded import is_store
from tiepoint.index.milvus import MilvusStore
from tiepoint.index.row_data import row_from
from tiepoint.owner import OwnerClient, OwnerGoneError

Numbered = tuple[int, Row | str]


class Origin(Protocol):
    """What a migration reads, and has switched at its end.

    Attributes:
        generation: The generation of the data that it serves.
        schemas: The stored collections.
    """

    generation: int
    schemas: dict[str, CollectionSchema]

    def count(self, name: str) -> int:
        """Return the number of items."""

    def rows(self, name: str, after: int, vectors: Collection[str], most: int) -> list[Numbered]:
        """Return the next (sequence, row), or (sequence, id) of a deletion, in order.

        Args:
            name: The collection.
            after: The last sequence number that is known.
            vectors: The vector fields whose values are needed; of others, only that there is
                one is sure.
            most: About how many.
        """

    def ids(self, name: str) -> set[str]:
        """Return the ids of all items."""

    def switch(self, deployment: Deployment, generation: int, seen: dict[str, int]) -> bool:
        """Serve a later generation from now on, unless there is something not yet seen."""

    def close(self) -> None:
        """Give it back."""


class LocalStore:
    """A store that this process takes for itself, and that nobody serves meanwhile.

    Args:
        folder: The store's folder.

    Raises:
        StoreOwnedError: Another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._store = MilvusStore(str(folder))
        self._store.open()
        self.generation = self._store.generation
        self.schemas = self._store.stored()

    def count(self, name: str) -> int:
        return self._store.count(name)

    def rows(self, name: str, after: int, vectors: Collection[str], most: int) -> list[Numbered]:
        batch = next(self._store.scan(name, after, most), [])
        return sorted(batch, key=lambda numbered: numbered[0])

    def ids(self, name: str) -> set[str]:
        return {item for batch in self._store.ids(name) for item in batch}

    def switch(self, deployment: Deployment, generation: int, seen: dict[str, int]) -> bool:
        with self._store.switched(generation):
            self._store.stored()
        self._store.remove_superseded()
        return True

    def close(self) -> None:
        self._store.close()


class OwnedStore:
    """A store that another process holds and serves; it goes on doing so.

    Args:
        folder: The store's folder.

    Raises:
        StoreOwnedError: That process takes no calls.
        OwnerGoneError: It has ended.
    """

    def __init__(self, folder: Path) -> None:
        self._client = OwnerClient(folder)
        stored = self._client.call("stored", {})
        self.generation = int(stored["generation"])
        self.schemas = {
            name: schema_of(name, kept["card"], f"{folder}, {name!r}")
            for name, kept in stored["collections"].items()
        }

    def count(self, name: str) -> int:
        return int(self._client.call("stored", {})["collections"][name]["items"])

    def rows(self, name: str, after: int, vectors: Collection[str], most: int) -> list[Numbered]:
        asked: dict[str, Any] = {"collection": name, "after": after, "most": most}
        asked["vectors"] = sorted(vectors)
        return [
            (int(sequence), data if isinstance(data, str) else row_from(data))
            for sequence, data in self._client.call("rows", asked)["rows"]
        ]

    def ids(self, name: str) -> set[str]:
        return set(self._client.call("stored_ids", {"collection": name})["ids"])

    def switch(self, deployment: Deployment, generation: int, seen: dict[str, int]) -> bool:
        asked = {
            "deployment": deployment_text(deployment),
            "generation": generation,
            "seen": seen,
        }
        return bool(self._client.call("switch", asked)["switched"])

    def close(self) -> None:
        """Do nothing: each call has a connection of its own."""


def open_origin(uri: str) -> Origin:
    """Open the store of a deployment for a migration.

    Raises:
        InputError: It is on a server, or there is none.
        StoreOwnedError: Another process holds it, and takes no calls.
    """
    if "://" in uri:
        raise InputError(
            "the data of a server are not migrated in place",
            where="store.uri",
            hint="Index into collections of another name, then name those.",
        )
    folder = Path(uri).expanduser().absolute()
    if not is_store(folder):
        raise InputError(
            "there is no store to migrate", where=str(folder), hint="Index without --migrate."
        )
    try:
        return LocalStore(folder)
    except StoreOwnedError as owned:
        try:
            return OwnedStore(folder)
        except OwnerGoneError:
            raise owned from None
