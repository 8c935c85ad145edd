"""Searching a collection."""

from __future__ import annotations

from time import perf_counter

from fastapi import APIRouter

from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.schemas import Found, SearchAnswer, SearchRequest
from tiepoint_adapters.http.service import HostOf

router = APIRouter(prefix="/v1", tags=["search"])


@router.post("/search", dependencies=[requires("search")], summary="Find the best items")
def search(question: SearchRequest, host: HostOf) -> SearchAnswer:
    """Search a collection by words, a vector, or items that are like what is wanted."""
    started = perf_counter()
    hits = host.search(**question.question())
    took_ms = (perf_counter() - started) * 1e3
    return SearchAnswer(hits=[Found.of(hit) for hit in hits], took_ms=round(took_ms, 3))
