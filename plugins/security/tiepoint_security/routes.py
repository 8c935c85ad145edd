"""The routes of the service under `/v1/security`: cameras, alerts, evidence, live alerts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from tiepoint.errors import InputError
from tiepoint_adapters.http.access import Caller
from tiepoint_adapters.http.problems import NotFoundError
from tiepoint_security.alerts.severity import Severity
from tiepoint_security.records.archive import Question

if TYPE_CHECKING:
    from tiepoint_security.plugin import SecurityPlugin
    from tiepoint_security.service import SecurityService

T = TypeVar("T")

_POLL_S = 0.5
_BEAT_S = 15.0
_PRIVATE = "private, no-cache"


class Note(BaseModel):
    """What somebody says about an alert."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(default="", max_length=2000, description="In words.")


class Judgement(Note):
    """Whether an alert was right."""

    verdict: Literal["confirmed", "false_alarm"] = Field(description="What it was.")


class Overview(BaseModel):
    """What there is."""

    cameras: list[dict[str, Any]]
    footage: str | None = Field(description="The collection in which footage is found by words.")


def security_router(plugin: SecurityPlugin) -> APIRouter:
    """Return the routes of a plugin that runs.

    Args:
        plugin: The plugin.
    """
    router = APIRouter()

    def service() -> SecurityService:
        return plugin.service

    @router.get("/cameras", summary="The cameras, and where footage is found")
    def cameras() -> Overview:
        """Return each camera with its zones, lines, rules and health."""
        return Overview(cameras=service().cameras(), footage=plugin.footage_collection)

    @router.get(
        "/cameras/{camera}/picture",
        summary="The latest picture of a camera",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}},
    )
    def picture(camera: str) -> Response:
        """Return the latest analysed frame as JPEG, with privacy masks."""
        content = _found(lambda: service().picture(camera))
        return Response(content, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @router.get("/alerts", summary="Alerts, the newest first")
    def alerts(
        camera: str | None = None,
        rule: str | None = None,
        least: Severity | None = None,
        since: Annotated[float | None, Query(description="Seconds since 1970.")] = None,
        until: Annotated[float | None, Query(description="Seconds since 1970.")] = None,
        open: Annotated[bool, Query(description="Only those that nobody took.")] = False,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> list[dict[str, Any]]:
        """Return alerts with their reviews."""
        return service().alerts(Question(None, camera, rule, least, since, until, open, limit))

    @router.get(
        "/alerts/live",
        summary="Alerts as they happen (server-sent events)",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def live(request: Request) -> StreamingResponse:
        """Stream `{type: new|update|end, before, after}`, one event each."""
        return StreamingResponse(
            _events(service(), request),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    @router.get("/alerts/{alert}", summary="An alert")
    def alert(alert: str, caller: Caller) -> dict[str, Any]:
        """Return an alert with its reviews; that the caller saw it is noted."""
        return _found(lambda: service().alert(alert, caller.name))

    @router.post("/alerts/{alert}/acknowledge", summary="Take an alert")
    def acknowledge(alert: str, body: Note, caller: Caller) -> dict[str, bool]:
        """Take an alert, which ends its escalation; `first` is false where somebody had before."""
        first = _found(lambda: service().acknowledge(alert, caller.name, body.note))
        return {"first": first}

    @router.post("/alerts/{alert}/judge", summary="Say whether an alert was right")
    def judge(alert: str, body: Judgement, caller: Caller) -> dict[str, bool]:
        """Confirm an alert, or mark it as false; a false one becomes ordinary for its camera."""
        found = service()
        first = _found(lambda: found.judge(alert, caller.name, body.verdict, body.note))
        return {"first": first}

    @router.get("/alerts/{alert}/evidence", summary="What is kept of an alert")
    def evidence(alert: str) -> dict[str, dict[str, Any]]:
        """Return size and SHA-256 of each piece of evidence, by kind."""
        return service().evidence(alert)

    @router.get(
        "/alerts/{alert}/evidence/{kind}",
        summary="A piece of evidence",
        response_class=FileResponse,
        responses={200: {"content": {"image/jpeg": {}, "video/mp4": {}}}},
    )
    def evidence_file(alert: str, kind: str, caller: Caller) -> FileResponse:
        """Return a file of evidence, whole or by ranges; that the caller saw it is noted."""
        file = _found(lambda: service().evidence_file(alert, kind))
        service().alert(alert, caller.name)
        return FileResponse(file, headers={"Cache-Control": _PRIVATE})

    return router


def _found(ask: Callable[[], T]) -> T:
    """Return what is asked for; what is not there is a 404."""
    try:
        return ask()
    except InputError as error:
        if error.what.startswith("there is no"):
            raise NotFoundError(error.what, where=error.where, hint=error.hint) from error
        raise


async def _events(service: SecurityService, request: Request) -> AsyncIterator[str]:
    with service.listening() as listener:
        yield "retry: 2000\n\n"
        silent_s = 0.0
        while not await request.is_disconnected():
            body = listener.next(0.0001)
            if body is not None:
                silent_s = 0.0
                yield f"data: {json.dumps(body)}\n\n"
                continue
            silent_s += _POLL_S
            if silent_s >= _BEAT_S:
                silent_s = 0.0
                yield ": beat\n\n"
            await asyncio.sleep(_POLL_S)
