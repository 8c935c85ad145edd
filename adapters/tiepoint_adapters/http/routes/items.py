"""The items of a collection."""

from __future__ import annotations

from fastapi import APIRouter

from tiepoint.types import Item
from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.problems import NotFoundError
from tiepoint_adapters.http.schemas import Added, ItemsBody, StoredItem
from tiepoint_adapters.http.service import HostOf

router = APIRouter(prefix="/v1/collections/{collection}/items", tags=["items"])


@router.post("", dependencies=[requires("items:write")], summary="Add items")
def add(collection: str, body: ItemsBody, host: HostOf) -> Added:
    """Store items, replacing those of a known id; they are durable when this answers."""
    items = [Item(id=one.id, parts=one.parts, metadata=one.metadata) for one in body.items]
    report = host.add(items, collection=collection)
    return Added(added=report.added, unchanged=report.unchanged, skipped=[])


@router.get("/{item:path}", dependencies=[requires("items:read")], summary="One item")
def get(collection: str, item: str, host: HostOf) -> StoredItem:
    """Return an item's metadata, and what is stored of its parts."""
    found = host.collection(collection).get([item]).get(item)
    if found is None:
        raise NotFoundError("there is no such item", where=item, hint="Check the id.")
    metadata, parts = found
    return StoredItem(id=item, metadata=dict(metadata), parts=dict(parts))


@router.delete("/{item:path}", dependencies=[requires("items:write")], summary="Delete an item")
def delete(collection: str, item: str, host: HostOf) -> dict[str, int]:
    """Delete an item; says whether there was one."""
    return {"deleted": host.delete([item], collection=collection)}
