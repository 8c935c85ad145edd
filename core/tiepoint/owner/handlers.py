"""What the process that holds a store does for others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tiepoint.config.models import Deployment
from tiepoint.errors import FingerprintError
from tiepoint.index.card import card_of
from tiepoint.index.row_data import fitting, row_data, row_from
from tiepoint.owner.server import OwnerServer

if TYPE_CHECKING:
    from tiepoint.host import Host
    from tiepoint.index.collection import Collection

MOST_ROWS = 2048
"""Most rows that are read at once for another process."""


MigrateTo = Callable[[Deployment, int, Mapping[str, int]], bool]
"""Lets a host answer from migrated data; see `Lifecycle.migrate_to`."""


def owner_server(host: Host, migrate_to: MigrateTo) -> OwnerServer:
    """Return a server for an open host on an embedded store, not started yet.

    `search` takes the keyword arguments of `Host.search`, with the collection and the hash of
    the schema that the caller's deployment gives it (`schema`), and gives `{"hits": [..]}`,
    `delete` takes `ids` and `collection` and gives `{"deleted": n}`, `health` takes nothing, nor
    does `reload`, which gives the names of collections and plugins; `copy_store` takes `folder`.
    The other methods serve `tiepoint index` in another process: see `RemoteHost` and
    `OwnedStore`.

    Args:
        host: What answers.
        migrate_to: What makes it answer from migrated data.
    """

    def search(params: dict[str, Any]) -> dict[str, Any]:
        question = dict(params)
        _same(host, question["collection"], question.pop("schema"))
        return {"hits": [hit.as_dict() for hit in host.search(**question)]}

    def delete(params: dict[str, Any]) -> dict[str, Any]:
        return {"deleted": host.delete(params["ids"], collection=params.get("collection"))}

    def health(_: dict[str, Any]) -> dict[str, Any]:
        return host.health()

    def reload(_: dict[str, Any]) -> dict[str, Any]:
        host.reload()
        return {"collections": list(host.deployment.collections), "plugins": list(host.plugins)}

    def copy_store(params: dict[str, Any]) -> dict[str, Any]:
        return {"collections": [one.as_dict() for one in host.copy_store(params["folder"])]}

    handlers = {"search": search, "delete": delete, "health": health}
    handlers |= {"reload": reload, "copy_store": copy_store}
    handlers |= _indexing_handlers(host) | _migration_handlers(host, migrate_to)
    return OwnerServer(host.deployment.store.uri, handlers)


def _same(host: Host, name: str, schema: str) -> Collection:
    """Return a collection that caller and owner mean alike.

    Raises:
        FingerprintError: The caller's deployment gives it other encoders or fields.
    """
    from tiepoint.index.snapshot import schema_hash

    found = host.collection(name)
    if schema_hash(found.schema) != schema:
        raise FingerprintError(
            "the process that holds the store serves it with other encoders or fields",
            where=f"collection {name!r}",
            hint="Use that process's deployment file, or run `tiepoint index CONFIG --migrate`.",
        )
    return found


def _indexing_handlers(host: Host) -> dict[str, Any]:
    """What `tiepoint index` asks of a collection; it does the encoding itself."""

    def collection(params: dict[str, Any]) -> Collection:
        return _same(host, params["collection"], params["schema"])

    def digests(params: dict[str, Any]) -> dict[str, Any]:
        return {"digests": collection(params).digests(params["ids"])}

    def write(params: dict[str, Any]) -> dict[str, Any]:
        rows = [row_from(data) for data in params["rows"]]
        with host.writing():
            collection(params).write(rows)
        return {"written": len(rows)}

    def ids(params: dict[str, Any]) -> dict[str, Any]:
        return {"ids": host.collection(params["collection"]).ids()}

    def get(params: dict[str, Any]) -> dict[str, Any]:
        return {"items": host.collection(params["collection"]).get(params["ids"])}

    return {"digests": digests, "write": write, "ids": ids, "get": get}


def _migration_handlers(host: Host, migrate_to: MigrateTo) -> dict[str, Any]:
    """What `tiepoint index --migrate` asks of the store that is to be migrated."""

    def stored(_: dict[str, Any]) -> dict[str, Any]:
        store = host.store
        schemas = store.stored()
        return {
            "generation": store.generation,
            "collections": {
                name: {
                    "card": card_of(schema, host.store.identity(name)),
                    "items": store.count(name),
                }
                for name, schema in schemas.items()
            },
        }

    def rows(params: dict[str, Any]) -> dict[str, Any]:
        most = max(1, min(int(params["most"]), MOST_ROWS))
        batch = next(host.store.scan(params["collection"], params["after"], most), [])
        wanted = params["vectors"]
        ordered = sorted(batch, key=lambda numbered: numbered[0])
        return {
            "rows": fitting(
                (sequence, row if isinstance(row, str) else row_data(row, wanted))
                for sequence, row in ordered
            )
        }

    def stored_ids(params: dict[str, Any]) -> dict[str, Any]:
        return {"ids": [item for batch in host.store.ids(params["collection"]) for item in batch]}

    def switch(params: dict[str, Any]) -> dict[str, Any]:
        from tiepoint.config.carried import deployment_from

        deployment = deployment_from(params["deployment"])
        return {"switched": migrate_to(deployment, params["generation"], params["seen"])}

    return {"stored": stored, "rows": rows, "stored_ids": stored_ids, "switch": switch}
