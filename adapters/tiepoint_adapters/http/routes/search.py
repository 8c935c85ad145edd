"""Searching a collection."""

from __future__ import annotations

from time import perf_counter

from fastapi import APIRouter, Response
from pydantic_core import to_json

from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.schemas import SearchAnswer, SearchRequest
from tiepoint_adapters.http.service import Served

router = APIRouter(prefix="/v1", tags=["search"])


@router.post(
    "/search",
    dependencies=[requires("search")],
    summary="Find the best items",
    response_model=SearchAnswer,
)
async def search(question: SearchRequest, service: Served) -> Response:
    """Search a collection by words, a vector, or items that are like what is wanted."""
    started = perf_counter()
    hits = await service.searching.search(question.question())
    took_ms = round((perf_counter() - started) * 1e3, 3)
    # Written at once: to check our own answer against its model would take longer than to search.
    content = to_json({"hits": [hit.as_dict() for hit in hits], "took_ms": took_ms})
    return Response(content, media_type="application/json")
