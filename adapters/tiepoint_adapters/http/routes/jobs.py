"""Long work, its progress, and its end."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from tiepoint_adapters.http.access import Caller, requires
from tiepoint_adapters.http.jobs import Job
from tiepoint_adapters.http.repeats import IdempotencyKey
from tiepoint_adapters.http.schemas import Body, JobAnswer
from tiepoint_adapters.http.service import Served, audited

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


class JobBody(Body):
    """A job to start."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "index", "parameters": {"sources": ["pictures"]}}]
        },
    )

    kind: str = Field(max_length=100, description="`index`, or `<plugin>:<job>`.")
    parameters: dict[str, Any] = Field(default={}, max_length=100)


class KindAnswer(BaseModel):
    """A kind of job."""

    kind: str
    about: str


@router.post(
    "",
    status_code=202,
    dependencies=[requires("jobs:write"), audited("start job")],
    summary="Start a job",
    response_model=JobAnswer,
)
def start(
    body: JobBody, service: Served, caller: Caller, idempotency_key: IdempotencyKey = None
) -> Response:
    """Accept long work: it is done though the service be killed meanwhile, one after the other."""
    plugin, colon, _ = body.kind.partition(":")
    if colon and plugin in service.host.plugins:
        caller.require(f"{plugin}:write")

    def work() -> JobAnswer:
        return _answer(service.jobs.add(body.kind, body.parameters, caller.name))

    return service.repeats.once(caller, idempotency_key, body, work, 202)


@router.get("", dependencies=[requires("jobs:read")], summary="The latest jobs")
def listing(service: Served, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[JobAnswer]:
    """Return jobs, newest first."""
    return [_answer(job) for job in service.jobs.latest(limit)]


@router.get("/kinds", dependencies=[requires("jobs:read")], summary="Which jobs there are")
def kinds(service: Served) -> list[KindAnswer]:
    """Return the kinds of jobs."""
    return [KindAnswer(kind=name, about=kind.about) for name, kind in service.jobs.kinds().items()]


@router.get("/{job}", dependencies=[requires("jobs:read")], summary="A job")
def get(job: str, service: Served) -> JobAnswer:
    """Return a job with its progress."""
    return _answer(service.jobs.get(job))


@router.delete(
    "/{job}",
    status_code=202,
    dependencies=[requires("jobs:write"), audited("cancel job")],
    summary="Cancel a job",
)
def cancel(job: str, service: Served) -> JobAnswer:
    """Have a job end at its next step; what it has written is kept."""
    return _answer(service.jobs.cancel(job))


def _answer(job: Job) -> JobAnswer:
    return JobAnswer(**asdict(job))
