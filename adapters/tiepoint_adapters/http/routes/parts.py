"""Searching by pictures, sounds and videos that the caller sends along."""

from __future__ import annotations

from time import perf_counter
from typing import Annotated

from fastapi import APIRouter, Form, UploadFile
from pydantic import ValidationError

from tiepoint.errors import QueryError
from tiepoint.types import AUDIO, IMAGE, VIDEO
from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.schemas import Found, SearchAnswer, SearchRequest
from tiepoint_adapters.http.service import HostOf
from tiepoint_adapters.http.shown_parts import ShownParts

router = APIRouter(prefix="/v1/search", tags=["search"])


@router.post("/parts", dependencies=[requires("search")], summary="Find by a picture or a sound")
def search_by_parts(
    host: HostOf,
    question: Annotated[str, Form(description="JSON, as the body of `POST /v1/search`.")] = "{}",
    image: UploadFile | None = None,
    audio: UploadFile | None = None,
    video: UploadFile | None = None,
) -> SearchAnswer:
    """Search a collection by files of the caller, alone or beside what the question asks for.

    Args:
        host: What is served.
        question: The rest of the query: words, filters, `like` and `unlike`.
        image: A picture.
        audio: A sound.
        video: A video.
    """
    try:
        asked = SearchRequest.model_validate_json(question)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, ("question", *first["loc"])))
        raise QueryError(first["msg"], where=where, hint="Correct the value.") from error
    files = {IMAGE: image, AUDIO: audio, VIDEO: video}
    parts = {name: file.file.read() for name, file in files.items() if file is not None}
    started = perf_counter()
    hits = host.search(**asked.question(), parts=parts)
    took_ms = (perf_counter() - started) * 1e3
    shown = ShownParts(host, asked.collection)
    found = [Found.model_validate(shown.hit(hit)) for hit in hits]
    return SearchAnswer(hits=found, took_ms=round(took_ms, 3))
