"""pymilvus without its side effects, and with its errors in our own words."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tiepoint.config.store import ServerSection
from tiepoint.errors import InputError, StoreError

CONNECT_TIMEOUT_S = 10.0
CALL_TIMEOUT_S = 120.0


def connect(address: str, server: ServerSection | None = None) -> Any:
    """Return a `pymilvus.MilvusClient` for an address.

    Importing pymilvus reads a `.env` file from a parent of its own folder into the process's
    environment, and sends a traceback to stderr for each failed call, though it also raises
    it; both are switched off here.

    Args:
        address: `http://host:port`, `https://user:password@host`, or `unix:/path`.
        server: Token and certificates, for a server.

    Raises:
        InputError: A certificate cannot be read.
        StoreError: Nobody answers there, or the server refuses the token.
    """
    quieten_grpc()
    before = os.environ.get("PYTHON_DOTENV_DISABLED")
    os.environ["PYTHON_DOTENV_DISABLED"] = "1"
    try:
        from pymilvus import MilvusClient
    finally:
        if before is None:
            del os.environ["PYTHON_DOTENV_DISABLED"]
        else:
            os.environ["PYTHON_DOTENV_DISABLED"] = before
    for name in ("pymilvus", "milvus_lite"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    credentials = _credentials(server) if server is not None else {}
    with store_errors(public_address(address)):
        # A shared connection would be found by address and token alone, and keep the
        # certificates of whoever came first.
        return MilvusClient(
            address,
            timeout=CONNECT_TIMEOUT_S,
            grpc_options=_options(address),
            dedicated=True,
            **credentials,
        )


def quieten_grpc() -> None:
    """Keep gRPC's own log off stderr; it is read once, when gRPC is first imported."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def _options(address: str) -> dict[str, int]:
    if address.startswith("unix:"):
        # pymilvus pings every 10 s, which a server in this process takes for abuse: it ends
        # the connection with `too_many_pings` while a long batch is encoded.
        return {"grpc.keepalive_time_ms": 2**31 - 1}
    # gRPC would wait up to two minutes before it looks again for a server that was away.
    return {
        "grpc.initial_reconnect_backoff_ms": 100,
        "grpc.min_reconnect_backoff_ms": 1000,
        "grpc.max_reconnect_backoff_ms": 2000,
    }


def _credentials(server: ServerSection) -> dict[str, Any]:
    """Return what pymilvus takes for a server's token and certificates."""
    given: dict[str, Any] = {}
    if server.token is not None:
        given["token"] = server.token.get_secret_value()
    if server.ca_certificate is not None:
        given |= {"secure": True, "server_pem_path": _readable(server.ca_certificate)}
    if server.client_certificate is not None and server.client_key is not None:
        # With a certificate of its own, pymilvus takes the authority's under another name.
        given["ca_pem_path"] = given.pop("server_pem_path", "")
        given["client_pem_path"] = _readable(server.client_certificate)
        given["client_key_path"] = _readable(server.client_key)
    return given


def _readable(path: Path) -> str:
    try:
        path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the certificate or key cannot be read ({error.strerror})",
            where=str(path),
            hint="Correct the path under store.server, or its permissions.",
        ) from error
    return str(path)


def public_address(address: str) -> str:
    """Return an address without the user and password in it.

    >>> public_address("https://root:secret@milvus:19530")
    'https://milvus:19530'
    """
    scheme, separator, rest = address.partition("://")
    return scheme + separator + rest.rpartition("@")[2] if separator else address


@contextmanager
def store_errors(where: str) -> Iterator[None]:
    """Turn whatever Milvus, gRPC or the file system raise into one `StoreError`.

    Args:
        where: The store, as it is named in the error.

    Raises:
        StoreError: In place of the error inside.
    """
    import grpc
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except (MilvusException, grpc.RpcError, OSError) as error:
        raise _store_error(error, where) from error


def _store_error(error: Exception, where: str) -> StoreError:
    message = str(getattr(error, "message", "") or error).strip() or type(error).__name__
    causes = _with_causes(error)
    if "No space left on device" in message:
        what, hint = "the disk is full", "Free some space and try again; nothing stored is lost."
    elif any(sign in causes for sign in _REFUSED):
        what, hint = "the Milvus server refuses the token", "Check store.server.token."
    elif any(sign in message for sign in _UNREACHABLE):
        what, hint = UNREACHABLE, "Start it, or check the store's URI; nothing stored is lost."
    else:
        what = f"the store failed ({message.splitlines()[0][:300]})"
        hint = "Try again; if it persists, look at the disk and at the store's health."
    return StoreError(what, where=where, hint=hint)


def _with_causes(error: BaseException | None) -> str:
    chain: list[BaseException] = []
    while error is not None and error not in chain:  # pymilvus raises errors from themselves
        chain.append(error)
        error = error.__cause__
    return " ".join(map(str, chain))


UNREACHABLE = "the Milvus server cannot be reached"
_UNREACHABLE = (
    "Fail connecting to server",
    "failed to connect to all addresses",
    "StatusCode.UNAVAILABLE",
    "StatusCode.DEADLINE_EXCEEDED",
    "server unavailable",
    "Connection refused",
    "timed out",
    "Name or service not known",
    "Retry timeout",
)
_REFUSED = ("StatusCode.UNAUTHENTICATED", "StatusCode.PERMISSION_DENIED")


def is_unreachable(error: StoreError) -> bool:
    """Tell whether an error of `store_errors` says that the server did not answer."""
    return error.what == UNREACHABLE
