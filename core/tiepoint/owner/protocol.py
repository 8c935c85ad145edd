"""The messages between a store's owner and its callers.

A message is its length (4 bytes, big-endian) and a JSON object in UTF-8. A connection carries
one call: both sides first prove that they know the token, then the caller sends
`{"method", "params"}` and gets `{"result"}` or `{"error"}`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

from tiepoint import errors
from tiepoint.errors import InputError, StoreError, TiepointError
from tiepoint.index.ownership import OPENING_WRITES

ADDRESS_FILE = "owner.json"
"""Beside the store, readable by its user only: the socket's path and the token."""

MAX_MESSAGE_BYTES = 64 << 20
MAX_GREETING_BYTES = 4096
GREETING_TIMEOUT_S = 5.0
MESSAGE_TIMEOUT_S = 30.0
_LENGTH = struct.Struct(">I")


def send_message(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one message.

    Raises:
        InputError: It is longer than a message may be.
        OSError: The connection broke.
    """
    data = json.dumps(message).encode()
    if len(data) > MAX_MESSAGE_BYTES:
        raise InputError(
            f"the message to the store's owner has {len(data):,} bytes; "
            f"at most {MAX_MESSAGE_BYTES:,} can be sent",
            hint="Send less at a time, or files by their path.",
        )
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive_message(connection: socket.socket, limit: int = MAX_MESSAGE_BYTES) -> dict[str, Any]:
    """Receive one message of at most `limit` bytes.

    Raises:
        InputError: Too long, or not a JSON object.
        EOFError: The other side closed the connection.
        OSError: The connection broke, or its time limit passed.
    """
    (length,) = _LENGTH.unpack(_receive(connection, _LENGTH.size))
    if length > limit:
        raise InputError(f"a message of {length:,} bytes was refused; the limit is {limit:,}")
    try:
        message = json.loads(_receive(connection, length))
    except ValueError as error:
        raise InputError("a message is not JSON") from error
    if not isinstance(message, dict):
        raise InputError("a message is not a JSON object")
    return message


def proof(token: str, side: str, challenge: str, answer: str) -> str:
    """Return what shows that a side knows the token, without showing the token.

    Args:
        token: The secret of this owner.
        side: `owner` or `caller`, so that one side's proof is useless to the other.
        challenge: The owner's nonce.
        answer: The caller's nonce.
    """
    text = f"{side}:{challenge}:{answer}".encode()
    return hmac.new(token.encode(), text, hashlib.sha256).hexdigest()


def peer_user(connection: socket.socket) -> int | None:
    """Return the user id of the process at the other end; None where the system has no way."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    credentials = connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def error_message(error: TiepointError) -> dict[str, Any]:
    """Return an error as it travels."""
    return {
        "error": {
            "type": type(error).__name__,
            "what": error.what,
            "where": error.where,
            "hint": error.hint,
            "exit_code": error.exit_code,
        }
    }


def error_from(content: dict[str, Any]) -> TiepointError:
    """Return the error that travelled, as its own class or the nearest one known here."""
    kind = getattr(errors, str(content.get("type")), None)
    if not (isinstance(kind, type) and issubclass(kind, TiepointError)):
        kind = InputError if content.get("exit_code") == InputError.exit_code else TiepointError
    return kind(str(content.get("what")), where=content.get("where"), hint=content.get("hint"))


def write_address(store: Path, address: Path, token: str) -> None:
    """Write where the owner listens, and its token, for this user only.

    Raises:
        StoreError: The file cannot be written.
    """
    path = store / ADDRESS_FILE
    draft = path.with_suffix(".tmp")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"socket": str(address), "token": token}, file)
        draft.replace(path)
    except OSError as error:
        raise StoreError(
            f"the owner's address cannot be written ({error.strerror})",
            where=str(path),
            hint=f"{OPENING_WRITES} Free some space, or make the folder writable.",
        ) from error


def read_address(store: Path) -> tuple[str, str, int] | None:
    """Return the owner's socket, its token, and the user who wrote them; None if unreadable."""
    try:
        with (store / ADDRESS_FILE).open(encoding="utf-8") as file:
            user = os.fstat(file.fileno()).st_uid
            content = json.load(file)
            return str(content["socket"]), str(content["token"]), user
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _receive(connection: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        chunk = connection.recv(min(length - len(data), 1 << 20))
        if not chunk:
            raise EOFError("the connection was closed")
        data += chunk
    return bytes(data)
