"""Indexing into a store that another process holds: encoded here, written there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from tiepoint.assembly import Assembly
from tiepoint.config.models import Deployment
from tiepoint.encoders.cache import EmbeddingCache
from tiepoint.engine import Encoding
from tiepoint.index.base import CollectionSchema, Row
from tiepoint.index.row_data import messages
from tiepoint.indexing import Indexer, Progress
from tiepoint.item_encoding import ItemEncoder
from tiepoint.owner.client import OwnerClient
from tiepoint.types import AddReport, Item, MetadataValue


class RemoteCollection:
    """A collection of the process that holds the store.

    Args:
        client: Reaches that process.
        schema: What is written; the owner refuses it unless it serves the same.
    """

    def __init__(self, client: OwnerClient, schema: CollectionSchema) -> None:
        from tiepoint.index.snapshot import schema_hash

        self._client = client
        self._named = {"collection": schema.name, "schema": schema_hash(schema)}
        self.schema = schema

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the digest of each of these items that exists."""
        found = self._client.call("digests", {**self._named, "ids": list(ids)})
        return dict(found["digests"])

    def write(self, rows: Sequence[Row]) -> None:
        """Write items, replacing those of the same id; durable and searchable on return."""
        for batch in messages(rows):
            self._client.call("write", {**self._named, "rows": batch})

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items; unknown ids are passed over. Gives how many there were."""
        named = {"collection": self.schema.name, "ids": list(ids)}
        return int(self._client.call("delete", named)["deleted"])

    def ids(self) -> list[str]:
        """Return the ids of all items."""
        return list(self._client.call("ids", self._named)["ids"])

    def get(
        self, ids: Sequence[str]
    ) -> dict[str, tuple[Mapping[str, MetadataValue], Mapping[str, str]]]:
        """Return (metadata, parts) of each of these items that exists."""
        found = self._client.call("get", {**self._named, "ids": list(ids)})["items"]
        return {item: (metadata, parts) for item, (metadata, parts) in found.items()}


class RemoteHost:
    """What fills the collections of a deployment whose store another process holds.

    Args:
        deployment: The deployment, of the same encoders and fields as that process serves.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._assembly = Assembly(deployment)
        self._client = OwnerClient(deployment.store.uri)
        self._cache = EmbeddingCache()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._assembly.engine.close()
        self._cache.close()

    def check(self) -> None:
        """Make sure that the process takes calls, and serves what is to be written.

        Raises:
            StoreOwnedError: It cannot be reached.
            FingerprintError: It serves the store with other encoders or fields.
        """
        for name in self.deployment.collections:
            self.collection(name).digests([])

    def collection(self, name: str) -> RemoteCollection:
        """Return a collection of the deployment."""
        return RemoteCollection(self._client, self._assembly.layouts[name].schema)

    def add(
        self,
        items: Iterable[Item],
        *,
        collection: str,
        strict: bool = True,
        progress: Progress | None = None,
    ) -> AddReport:
        """Encode items here and have them stored there; as `Host.add`."""
        encoder = ItemEncoder(self._assembly.layouts[collection], self._cache)
        encoding = Encoding(self.deployment, collection, encoder)
        indexer = Indexer(encoding, self._assembly.engine, self.collection(collection))
        return indexer.add(items, strict=strict, progress=progress)

    def delete(self, ids: Sequence[str], *, collection: str) -> int:
        """Delete items by id; returns how many there were."""
        return self.collection(collection).delete(ids)
