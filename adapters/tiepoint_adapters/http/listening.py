"""Listening at an address: its socket, its certificate, and the signals that end it."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from tiepoint.config.service import ServeSection, TlsSection
from tiepoint.errors import ConfigError, InputError

_KEEP_ALIVE_S = 30
_LONGEST_MESSAGE = 1 << 20


def is_loopback(address: str) -> bool:
    """Tell whether an address can be reached from this machine alone."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def bound_socket(section: ServeSection) -> socket.socket:
    """Return a socket at the deployment's address, before anything is loaded.

    Raises:
        InputError: Another process listens there, or there is no such address.
    """
    address, port = section.address, section.port
    try:
        family, kind, *_, place = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(place)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        hint = "Stop what listens there, or give another `server.port`."
        if error.errno == errno.EACCES:
            hint = "Give a port above 1023, or the process the right to bind it."
        elif error.errno != errno.EADDRINUSE:
            hint = "Correct `server.address`."
        raise InputError(
            f"cannot listen there ({error.strerror or error})", where=f"{address}:{port}", hint=hint
        ) from error
    return bound


def certified(section: TlsSection) -> ssl.SSLContext:
    """Return the TLS settings of a certificate.

    Raises:
        ConfigError: The certificate or its key cannot be used.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for name, file in (("certificate", section.certificate), ("key", section.key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"the file cannot be read ({error.strerror})",
                where=f"server.tls.{name}: {file}",
                hint="Check the path and its permissions.",
            ) from error
    try:
        context.load_cert_chain(section.certificate, section.key, password=_no_password)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"the certificate and its key cannot be used together ({error})",
            where=f"server.tls: {section.certificate}",
            hint="Give a PEM certificate with its chain, and its own PEM key without a password.",
        ) from error
    return context


def _no_password() -> str:
    return ""  # an encrypted key then fails, and nobody is asked at a terminal


class Listener(uvicorn.Server):
    """Uvicorn, that says at once when it is asked to end, and takes SIGHUP for a reload.

    Args:
        app: What answers.
        section: How it is served.
        ending: Called when SIGINT or SIGTERM came, before requests under way are finished.
        reload: Called, in a thread, at SIGHUP.
        ready: Called when requests are taken.
    """

    def __init__(
        self,
        app: ASGIApp,
        section: ServeSection,
        *,
        ending: Callable[[], None],
        reload: Callable[[], None],
        ready: Callable[[], None],
    ) -> None:
        context = certified(section.tls) if section.tls is not None else None
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(section.proxies),
                forwarded_allow_ips=list(section.proxies),
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=round(section.drain_s),
                ws_max_size=_LONGEST_MESSAGE,
                root_path=section.root_path,
                ssl_context_factory=(lambda *_: context) if context is not None else None,
            )
        )
        self._ending = ending
        self._reload = reload
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals of a service; one that ends it is not raised again afterwards."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._reload_aside, loop)
        former = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            for number, handler in former.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._ending()
        super().handle_exit(sig, frame)

    def _reload_aside(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_in_executor(None, self._reload)
