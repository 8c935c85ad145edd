"""Searches of concurrent callers: those that wait at the same time are encoded together.

Nothing waits for a batch to fill: whatever has come while the batch before was encoded is the
next one, so that a single caller is answered at once and many share the cost of a model. While
the networks have one batch, a full one that waits is tokenised, and the one before is aligned
and searched; fewer texts wait, as the networks take longer for each of a few.
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
from tiepoint.threads import native_threads
from tiepoint.types import Hit

_AT_ONCE = 2
_SEARCHED_TOGETHER = 32
_ENCODED_A_THREAD = 8
"""Texts for each thread of a network; with more, callers wait for all of them in step."""


@dataclass(eq=False, slots=True)
class _Asked:
    """A search that waits, and where its hits go."""

    question: Mapping[str, Any]
    answered: asyncio.Future[list[Hit]]
    loop: asyncio.AbstractEventLoop
    encoded: Encoded | None = None

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


class _Lane:
    """Threads that work on what waits, as much of it at a time as there is.

    Args:
        name: That of the threads.
        work: What is done, in a thread.
        most: How much is worked on together.
        beside: How much has to wait for a thread to begin while another one works.
    """

    def __init__(
        self, name: str, work: Callable[[Sequence[_Asked]], None], most: int, beside: int
    ) -> None:
        self._work = work
        self._most = most
        self._beside = beside
        self._busy = 0
        self._threads = ThreadPoolExecutor(_AT_ONCE, name)
        self._waiting: deque[_Asked] = deque()

    def add(self, asked: Sequence[_Asked]) -> None:
        """Have searches worked on; called in their event loop."""
        self._waiting.extend(asked)
        if self._busy < _AT_ONCE and self._enough():
            self._busy += 1
            asked[0].loop.call_soon(self._start, asked[0].loop)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True)

    def _enough(self) -> bool:
        return len(self._waiting) >= (self._beside if self._busy else 1)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._busy -= 1
        if not self._enough():
            return
        self._busy += 1
        batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        done = loop.run_in_executor(self._threads, self._work, batch)
        done.add_done_callback(lambda _: self._start(loop))


class Searching:
    """Answers searches of a host from threads, several callers' at a time.

    Args:
        host: The host.
        batched: Told of the size of each batch of texts.
    """

    def __init__(self, host: Host, batched: Callable[[float], None]) -> None:
        self._host = host
        self._batched = batched
        full = _ENCODED_A_THREAD * native_threads()
        self._encoding = _Lane("tiepoint-encode", self._encode, full, beside=full)
        self._searching = _Lane("tiepoint-search", self._answer, _SEARCHED_TOGETHER, beside=1)

    async def search(self, question: Mapping[str, Any]) -> list[Hit]:
        """Return the hits of `Host.search` for these keyword arguments."""
        loop = asyncio.get_running_loop()
        asked = _Asked(question, loop.create_future(), loop)
        lane = self._searching if asked.text is None else self._encoding
        lane.add([asked])
        return await asked.answered

    def close(self) -> None:
        """End the threads."""
        self._encoding.close()
        self._searching.close()

    def _encode(self, batch: Sequence[_Asked]) -> None:
        """Encode the batch's texts, one call for each collection."""
        alike: dict[str | None, list[_Asked]] = defaultdict(list)
        for asked in batch:
            alike[asked.question.get("collection")].append(asked)
        try:
            for collection, together in alike.items():
                self._encode_together(collection, together)
        finally:
            batch[0].loop.call_soon_threadsafe(self._searching.add, batch)

    def _encode_together(self, collection: str | None, together: Sequence[_Asked]) -> None:
        texts = [asked.text or "" for asked in together]
        try:
            vectors = self._host.encode_texts(texts, collection=collection)
        except TiepointError:
            return  # one is wrong: each is encoded, or refused, by itself
        self._batched(len(texts))
        for asked, encoded in zip(together, vectors, strict=True):
            asked.encoded = encoded

    def _answer(self, batch: Sequence[_Asked]) -> None:
        for asked in batch:
            hits: list[Hit] | None = None
            failure: BaseException | None = None
            try:
                hits = self._host.search(**asked.question, encoded=asked.encoded)
            except Exception as error:  # noqa: BLE001 - handed to the caller
                failure = error
            asked.loop.call_soon_threadsafe(asked.settle, hits, failure)
