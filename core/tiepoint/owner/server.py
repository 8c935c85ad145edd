"""The owner's side: answers calls of this user's other processes."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tiepoint.errors import InputError, StoreOwnedError, TiepointError
from tiepoint.owner.protocol import (
    ADDRESS_FILE,
    GREETING_TIMEOUT_S,
    MAX_GREETING_BYTES,
    MESSAGE_TIMEOUT_S,
    error_message,
    peer_user,
    proof,
    receive_message,
    send_message,
    write_address,
)
from tiepoint.owner.sockets import remove_socket, socket_path

logger = logging.getLogger(__name__)

_POLL_INTERVAL_S = 0.05

Handler = Callable[[dict[str, Any]], dict[str, Any]]


class OwnerServer:
    """Lets other processes of this user use a store that this process holds.

    It listens on a Unix socket in a folder of mode 0700. A caller must run as this user (or
    root), and must prove that it knows a random token, which lies in a file of mode 0600
    beside the store; the owner proves the same, so that a caller cannot be misled.

    Each call runs in a thread of its own; handlers must be safe for that. A handler that
    raises a `TiepointError` has it re-raised at the caller; any other error is logged here.

    Args:
        store: The store's folder; this process must hold it.
        handlers: What answers each method: parameters in, result out, both plain JSON data.
    """

    def __init__(self, store: Path | str, handlers: Mapping[str, Handler]) -> None:
        self._store = Path(store).expanduser().absolute()
        self._handlers = dict(handlers)
        self._server: _Server | None = None
        self._path: Path | None = None

    def start(self) -> None:
        """Listen, and say so beside the store.

        Raises:
            InputError: The folder for sockets is not usable.
            StoreError: The address cannot be written beside the store.
        """
        self._path = socket_path(self._store, "owner")
        token = secrets.token_hex(32)
        self._server = _Server(str(self._path), self._handlers, token)
        threading.Thread(
            target=self._server.serve_forever,
            args=(_POLL_INTERVAL_S,),
            name="tiepoint-owner",
            daemon=True,
        ).start()
        write_address(self._store, self._path, token)

    def close(self) -> None:
        """Stop listening, and wait for calls that are being answered."""
        if self._server is None or self._path is None:
            return
        (self._store / ADDRESS_FILE).unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        remove_socket(self._path)
        self._server = None


class _Server(socketserver.ThreadingUnixStreamServer):
    # A call in progress is waited for at closing: its work must not meet a closed store.
    daemon_threads = False
    block_on_close = True
    request_queue_size = 32

    def __init__(self, address: str, handlers: Mapping[str, Handler], token: str) -> None:
        self.handlers = handlers
        self.token = token
        super().__init__(address, _Call)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.exception("a call of another process failed")


class _Call(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        try:
            try:
                self._greet()
                answer = self._answer()
            except TiepointError as error:
                answer = error_message(error)
            try:
                send_message(self.request, answer)
            except InputError as error:
                send_message(self.request, error_message(error))
        except (EOFError, OSError) as error:
            logger.debug("a caller went away: %s", error)

    def _greet(self) -> None:
        if peer_user(self.request) not in (os.getuid(), 0, None):
            raise InputError("the store belongs to another user", hint="Run as that user.")
        self.request.settimeout(GREETING_TIMEOUT_S)
        challenge = secrets.token_hex(32)
        send_message(self.request, {"challenge": challenge})
        reply = receive_message(self.request, MAX_GREETING_BYTES)
        answer = str(reply.get("answer"))
        expected = proof(self.server.token, "caller", challenge, answer)
        if not hmac.compare_digest(expected.encode(), str(reply.get("proof")).encode()):
            raise StoreOwnedError(
                "the store's owner refused the token", hint="Try again; it may have restarted."
            )
        send_message(self.request, {"proof": proof(self.server.token, "owner", challenge, answer)})

    def _answer(self) -> dict[str, Any]:
        self.request.settimeout(MESSAGE_TIMEOUT_S)
        message = receive_message(self.request)
        method, params = message.get("method"), message.get("params")
        handler = self.server.handlers.get(str(method))
        if handler is None or not isinstance(params, dict):
            raise InputError(
                f"the store's owner knows no method {method!r}",
                hint=f"It answers: {', '.join(sorted(self.server.handlers))}.",
            )
        return {"result": handler(params)}
