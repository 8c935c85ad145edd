"""For who operates the service: its metrics, and its audit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.audit import AuditEntry
from tiepoint_adapters.http.service import Served

router = APIRouter(tags=["operation"])


class AuditPage(BaseModel):
    """Entries in their order, and where the next page begins."""

    entries: list[AuditEntry]
    next: int | None = Field(description="To be given as `after`; null at the end.")
    broken: int | None = Field(description="The first entry that was tampered with, if any.")


@router.get(
    "/metrics",
    dependencies=[requires("system:read")],
    summary="Metrics in Prometheus' text format",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
def metrics(service: Served) -> Response:
    """Return counts and times of requests, and the state of collections and jobs."""
    return Response(service.observer.text(), media_type="text/plain; version=0.0.4")


@router.get("/v1/audit", dependencies=[requires("audit:read")], summary="Who did what")
def audit(
    service: Served,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    verify: Annotated[bool, Query(description="Check all entries, not those of the page.")] = False,
) -> AuditPage:
    """Return who saw evidence and studies, signed in, and changed what."""
    found = service.audit.entries(after, limit)
    broken = service.audit.broken() if verify else None
    if not verify and found:
        broken = service.audit.broken(found[0].number - 1, len(found))
    return AuditPage(
        entries=found,
        next=found[-1].number if len(found) == limit else None,
        broken=broken,
    )
