"""A connection to one Milvus: every call through one door, failures remembered for `health`."""

from __future__ import annotations

import time
from typing import Any

from tiepoint.config.models import ServerSection
from tiepoint.errors import StoreError
from tiepoint.index.milvus_client import (
    CALL_TIMEOUT_S,
    connect,
    is_unreachable,
    public_address,
    store_errors,
)

PROBE_TIMEOUT_S = 2.0
PROBE_VALID_S = 1.0
_NOT_LOADED = 101


class Connection:
    """Calls to one Milvus, with timeouts, retries and errors in our own words.

    A call that does not reach the server is tried again by pymilvus, after 10 ms at first and
    up to 3 s between tries, until the timeout; what is written carries its ids and sequence
    numbers, so that writing it twice is writing it once.

    Args:
        address: `unix:/path` or `http[s]://[user:password@]host[:port][/database]`.
        where: How errors name it; its public address if not given.
        server: How to connect, for a server.

    Raises:
        StoreError: Nobody answers, or the server refuses.
    """

    def __init__(
        self, address: str, where: str | None = None, server: ServerSection | None = None
    ) -> None:
        self.where = where or public_address(address)
        self._timeout_s = CALL_TIMEOUT_S if server is None else server.timeout_s
        self._client: Any = connect(address, server)
        self._unreachable: dict[str, Any] | None = None
        self._probed = float("-inf")

    def close(self) -> None:
        """Close the connection; no call may follow."""
        self._client.close()

    def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of `pymilvus.MilvusClient`.

        Milvus Lite forgets at its end which collections were loaded; they are loaded again.

        Args:
            method: Its name.
            arguments: Its arguments; the first names the collection, where there is one.
            options: Its keyword arguments other than `timeout`.

        Raises:
            StoreError: The call failed, or the server was out of reach until the timeout.
        """
        from pymilvus.exceptions import MilvusException

        timeout_s = options.pop("timeout", self._timeout_s)
        made = getattr(self._client, method)
        try:
            with store_errors(self.where):
                try:
                    answer = made(*arguments, timeout=timeout_s, **options)
                except MilvusException as error:
                    if error.code != _NOT_LOADED:
                        raise
                    self._client.load_collection(arguments[0], timeout=timeout_s)
                    answer = made(*arguments, timeout=timeout_s, **options)
        except StoreError as error:
            if is_unreachable(error):
                self._unreachable = self._unreachable or {"reason": error.what, "since": _now()}
            raise
        self._unreachable = None
        return answer

    def problem(self) -> dict[str, Any] | None:
        """Ask the server for a sign of life; gives why and since when there is none."""
        if time.monotonic() - self._probed < PROBE_VALID_S:
            return self._unreachable
        try:
            self.call("get_server_version", timeout=PROBE_TIMEOUT_S)
        except StoreError as error:
            self._unreachable = self._unreachable or {"reason": error.what, "since": _now()}
        self._probed = time.monotonic()
        return self._unreachable


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
