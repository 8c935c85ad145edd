"""What every request passes before a route, and every answer after it."""

from __future__ import annotations

import secrets
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiepoint.errors import TiepointError
from tiepoint_adapters.http.access import READING, NotAllowedError
from tiepoint_adapters.http.authentication import Known
from tiepoint_adapters.http.problems import answer
from tiepoint_adapters.http.service import Service
from tiepoint_adapters.http.signins import CSRF_HEADER

STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
    " media-src 'self' blob:; font-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
"""The content security policy: nothing of another origin, nothing inline."""

_ALWAYS = ("/health", "/ready")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """Stands before an application.

    It refuses other host names and origins, finds out who calls, applies the limits, and adds
    the headers that protect browsers.

    Args:
        app: What answers.
        service: What is served, and how.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        section = service.section
        self._app = app
        self._authenticator = service.authenticator
        self._limits = service.limits
        self._observer = service.observer
        self._tracing = service.tracing
        self._origins = frozenset(section.origins)
        self._names = ("localhost", "127.0.0.1", "::1", section.address, *section.names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, scope)
            await send(message)

        try:
            with self._tracing.request(scope) as told:
                await self._pass(scope, receive, sending)
                told(status)
        finally:
            if scope["type"] == "http":
                self._observer.answered(scope, status, time.perf_counter() - started)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = (scope.get("client") or ("local",))[0]
        scope["tiepoint.request"] = secrets.token_hex(8)
        try:
            headers = Headers(scope=scope)
            if _path(scope) in _ALWAYS:  # Kubernetes asks by the address of the pod
                await self._app(scope, receive, send)
                return
            self._require_own_name(headers)
            self._require_own_origin(scope, headers)
            self._limits.require_few_failures(address)
            known = await self._known(scope, address)
            scope["tiepoint.principal"] = known.principal
            scope["tiepoint.signin"] = known.signin
            _require_csrf(scope, headers, known)
            caller = known.principal.name if known.principal.kind != "anonymous" else address
            self._limits.rate.take(caller)
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._limits.bounded(self._app, scope, receive, send)
        except TiepointError as error:
            await _refuse(error, scope, receive, send)

    async def _known(self, scope: Scope, address: str) -> Known:
        try:
            return await self._authenticator.known(scope)
        except NotAllowedError:
            self._limits.count_failure(address)
            raise

    def _require_own_name(self, headers: Headers) -> None:
        """Refuse names of others that lead here (DNS rebinding)."""
        name = headers.get("host", "")
        name = name.rpartition("]")[0].lstrip("[") if name[:1] == "[" else name.partition(":")[0]
        for known in self._names:
            if known in ("*", name.lower()):
                return
            if known.startswith("*.") and name.lower().endswith(known[1:]):
                return
        raise NotAllowedError(
            "the service is not called so", known=True, hint="Add the name to `server.names`."
        )

    def _require_own_origin(self, scope: Scope, headers: Headers) -> None:
        """Refuse what web pages of other origins send."""
        if scope["type"] == "http" and scope["method"] in READING:
            return
        origin = headers.get("origin")
        if origin is None:
            if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
                return
        elif origin in self._origins or urlsplit(origin).netloc == headers.get("host"):
            return
        raise NotAllowedError(
            "web pages of other origins may not call this",
            known=True,
            hint="Add theirs to `server.origins`.",
        )


def _path(scope: Scope) -> str:
    """Return the path below where the application is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(root) else path


def _require_csrf(scope: Scope, headers: Headers, known: Known) -> None:
    """Refuse a change that a cookie allows, unless one of our pages sent it."""
    if known.signin is None or scope["type"] != "http" or scope["method"] in READING:
        return
    if _path(scope).startswith("/v1/") and not known.signin.allows(headers.get(CSRF_HEADER)):
        raise NotAllowedError(
            "the request does not come from one of our pages",
            known=True,
            hint="Send the sign-in's `csrf` as X-CSRF-Token.",
        )


def _add_headers(message: Message, scope: Scope) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("content-security-policy", STRICT_POLICY)
    headers.setdefault("cache-control", "no-store")
    if scope["scheme"] == "https":
        headers.setdefault("strict-transport-security", "max-age=31536000")
    if "tiepoint.request" in scope:
        headers["x-request-id"] = scope["tiepoint.request"]


async def _refuse(error: TiepointError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()  # the connection's beginning, which a refusal answers
        await send({"type": "websocket.close", "code": 1008, "reason": error.what[:100]})
        return
    await answer(error)(scope, receive, send)
