"""The server `http`: a host behind FastAPI, by itself or mounted in another application."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from tiepoint.config.service import ServeSection
from tiepoint.errors import ConfigError, TiepointError
from tiepoint.host import Host
from tiepoint.server import Asgi, Server
from tiepoint_adapters.http.app import build_app
from tiepoint_adapters.http.gate import Gate
from tiepoint_adapters.http.listening import Listener, bound_socket, is_loopback
from tiepoint_adapters.http.logs import log_as_json
from tiepoint_adapters.http.service import Service
from tiepoint_adapters.http.state import ServiceState, state_folder

log = logging.getLogger(__name__)


class HttpServer(Server):
    """Serves a host by HTTP.

    Args:
        host: What is served.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._gate: ASGIApp | None = None
        self._service: Service | None = None

    @property
    def asgi(self) -> Asgi:
        return self

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        url = self.host.deployment.server.database
        folder = state_folder(self.host.deployment)
        secret = url.get_secret_value() if url is not None else None
        state = await asyncio.to_thread(ServiceState, folder, secret)
        try:
            self._service = Service.of(self.host, state)
            self._gate = await asyncio.to_thread(self._built, self._service)
            self._service.start()
            try:
                yield
            finally:
                self._service.ending = True
                await asyncio.to_thread(self._service.close)
        finally:
            self._gate = self._service = None
            state.close()

    def reloaded(self) -> None:
        if self._service is not None:
            service = self._service.renewed()
            self._gate, self._service = self._built(service), service

    def serve(self) -> None:
        deployment = self.host.deployment
        section = deployment.server
        if deployment.auth is None and not is_loopback(section.address):
            raise ConfigError(
                f"{section.address} can be reached from other machines, and anyone could call it",
                where="server.address",
                hint="Add an `auth` section and make a key (`tiepoint keys create`), or listen"
                " at 127.0.0.1.",
            )
        if deployment.telemetry.log == "json":
            log_as_json()
        with bound_socket(section) as bound:
            listener = Listener(
                self,
                section,
                ending=self._end,
                reload=self._reload,
                ready=lambda: self._tell(bound.getsockname()),
            )
            factory = listener.config.get_loop_factory()
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(self._listen(listener, bound))

    async def _listen(self, listener: Listener, bound: socket.socket) -> None:
        async with self.host.lifespan():
            await listener.serve([bound])

    def _built(self, service: Service) -> ASGIApp:
        gate = Gate(build_app(service, self.host.plugins), service)
        return _shared(gate, service.section)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._gate is None:
            raise RuntimeError("pass `lifespan=host.lifespan` to the parent application")
        await self._gate(scope, receive, send)

    def _end(self) -> None:
        if self._service is not None:
            self._service.ending = True

    def _reload(self) -> None:
        try:
            self.host.reload()
        except TiepointError as error:
            log.error("the deployment was not reloaded: %s", error)
        else:
            log.warning("the deployment was reloaded")

    def _tell(self, place: tuple[str, int]) -> None:
        """Print one line: that requests are taken, where, and what there is."""
        section, host = self.host.deployment.server, self.host
        address = f"[{place[0]}]" if ":" in place[0] else place[0]
        scheme = "https" if section.tls is not None else "http"
        collections = ", ".join(
            f"{name} ({len(host.collection(name))})" for name in host.deployment.collections
        )
        plugins = ", ".join(host.plugins) or "none"
        url = f"{scheme}://{address}:{place[1]}{section.root_path}"
        click.echo(
            f"ready: {url}, process {os.getpid()}, collections {collections}, plugins {plugins}"
        )
        if section.tls is None and not is_loopback(section.address):
            log.warning("keys travel in the clear: set server.tls, or put a TLS proxy before it")


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
