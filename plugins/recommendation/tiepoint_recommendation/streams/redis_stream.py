"""Redis Streams with consumer groups."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tiepoint.errors import MissingDependencyError, StoreError
from tiepoint_recommendation.streams.base import EventStream, Message

if TYPE_CHECKING:
    from redis import Redis

_IDLE_MS = 30_000
"""After so long without a sign, what a member had taken goes to another one."""

_REFUSED_KEPT = 10_000
_SOCKET_S = 10.0


class RedisStream(EventStream):
    """A Redis stream; the fields of an entry, or the JSON in its field `event`, are the event.

    What is done with is acknowledged and stays in the stream, for other groups and until its
    owner trims it. What cannot be used goes to the stream `NAME:refused`.

    Args:
        url: `redis://user:password@host:6379/0`, or `rediss://...` for TLS.
        name: The stream's key.
        group: The consumer group; made, from the stream's beginning, if absent.
        idle_ms: After so many milliseconds, what another member took is taken over.

    Raises:
        MissingDependencyError: The package `redis` is absent.
    """

    def __init__(self, url: str, name: str, group: str, idle_ms: int = _IDLE_MS) -> None:
        try:
            import redis
        except ImportError as error:
            raise MissingDependencyError(
                "the client of Redis is not installed",
                hint="pip install 'tiepoint-recommendation[redis]'",
            ) from error
        self.name = name
        self.group = group
        self.member = f"{socket.gethostname()}:{os.getpid()}:{id(self)}"
        self.where = f"redis://{urlsplit(url).hostname}/{name}"
        self._idle_ms = idle_ms
        self._client: Redis = redis.Redis.from_url(
            url, socket_timeout=_SOCKET_S, socket_connect_timeout=_SOCKET_S
        )
        self._joined = False

    def read(self, most: int, wait_s: float) -> list[Message]:
        with self._errors():
            self._join()
            claimed: Any = self._client.xautoclaim(
                self.name, self.group, self.member, self._idle_ms, "0-0", count=most
            )
            left = [(key, fields) for key, fields in claimed[1] if fields]
            if left:
                return [self._message(key, fields) for key, fields in left]
            wait_ms = max(1, int(min(wait_s, _SOCKET_S / 2) * 1000))
            found: Any = self._client.xreadgroup(
                self.group, self.member, {self.name: ">"}, count=most, block=wait_ms
            )
            # A list of streams in the second version of the protocol, a map in the third.
            streams = found.values() if isinstance(found, dict) else (one[1] for one in found or [])
            return [self._message(key, fields) for some in streams for key, fields in some]

    def done(self, messages: Sequence[Message]) -> None:
        if messages:
            with self._errors():
                self._client.xack(self.name, self.group, *(one.key for one in messages))

    def refuse(self, message: Message, reason: str) -> None:
        with self._errors():
            self._client.xadd(
                f"{self.name}:refused",
                {"entry": message.key, "reason": reason},
                maxlen=_REFUSED_KEPT,
                approximate=True,
            )

    def close(self) -> None:
        self._client.close()

    def _join(self) -> None:
        from redis.exceptions import ResponseError

        if self._joined:
            return
        try:
            self._client.xgroup_create(self.name, self.group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._joined = True

    def _message(self, key: bytes, fields: dict[bytes, bytes]) -> Message:
        text = {
            name.decode("utf-8", "replace"): value.decode("utf-8", "replace")
            for name, value in fields.items()
        }
        return Message(key, parsed(text["event"]) if set(text) == {"event"} else text)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from redis.exceptions import RedisError, ResponseError

        try:
            yield
        except (RedisError, OSError) as error:
            if isinstance(error, ResponseError) and str(error).startswith("NOGROUP"):
                self._joined = False  # the stream was removed; it is made anew at the next read
            raise StoreError(
                f"the stream cannot be used ({error})",
                where=self.where,
                hint="See that Redis runs and is reachable.",
            ) from error


def parsed(text: str | bytes) -> dict[str, Any] | None:
    """Return the fields of a JSON object; None where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
