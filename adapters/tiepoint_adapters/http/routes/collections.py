"""Which collections there are, what they hold, and by what they can be asked."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from tiepoint.types import Modality
from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.service import HostOf

router = APIRouter(prefix="/v1/collections", tags=["collections"])


class FieldAnswer(BaseModel):
    """A field: a part of the collection's items."""

    name: str
    modality: Modality
    encoder: str | None
    fingerprint: str | None
    dimensions: int | None
    words: bool
    joint: bool


class CollectionAnswer(BaseModel):
    """A collection."""

    name: str
    items: int
    fields: list[FieldAnswer]
    metadata: dict[str, str]
    queries: list[Modality]
    routes: list[str]


@router.get("", dependencies=[requires("search")], summary="The collections")
def collections(host: HostOf) -> list[CollectionAnswer]:
    """Return the collections: how many items, which fields, and what can be asked of them."""
    return [_collection(host, name) for name in host.deployment.collections]


@router.get("/{collection}", dependencies=[requires("search")], summary="A collection")
def collection(collection: str, host: HostOf) -> CollectionAnswer:
    """Return one collection."""
    return _collection(host, collection)


def _collection(host: HostOf, name: str) -> CollectionAnswer:
    layout = host.collection_search(name).layout
    section = host.deployment.collections[layout.schema.name]
    stored = {vector.name: vector for vector in layout.schema.vectors}
    fields = [
        FieldAnswer(
            name=field.name,
            modality=field.modality,
            encoder=section.fields[field.name].encoder,
            fingerprint=stored[field.name].fingerprint if field.name in stored else None,
            dimensions=stored[field.name].dim if field.name in stored else None,
            words=field.words is not None,
            joint=field.space is not None,
        )
        for field in layout.fields.values()
    ]
    return CollectionAnswer(
        name=layout.schema.name,
        items=len(host.collection(name)),
        fields=fields,
        metadata=dict(layout.schema.metadata),
        queries=[modality for modality, routes in layout.routes.items() if routes],
        routes=layout.route_names(),
    )
