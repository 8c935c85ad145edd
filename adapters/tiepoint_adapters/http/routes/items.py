"""The items of a collection."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from tiepoint.errors import InputError
from tiepoint.types import TEXT, Item
from tiepoint_adapters.http.access import Caller, requires
from tiepoint_adapters.http.problems import NotFoundError, TooLargeError
from tiepoint_adapters.http.repeats import IdempotencyKey
from tiepoint_adapters.http.schemas import (
    Added,
    Deleted,
    Id,
    ItemBody,
    ItemPage,
    ItemsBody,
    Skipping,
    StoredItem,
)
from tiepoint_adapters.http.service import HostOf, Served, Service, audited
from tiepoint_adapters.http.shown_parts import ShownParts

router = APIRouter(prefix="/v1/collections/{collection}/items", tags=["items"])


@router.post(
    "",
    dependencies=[requires("items:write"), audited("add items")],
    summary="Add items",
    response_model=Added,
)
def add(
    collection: str,
    body: ItemsBody,
    service: Served,
    caller: Caller,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Store items, replacing those of a known id; they are durable when this answers."""
    most = service.section.limits.items
    if len(body.items) > most:
        raise TooLargeError(
            f"{len(body.items):,} items are more than {most:,}", hint="Send fewer at a time."
        )

    def work() -> Added:
        items, unread = _read(service, collection, body)
        report = service.host.add(items, collection=collection, strict=not body.skip)
        skipped = [
            *unread,
            *(Skipping(where=one.where, reason=one.reason) for one in report.skipped),
        ]
        return Added(added=report.added, unchanged=report.unchanged, skipped=skipped)

    return service.repeats.once(caller, idempotency_key, body, work)


@router.get("", dependencies=[requires("items:read")], summary="Items, page by page")
def listing(
    collection: str,
    service: Served,
    after: Annotated[Id | None, Query(description="The last id of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    where: Annotated[str | None, Query(max_length=10_000, description="A filter.")] = None,
) -> ItemPage:
    """Return items in the order of their ids."""
    shown = ShownParts(service.host, collection)
    found = service.listing.page(service.host, collection, after, limit, where)
    return ItemPage(
        items=[
            StoredItem(id=id_, metadata=dict(metadata), parts=shown.of(id_, parts))
            for id_, (metadata, parts) in found.items()
        ],
        next=next(reversed(found)) if len(found) == limit else None,
    )


@router.get("/{item:path}", dependencies=[requires("items:read")], summary="One item")
def get(collection: str, item: str, host: HostOf) -> StoredItem:
    """Return an item's metadata, and what is stored of its parts."""
    found = host.collection(collection).get([item]).get(item)
    if found is None:
        raise NotFoundError("there is no such item", where=item[:200], hint="Check the id.")
    metadata, parts = found
    shown = ShownParts(host, collection)
    return StoredItem(id=item, metadata=dict(metadata), parts=shown.of(item, parts))


@router.delete(
    "/{item:path}",
    dependencies=[requires("items:write"), audited("delete item")],
    summary="Delete an item",
)
def delete(collection: str, item: str, host: HostOf) -> Deleted:
    """Delete an item; says whether there was one."""
    return Deleted(deleted=host.delete([item], collection=collection))


def _read(service: Service, collection: str, body: ItemsBody) -> tuple[list[Item], list[Skipping]]:
    items, unread = [], []
    for given in body.items:
        try:
            items.append(_item(service, collection, given))
        except InputError as error:
            if not body.skip:
                raise
            unread.append(Skipping(where=given.id, reason=error.what))
    return items, unread


def _item(service: Service, collection: str, given: ItemBody) -> Item:
    fields = service.host.collection_search(collection).layout.fields
    parts = {
        name: service.parts.stored(
            part, fields[name].modality if name in fields else TEXT, f"{given.id}.parts.{name}"
        )
        for name, part in given.parts.items()
    }
    return Item(id=given.id, parts=parts, metadata=given.metadata)
