"""Searches of concurrent callers: those that wait at the same time are encoded together.

Nothing waits for a batch to fill: whatever has come while the batch before was encoded is the
next one, so that a single caller is answered at once and many share the cost of a model.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tiepoint.errors import TiepointError
from tiepoint.host import Host
from tiepoint.query.probes import Encoded
from tiepoint.types import Hit

_LARGEST = 32
_AT_ONCE = 2


@dataclass(eq=False, slots=True)
class _Asked:
    """A search that waits, and where its hits go."""

    question: Mapping[str, Any]
    answered: asyncio.Future[list[Hit]]
    loop: asyncio.AbstractEventLoop

    @property
    def text(self) -> str | None:
        """The text that can be encoded ahead; that of a session depends on its turns."""
        return None if "session" in self.question else self.question.get("text")

    def settle(self, hits: list[Hit] | None, error: BaseException | None) -> None:
        if self.answered.cancelled():
            return
        if error is not None:
            self.answered.set_exception(error)
        else:
            self.answered.set_result(hits or [])


class Searching:
    """Answers searches of a host from threads, several callers' at a time.

    Args:
        host: The host.
        batched: Told of the size of each batch of texts.
    """

    def __init__(self, host: Host, batched: Callable[[float], None]) -> None:
        self._host = host
        self._batched = batched
        self._waiting: deque[_Asked] = deque()
        self._threads = ThreadPoolExecutor(_AT_ONCE, "tiepoint-search")
        self._working = 0

    async def search(self, question: Mapping[str, Any]) -> list[Hit]:
        """Return the hits of `Host.search` for these keyword arguments."""
        loop = asyncio.get_running_loop()
        asked = _Asked(question, loop.create_future(), loop)
        self._waiting.append(asked)
        if self._working < _AT_ONCE:
            self._working += 1
            loop.call_soon(self._start, loop)
        return await asked.answered

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = [self._waiting.popleft() for _ in range(min(_LARGEST, len(self._waiting)))]
        if not batch:
            self._working -= 1
            return
        done = loop.run_in_executor(self._threads, self._answer, batch)
        done.add_done_callback(lambda _: self._start(loop))

    def _answer(self, batch: Sequence[_Asked]) -> None:
        encoded = self._encoded(batch)
        for asked in batch:
            hits: list[Hit] | None = None
            failure: BaseException | None = None
            try:
                hits = self._host.search(**asked.question, encoded=encoded.get(asked))
            except Exception as error:  # noqa: BLE001 - handed to the caller
                failure = error
            asked.loop.call_soon_threadsafe(asked.settle, hits, failure)

    def _encoded(self, batch: Sequence[_Asked]) -> dict[_Asked, Encoded]:
        """Encode the batch's texts, one call for each collection."""
        alike: dict[str | None, list[_Asked]] = defaultdict(list)
        for asked in batch:
            if asked.text is not None:
                alike[asked.question.get("collection")].append(asked)
        encoded: dict[_Asked, Encoded] = {}
        for collection, together in alike.items():
            texts = [asked.text or "" for asked in together]
            try:
                vectors = self._host.encode_texts(texts, collection=collection)
            except TiepointError:
                continue  # one is wrong: each is encoded, or refused, by itself
            self._batched(len(texts))
            encoded |= dict(zip(together, vectors, strict=True))
        return encoded
