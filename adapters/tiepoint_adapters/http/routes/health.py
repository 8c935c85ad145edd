"""Whether the service lives, whether it is ready, and how its parts are."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from tiepoint_adapters.http.access import requires
from tiepoint_adapters.http.service import Served

router = APIRouter(tags=["health"])


class State(BaseModel):
    """Whether to send requests here."""

    status: Literal["ok", "ending", "unreachable"]


@router.get("/health", summary="Is the process alive?")
async def health() -> State:
    """Answer as long as the process can."""
    return State(status="ok")


@router.get("/ready", summary="May requests be sent here?", responses={503: {"model": State}})
async def ready(service: Served, response: Response) -> State:
    """Answer 503 while the store cannot be reached, and once the service is about to end."""
    state = State(status="ok")
    if service.ending:
        state.status = "ending"
    # In a thread of its own: those of the routes may all wait for the store.
    elif not await asyncio.to_thread(service.host.reachable):
        state.status = "unreachable"
    if state.status != "ok":
        response.status_code = 503
    return state


@router.get("/v1/health", summary="How are its parts?", dependencies=[requires("system:read")])
def parts(service: Served) -> dict[str, Any]:
    """Return the state of the store, the collections, the encoders, the plugins and the service."""
    problem = service.presence.problem
    state = {"status": "ok" if problem is None else "degraded", "problem": problem}
    return service.host.health() | {"service": state}
