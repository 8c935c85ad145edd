"""What the process that holds a store does for others: search, delete, tell its health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiepoint.owner.server import OwnerServer

if TYPE_CHECKING:
    from tiepoint.host import Host


def owner_server(host: Host) -> OwnerServer:
    """Return a server for an open host on an embedded store, not started yet.

    Methods: `search` takes the keyword arguments of `Host.search` and gives `{"hits": [..]}`,
    `delete` takes `ids` and `collection` and gives `{"deleted": n}`, `health` takes nothing.
    """

    def search(params: dict[str, Any]) -> dict[str, Any]:
        return {"hits": [hit.as_dict() for hit in host.search(**params)]}

    def delete(params: dict[str, Any]) -> dict[str, Any]:
        return {"deleted": host.delete(params["ids"], collection=params.get("collection"))}

    def health(_: dict[str, Any]) -> dict[str, Any]:
        return host.health()

    handlers = {"search": search, "delete": delete, "health": health}
    return OwnerServer(host.deployment.store.uri, handlers)
