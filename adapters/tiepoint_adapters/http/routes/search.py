"""Searching a collection."""

from __future__ import annotations

import hashlib
from pathlib import Path
from time import perf_counter

from fastapi import APIRouter, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from tiepoint_adapters.http.access import Caller, Principal, requires
from tiepoint_adapters.http.given_parts import GivenFile
from tiepoint_adapters.http.schemas import SearchAnswer, SearchRequest
from tiepoint_adapters.http.service import Served, Service
from tiepoint_adapters.http.shown_parts import ShownParts

router = APIRouter(prefix="/v1", tags=["search"])


@router.post(
    "/search",
    dependencies=[requires("search")],
    summary="Find the best items",
    response_model=SearchAnswer,
)
async def search(question: SearchRequest, service: Served, caller: Caller) -> Response:
    """Search a collection by words, a vector, or items that are like what is wanted."""
    started = perf_counter()
    asked = question.question()
    if question.session is not None:
        asked["session"] = own_session(caller, question.session)
    if files := question.files():
        asked["parts"] = await run_in_threadpool(_read, service, files)
    hits = await service.searching.search(asked)
    took_ms = round((perf_counter() - started) * 1e3, 3)
    # Written at once: to check our own answer against its model would take longer than to search.
    shown = ShownParts(service.host, question.collection)
    content = to_json({"hits": [shown.hit(hit) for hit in hits], "took_ms": took_ms})
    return Response(content, media_type="application/json")


def _read(service: Service, files: dict[str, GivenFile]) -> dict[str, bytes | Path]:
    return {modality: service.parts.asked(file, modality) for modality, file in files.items()}


def own_session(caller: Principal, name: str) -> str:
    """Return the name of a caller's session: nobody reads, or goes on with, another's."""
    if caller.kind == "local":
        return name
    return f"{hashlib.sha256(caller.name.encode()).hexdigest()[:16]}.{name}"
