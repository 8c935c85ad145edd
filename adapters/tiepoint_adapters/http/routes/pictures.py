"""Pictures of items, made small for pages, and the clips that items are cut from."""

from __future__ import annotations

import mimetypes
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import FileResponse

from tiepoint.encoders.images import Pixels
from tiepoint.errors import QueryError
from tiepoint.types import AUDIO, IMAGE, VIDEO
from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.problems import NotFoundError
from tiepoint_adapters.http.schemas import Id
from tiepoint_adapters.http.service import Served, Service
from tiepoint_adapters.http.thumbnails import FRESH, thumbnail

router = APIRouter(prefix="/v1/collections/{collection}", tags=["items"])

_PLAYED = ("video/", "audio/")


@router.get(
    "/picture",
    dependencies=[requires("items:read")],
    summary="A picture of an item",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}, 304: {"description": "Not modified."}},
)
def picture(
    collection: str,
    service: Served,
    item: Annotated[Id, Query(alias="id")],
    field: str | None = None,
    size: Annotated[int, Query(ge=16, le=2048)] = 320,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return an item's picture, or a frame from the middle of its video, as WebP.

    Args:
        collection: The collection.
        service: What is served.
        item: The item's id.
        field: Which field; its first with a picture or video if not given.
        size: The most pixels of the longer side.
        if_none_match: The `ETag` of what the caller has.
    """
    modality, part = _part(service, collection, item, field, (IMAGE, VIDEO))
    path = Path(part.partition("#")[0])
    if not path.is_file():
        raise NotFoundError("the file of the picture is gone", where=item, hint="Index it again.")
    read = partial(_frame, part) if modality == VIDEO else None
    return thumbnail(part, size, if_none_match, read)


@router.get(
    "/media",
    dependencies=[requires("items:read")],
    summary="The sound or video of an item",
    response_class=FileResponse,
    responses={200: {"content": {"video/*": {}, "audio/*": {}}}, 206: {"description": "A range."}},
)
def media(
    collection: str,
    service: Served,
    item: Annotated[Id, Query(alias="id")],
    field: str | None = None,
) -> FileResponse:
    """Return the file of an item's video or sound, whole or by ranges.

    Args:
        collection: The collection.
        service: What is served.
        item: The item's id.
        field: Which field; its first with a video or sound if not given.
    """
    _, part = _part(service, collection, item, field, (VIDEO, AUDIO))
    path = Path(part.partition("#")[0])
    kind = mimetypes.guess_type(path.name)[0] or ""
    if not path.is_file() or not kind.startswith(_PLAYED):
        raise NotFoundError("there is no file that can be played", where=item)
    return FileResponse(path, media_type=kind, headers={"Cache-Control": FRESH})


def _part(
    service: Service, collection: str, item: str, field: str | None, modalities: tuple[str, ...]
) -> tuple[str, str]:
    """Return the modality of one part of an item, and where its file lies."""
    host = service.host
    fields = host.collection_search(collection).layout.fields
    if field is not None and field not in fields:
        raise QueryError(f"there is no field {field!r}", where=collection, hint="Check its name.")
    found = host.collection(collection).get([item]).get(item)
    if found is None:
        raise NotFoundError("there is no such item", where=item, hint="Check the id.")
    for name in [field] if field is not None else fields:
        if fields[name].modality in modalities and found[1].get(name):
            return fields[name].modality, service.parts.located(found[1][name])
    raise NotFoundError(f"the item has no {' or '.join(modalities)}", where=item)


def _frame(part: str) -> Pixels:
    from dataclasses import replace

    from tiepoint.sequences.clips import Clip
    from tiepoint.sequences.decoding import read_frames

    clip = Clip.of(part)
    middle = (clip.start_s + clip.end_s) / 2 if clip.end_s is not None else clip.start_s
    return next(iter(read_frames(replace(clip, start_s=middle)))).pixels
