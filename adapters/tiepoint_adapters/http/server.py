"""The server `http`: a host behind FastAPI, by itself or mounted in another application."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from tiepoint.errors import ConfigError
from tiepoint.host import Host
from tiepoint.server import Asgi, Server
from tiepoint_adapters.http.access import ANONYMOUS, LOCAL
from tiepoint_adapters.http.app import build_app
from tiepoint_adapters.http.service import Service


class HttpServer(Server):
    """Serves a host by HTTP.

    Args:
        host: What is served.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.section = host.deployment.server
        self.service = Service(host, self.section)
        self._app: FastAPI | None = None

    @property
    def asgi(self) -> Asgi:
        return self._answer

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._app = await asyncio.to_thread(build_app, self.service, self.host.plugins)
        async with self._app.router.lifespan_context(self._app):
            try:
                yield
            finally:
                self.service.ending = True

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            raise RuntimeError("pass `lifespan=host.lifespan` to the parent application")
        scope["tiepoint.principal"] = LOCAL if self.host.deployment.auth is None else ANONYMOUS
        await self._app(scope, receive, send)

    def serve(self) -> None:
        self._require_authentication()
        outer = Starlette(routes=[Mount("/", self._answer)], lifespan=self.host.lifespan)
        uvicorn.run(outer, host=self.section.address, port=self.section.port, log_level="warning")

    def _require_authentication(self) -> None:
        address = self.section.address
        if self.host.deployment.auth is None and not _is_loopback(address):
            raise ConfigError(
                f"{address} can be reached from other machines, and anyone could call it",
                where="server.address",
                hint="Add an `auth` section and make a key (`tiepoint keys create`), or listen"
                " at 127.0.0.1.",
            )


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
