"""One open Milvus: owned or connected to, brought back after a failure, and given up again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tiepoint.config.store import ServerSection
from tiepoint.errors import StoreError
from tiepoint.index.connection import Connection, now
from tiepoint.index.embedded import CollectionState, EmbeddedMilvus
from tiepoint.index.milvus_client import public_address, store_errors
from tiepoint.index.milvus_layout import Layout
from tiepoint.index.stored import read_state

logger = logging.getLogger(__name__)


class MilvusSession:
    """A Milvus Lite folder that this process owns, or a server that it is connected to.

    A write that fails on an embedded store (disk full) may have left a torn record behind,
    after which Milvus Lite would lose what it logs. The next call therefore reopens the store
    first, which drops the torn record and writes what was logged before it.

    Attributes:
        address: The folder or the server, as errors name it: without a password.
        embedded: The folder; None for a server.
        server: How a server is used.
        states: What is known of each collection without asking Milvus.
        lock: Held while something is written.

    Args:
        uri: A local folder, or `http[s]://[user:password@]host[:port][/database]`.
        server: How a server is used.
    """

    def __init__(self, uri: str, server: ServerSection | None) -> None:
        self.address = public_address(uri)
        self.embedded = (
            None
            if "://" in uri or uri.startswith("unix:")
            else EmbeddedMilvus(Path(uri).expanduser().absolute())
        )
        self.server = server or ServerSection()
        self.states: dict[str, CollectionState] = {}
        self.lock = threading.RLock()
        self._uri = uri
        self._milvus: Connection | None = None
        self._open = False
        self._failure: dict[str, str] | None = None
        self._recovery: dict[str, Any] | None = None

    def open(self) -> None:
        """Own the folder, or connect; after an unclean end, bring Milvus Lite back to speed."""
        if self.embedded is None:
            self._milvus = Connection(self._uri, server=self.server)
            self._open = True
            return
        address, clean, self.states = self.embedded.open()
        try:
            self._milvus = Connection(address, self.address)
            if not clean:
                self._recover(self._milvus, "the last process did not close the store")
        except BaseException:
            self._disconnect()
            self.embedded.close(None)
            raise
        self._open, self._failure = True, None

    def close(self) -> None:
        """Write everything out and give the store up; does nothing if it is not open."""
        with self.lock:
            if not self._open:
                return
            self._open = False
            states = None
            try:
                if self.embedded is not None and self._milvus is not None and self._failure is None:
                    _checkpoint(self._milvus)
                    states = self.states
            finally:
                self._disconnect()
                if self.embedded is not None:
                    self.embedded.close(states)

    def milvus(self) -> Connection:
        """Return the connection; after a failed write, that to the reopened store.

        Raises:
            StoreError: The store is not open, or cannot be reopened.
        """
        if self._failure is not None:
            with self.lock:
                if self._failure is not None and self.embedded is not None and self._open:
                    self._restart(self.embedded)
        if not self._open or self._milvus is None:
            raise StoreError("the store is not open", where=self.address, hint="Open it first.")
        return self._milvus

    def query(
        self, name: str, expression: str, output: Sequence[str], limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the fields of the rows of a collection for which a Milvus expression holds."""
        options = {} if limit is None else {"limit": limit}
        milvus = self.milvus()
        return list(milvus.call("query", name, expression, output_fields=list(output), **options))

    def write(self, name: str, layout: Layout, entities: Iterable[dict[str, Any]]) -> None:
        """Write entities of a collection; durable on return."""
        milvus = self.milvus()
        try:
            for batch in layout.batches(entities):
                if self.embedded is None:
                    milvus.call("upsert", name, batch)
                else:
                    self.embedded.upsert(name, batch)
            if self.embedded is not None:
                with store_errors(self.address):
                    self.embedded.sync(name)
        except BaseException as error:  # also an interruption, which leaves Milvus at work
            if self.embedded is not None:
                reason = error.what if isinstance(error, StoreError) else "a write was cut off"
                self._failure = {"reason": reason, "since": now()}
            raise

    def switch(self, generation: int, states: dict[str, CollectionState]) -> None:
        """Serve another generation of an embedded store's data from now on."""
        if self.embedded is None:
            raise StoreError("a server's data have no generations", where=self.address)
        self._disconnect()
        self.states = states
        self._milvus = Connection(self.embedded.switch(generation, states), self.address)
        self._failure = None

    def health(self) -> dict[str, Any]:
        """Return status, URI, the collections' sequence numbers, and the last recovery."""
        problem: dict[str, str] | None = self._failure
        if self.embedded is None and self._milvus is not None:
            problem = self._milvus.problem()
        return {
            "status": "failed" if self._failure else "unreachable" if problem else "ok",
            "kind": "server" if self.embedded is None else "embedded",
            "uri": self.address,
            "collections": {
                name: {"sequence": state.sequence, "tombstones": len(state.tombstones)}
                for name, state in self.states.items()
            },
            "recovery": self._recovery,
            "problem": problem,
        }

    def _restart(self, embedded: EmbeddedMilvus) -> None:
        self._disconnect()
        embedded.stop()
        self._milvus = Connection(embedded.start(), self.address)
        self._recover(self._milvus, "a write failed")
        self._failure = None

    def _disconnect(self) -> None:
        if self._milvus is not None:
            self._milvus.close()
            self._milvus = None

    def _recover(self, milvus: Connection, reason: str) -> None:
        """Move what Milvus Lite replayed from its log into files, and look at what is there.

        Without this its searches take seconds: a replayed log is searched row by row.
        """
        started = time.perf_counter()
        _checkpoint(milvus)
        for name in milvus.call("list_collections"):
            known = self.states.get(name, CollectionState())
            self.states[name] = read_state(milvus, name, known)
        seconds = time.perf_counter() - started
        self._recovery = {"reason": reason, "seconds": round(seconds, 3)}
        logger.warning("%s: recovered in %.1f s (%s)", self.address, seconds, reason)


def _checkpoint(milvus: Connection) -> None:
    for name in milvus.call("list_collections"):
        milvus.call("flush", name, timeout=None)
