"""The server `http`: a host behind FastAPI, by itself or mounted in another application."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from tiepoint.config.service import ServeSection
from tiepoint.errors import ConfigError
from tiepoint.host import Host
from tiepoint.server import Asgi, Server
from tiepoint_adapters.http.app import build_app
from tiepoint_adapters.http.gate import Gate
from tiepoint_adapters.http.observing import Observer
from tiepoint_adapters.http.service import Service
from tiepoint_adapters.http.state import ServiceState, state_folder


class HttpServer(Server):
    """Serves a host by HTTP.

    Args:
        host: What is served.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._gate: ASGIApp | None = None
        self._state: ServiceState | None = None

    @property
    def asgi(self) -> Asgi:
        return self._answer

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._state = await asyncio.to_thread(ServiceState, state_folder(self.host.deployment))
        try:
            service = Service.of(self.host, self._state, Observer())
            app = await asyncio.to_thread(build_app, service, self.host.plugins)
            self._gate = _shared(Gate(app, service), service.section)
            async with app.router.lifespan_context(app):
                try:
                    yield
                finally:
                    service.ending = True
        finally:
            self._gate = None
            self._state.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._gate is None:
            raise RuntimeError("pass `lifespan=host.lifespan` to the parent application")
        await self._gate(scope, receive, send)

    def serve(self) -> None:
        section = self.host.deployment.server
        self._require_authentication()
        outer = Starlette(routes=[Mount("/", self._answer)], lifespan=self.host.lifespan)
        uvicorn.run(outer, host=section.address, port=section.port, log_level="warning")

    def _require_authentication(self) -> None:
        address = self.host.deployment.server.address
        if self.host.deployment.auth is None and not _is_loopback(address):
            raise ConfigError(
                f"{address} can be reached from other machines, and anyone could call it",
                where="server.address",
                hint="Add an `auth` section and make a key (`tiepoint keys create`), or listen"
                " at 127.0.0.1.",
            )


def _shared(app: ASGIApp, section: ServeSection) -> ASGIApp:
    """Let pages of the origins that are named read answers; those of others never can."""
    if not section.origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=section.origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["authorization", "content-type", "idempotency-key", "x-api-key"],
        expose_headers=["etag", "retry-after", "x-request-id"],
    )


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
