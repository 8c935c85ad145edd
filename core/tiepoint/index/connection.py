"""A connection to one Milvus: every call through one door, failures remembered for `health`."""

from __future__ import annotations

import logging
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from tiepoint.config.store import ServerSection
from tiepoint.errors import StoreError
from tiepoint.index.milvus_client import (
    CALL_TIMEOUT_S,
    connect,
    is_unreachable,
    public_address,
    store_errors,
)

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
LEAST_TIMEOUT_S = 0.5
PROBE_TIMEOUT_S = 2.0
PROBE_VALID_S = 1.0
_NOT_LOADED = 101


class Connection:
    """Calls to one Milvus, with timeouts, retries and errors in our own words.

    A call that does not reach the server is tried again, after 0.1 s at first and up to 5 s
    between tries, until the timeout. What is written carries its ids and sequence numbers, so
    that writing it twice is writing it once. (pymilvus itself gives up as soon as one new
    connection fails, which is after 10 s at most.)

    Args:
        address: `unix:/path` or `http[s]://[user:password@]host[:port][/database]`.
        where: How errors name it; its public address if not given.
        server: How to connect, for a server; one in this process is not tried again.

    Raises:
        InputError: A certificate cannot be read.
        StoreError: Nobody answers, or the server refuses.
    """

    def __init__(
        self, address: str, where: str | None = None, server: ServerSection | None = None
    ) -> None:
        self.where = where or public_address(address)
        self._address = address
        self._server = server
        self._timeout_s = CALL_TIMEOUT_S if server is None else server.timeout_s
        self._client: Any = connect(address, server)
        self._unreachable: dict[str, Any] | None = None
        self._probed = float("-inf")

    def close(self) -> None:
        """Close the connection; no call may follow."""
        self._client.close()

    def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of `pymilvus.MilvusClient`.

        Args:
            method: Its name.
            arguments: Its arguments; the first names the collection, where there is one.
            options: Its keyword arguments; `timeout`, in seconds, replaces the usual one.

        Raises:
            StoreError: The call failed, or the server was out of reach until the timeout.
        """
        timeout_s = options.pop("timeout", self._timeout_s)
        if self._server is None:
            return self._once(method, arguments, timeout_s, options)
        deadline = time.monotonic() + timeout_s
        pause_s = FIRST_PAUSE_S
        while True:
            remaining_s = max(deadline - time.monotonic(), LEAST_TIMEOUT_S)
            try:
                answer = self._once(method, arguments, remaining_s, options)
            except StoreError as error:
                if not is_unreachable(error):
                    raise
                if self._unreachable is None:
                    logger.warning("%s", error)
                    self._unreachable = {"reason": error.what, "since": now()}
                if time.monotonic() + pause_s > deadline:
                    raise
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                if self._unreachable is not None:
                    logger.warning("%s: the Milvus server is back", self.where)
                    self._unreachable = None
                return answer

    def problem(self) -> dict[str, Any] | None:
        """Ask the server for a sign of life; gives why and since when there is none."""
        if time.monotonic() - self._probed >= PROBE_VALID_S:
            try:
                # pymilvus would wait 10 s for a new connection; whether anybody listens is
                # known at once.
                with store_errors(self.where):
                    socket.create_connection(_endpoint(self._address), PROBE_TIMEOUT_S).close()
                self.call("get_server_version", timeout=PROBE_TIMEOUT_S)
            except StoreError as error:
                self._unreachable = self._unreachable or {"reason": error.what, "since": now()}
            self._probed = time.monotonic()
        return self._unreachable

    def _once(
        self, method: str, arguments: tuple[Any, ...], timeout_s: float | None, options: Any
    ) -> Any:
        from pymilvus.exceptions import MilvusException

        made = getattr(self._client, method)
        with store_errors(self.where):
            try:
                return made(*arguments, timeout=timeout_s, **options)
            except MilvusException as error:
                if error.code != _NOT_LOADED:
                    raise
                # Milvus Lite forgets at its end which collections were loaded.
                self._client.load_collection(arguments[0], timeout=timeout_s)
                return made(*arguments, timeout=timeout_s, **options)


def _endpoint(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return parts.hostname or "localhost", parts.port or (443 if parts.scheme == "https" else 19530)


def now() -> str:
    """Return the local time, as `health` shows it."""
    return time.strftime("%Y-%m-%d %H:%M:%S")
