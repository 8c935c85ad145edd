"""Errors as answers: `application/problem+json` (RFC 9457), with what, where and what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from tiepoint.errors import (
    InputError,
    MissingDependencyError,
    StoreError,
    StoreOwnedError,
    TiepointError,
    UnknownCollectionError,
)
from tiepoint_adapters.http.access import NotAllowedError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class NotFoundError(InputError):
    """What a request names does not exist."""


class ConflictError(InputError):
    """What a request asks for contradicts what there is."""


class TooLargeError(InputError):
    """A request is larger than the service takes."""


class BusyError(TiepointError):
    """The service has taken on as much as it can; the caller may come again.

    Args:
        what: What there is too much of.
        retry_after_s: When to come again, in seconds.
    """

    def __init__(self, what: str, *, retry_after_s: float) -> None:
        super().__init__(what, hint=f"Come again in {max(1, round(retry_after_s))} s.")
        self.retry_after_s = retry_after_s


class SlowError(TiepointError):
    """An answer took longer than it may."""


_STATUS: tuple[tuple[type[TiepointError], HTTPStatus], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (UnknownCollectionError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (BusyError, HTTPStatus.TOO_MANY_REQUESTS),
    (SlowError, HTTPStatus.GATEWAY_TIMEOUT),
    (StoreOwnedError, HTTPStatus.SERVICE_UNAVAILABLE),
    (MissingDependencyError, HTTPStatus.NOT_IMPLEMENTED),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
    (InputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TiepointError, HTTPStatus.BAD_GATEWAY),
)


def status_of(error: TiepointError) -> HTTPStatus:
    """Return the status of an error's answer."""
    if isinstance(error, NotAllowedError):
        return HTTPStatus.FORBIDDEN if error.known else HTTPStatus.UNAUTHORIZED
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def problem(status: HTTPStatus, what: str, **members: Any) -> JSONResponse:
    """Return an answer that says what is wrong.

    Args:
        status: Its status.
        what: What is wrong, in a clause.
        members: Further members, such as `where` and `hint`; those that are None are left out.
    """
    content = {"type": "about:blank", "title": status.phrase, "status": status.value}
    content |= {"detail": what, **{name: v for name, v in members.items() if v is not None}}
    return JSONResponse(content, status.value, media_type=MEDIA_TYPE)


def answer(error: TiepointError) -> JSONResponse:
    """Return the answer to a request that met an error."""
    status = status_of(error)
    where = error.where
    if isinstance(error, StoreError | StoreOwnedError):  # where it is, is the operator's matter
        log.error("%s", error)
        where = None
    response = problem(status, error.what, where=where, hint=error.hint)
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="tiepoint"'
    return response


def add_handlers(app: FastAPI) -> None:
    """Have an application answer errors as problems."""

    @app.exception_handler(TiepointError)
    def ours(_: Request, error: TiepointError) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        found = [
            {"where": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()
        ]
        first = found[0] if found else {"where": "body", "what": "it cannot be read"}
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, first["what"], where=first["where"], problems=found
        )

    @app.exception_handler(HTTPException)
    def http(_: Request, error: HTTPException) -> JSONResponse:
        response = problem(HTTPStatus(error.status_code), str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "the service made a mistake",
            hint="Its log has more.",
        )
