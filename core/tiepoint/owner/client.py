"""The caller's side: one call to the process that holds a store."""

from __future__ import annotations

import hmac
import secrets
import socket
from pathlib import Path
from typing import Any

from tiepoint.errors import StoreError, StoreOwnedError
from tiepoint.index.ownership import current_owner
from tiepoint.owner.protocol import (
    GREETING_TIMEOUT_S,
    MAX_GREETING_BYTES,
    error_from,
    peer_user,
    proof,
    read_address,
    receive_message,
    send_message,
)


class OwnerGoneError(StoreError):
    """No process holds the store, or the one that did ended before it answered."""


class OwnerClient:
    """Calls the process that holds a store.

    Args:
        store: The store's folder.
        timeout_s: How long an answer may take, in seconds.
    """

    def __init__(self, store: Path | str, timeout_s: float = 600.0) -> None:
        self._store = Path(store).expanduser().absolute()
        self._timeout_s = timeout_s

    def call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Have the owner do something.

        Args:
            method: Which of the owner's handlers.
            params: Its parameters, plain JSON data.

        Returns:
            What the handler returned.

        Raises:
            StoreOwnedError: A process holds the store, and cannot be reached.
            OwnerGoneError: No process holds the store, or the owner ended before it answered.
            TiepointError: Whatever the handler raised, as its own class.
        """
        address = read_address(self._store)
        if address is None:
            raise self._unreachable()
        path, token, user = address
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(GREETING_TIMEOUT_S)
            try:
                connection.connect(path)
            except OSError:
                raise self._unreachable() from None
            if peer_user(connection) not in (user, None):
                raise StoreOwnedError(
                    "another user's process listens at the owner's address",
                    where=str(self._store),
                    hint="Remove the file owner.json beside the store and start its owner again.",
                )
            try:
                self._greet(connection, token)
                connection.settimeout(self._timeout_s)
                send_message(connection, {"method": method, "params": params})
                reply = receive_message(connection)
            except (EOFError, OSError) as error:
                raise OwnerGoneError(
                    "the process that holds the store did not answer",
                    where=str(self._store),
                    hint="Look at its log.",
                ) from error
        if "error" in reply:
            raise error_from(reply["error"])
        return dict(reply["result"])

    def _greet(self, connection: socket.socket, token: str) -> None:
        challenge = self._receive_greeting(connection, "challenge")
        answer = secrets.token_hex(32)
        send_message(
            connection, {"answer": answer, "proof": proof(token, "caller", challenge, answer)}
        )
        shown = self._receive_greeting(connection, "proof")
        if not hmac.compare_digest(shown, proof(token, "owner", challenge, answer)):
            raise StoreOwnedError(
                "what listens at the owner's address does not know its token",
                where=str(self._store),
                hint="Start the store's owner again.",
            )

    @staticmethod
    def _receive_greeting(connection: socket.socket, key: str) -> str:
        message = receive_message(connection, MAX_GREETING_BYTES)
        if "error" in message:
            raise error_from(message["error"])
        return str(message.get(key))

    def _unreachable(self) -> OwnerGoneError | StoreOwnedError:
        owner = current_owner(self._store)
        if owner is None:
            return OwnerGoneError(
                "no process holds the store",
                where=str(self._store),
                hint="Start one: tiepoint run CONFIG, or tiepoint serve CONFIG.",
            )
        return StoreOwnedError(
            f"process {owner.pid} ({owner.command}) has held the store since {owner.since}, "
            "and takes no calls",
            where=str(self._store),
            hint="Stop that process, or name another folder.",
        )
