"""How much is taken on: requests at once and in a minute, their size, and their time."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiepoint.config.service import LimitsSection
from tiepoint_adapters.http.problems import BusyError, SlowError, TooLargeError, answer

FILES = "tiepoint.files"
"""Key of a request's scope: what a route calls that takes files (`http.uploads`)."""

_MOST_CALLERS = 10_000
_FAILURES_PER_MINUTE = 30


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Rate:
    """So many requests of each caller in a minute, by token buckets.

    Args:
        per_minute: How many; as many may come at once.
    """

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str, count: float = 1.0) -> None:
        """Count a request.

        Raises:
            BusyError: There were too many.
        """
        now = time.monotonic()
        bucket = self._buckets.pop(caller, None) or _Bucket(self._most, now)
        self._buckets[caller] = bucket
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        gained = (now - bucket.filled) * self._most / 60
        bucket.tokens, bucket.filled = min(self._most, bucket.tokens + gained), now
        if bucket.tokens < count:
            lacking = max(count, 1.0) - bucket.tokens
            raise BusyError("too many requests", retry_after_s=lacking * 60 / self._most)
        bucket.tokens -= count


class Limits:
    """Applies the limits of a deployment to requests.

    Args:
        section: The limits.
    """

    def __init__(self, section: LimitsSection) -> None:
        self.section = section
        self.rate = Rate(section.per_minute)
        self._failures = Rate(_FAILURES_PER_MINUTE)
        self._under_way = 0
        self._lasting = 0
        self._left: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """Requests that are worked on."""
        return self._under_way

    def require_few_failures(self, address: str) -> None:
        """Refuse an address from which too many wrong keys came.

        Raises:
            BusyError: There were too many.
        """
        self._failures.take(address, 0.0)

    def count_failure(self, address: str) -> None:
        """Remember that a wrong key came from an address."""
        self._failures.take(address)

    async def bounded(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Have an application answer a request within the limits.

        What takes too long is answered by 504; it counts as under way until it has really
        ended. An answer that has begun, such as a stream, may last.

        Raises:
            BusyError: Too many are under way.
            TooLargeError: It says itself that it is too large.
        """
        if self._under_way >= self.section.at_once:
            raise BusyError("too many requests are under way", retry_after_s=1.0)
        if self._lasting >= self.section.at_once:
            raise BusyError("too many streams are under way", retry_after_s=5.0)
        most, most_files = (
            int(mib * (1 << 20)) for mib in (self.section.body_mib, self.section.files_mib)
        )
        bounded = _Bounded(receive, send, _announced(scope), most)
        # A form may be for a route that takes files, which is known only when it reads them.
        bounded.refuse_beyond(most_files if _is_form(scope) else most)
        scope[FILES] = lambda: bounded.allow(most_files)
        self._under_way += 1
        task = asyncio.ensure_future(self._run(app, scope, bounded))
        self._left.add(task)
        task.add_done_callback(self._left.discard)
        begun = asyncio.ensure_future(bounded.begun.wait())
        try:
            await asyncio.wait(
                (task, begun),
                timeout=self.section.request_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not task.done() and not bounded.begun.is_set():
                bounded.abandoned = True
                late = SlowError(
                    f"no answer within {self.section.request_s:g} s",
                    hint="Ask for less, or start a job.",
                )
                await answer(late)(scope, receive, send)
                return
            await task
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            begun.cancel()

    async def _run(self, app: ASGIApp, scope: Scope, bounded: _Bounded) -> None:
        lasting = False

        async def sending(message: Message) -> None:
            nonlocal lasting
            if message["type"] == "http.response.start" and not lasting:
                lasting = any(
                    name.lower() == b"content-type" and value.startswith(b"text/event-stream")
                    for name, value in message.get("headers", ())
                )
                if lasting:
                    self._under_way -= 1
                    self._lasting += 1
            await bounded.send(message)

        try:
            await app(scope, bounded.receive, sending)
        except Exception:
            # An application may raise anything. Once its answer has begun, that is the 500 of
            # the framework, which has logged the cause and raises it again for those outside.
            if not bounded.begun.is_set():
                raise
        finally:
            if lasting:
                self._lasting -= 1
            else:
                self._under_way -= 1


def _announced(scope: Scope) -> int:
    """Return how many bytes a request says that it has; 0 where it does not."""
    told = (value for name, value in scope["headers"] if name == b"content-length")
    return max((int(value) for value in told if value.isdigit()), default=0)


def _is_form(scope: Scope) -> bool:
    return any(
        name == b"content-type" and value.lower().startswith(b"multipart/form-data")
        for name, value in scope["headers"]
    )


class _Bounded:
    """A request whose body is counted, and whose answer may be abandoned."""

    def __init__(self, receive: Receive, send: Send, announced: int, most: int) -> None:
        self._receive = receive
        self._send = send
        self._announced = announced
        self._most = most
        self._read = 0
        self.begun = asyncio.Event()
        self.abandoned = False

    def refuse_beyond(self, most: int) -> None:
        """Refuse a request that says itself that it is larger."""
        if self._announced > most:
            raise TooLargeError(_too_large(most), hint="Send less at a time.")

    def allow(self, most: int) -> None:
        """Take so many bytes from now on."""
        self._most = most

    async def receive(self) -> Message:
        if self._announced <= self._most:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._read += len(message.get("body", b""))
            if self._read <= self._most:
                return message
        # An exception that frameworks pass on where they read a body.
        raise HTTPException(413, _too_large(self._most))

    async def send(self, message: Message) -> None:
        if self.abandoned:
            return
        if message["type"] == "http.response.start":
            self.begun.set()
        await self._send(message)


def _too_large(most: int) -> str:
    return f"the request has more than {most:,} bytes"
