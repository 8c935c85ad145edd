"""The life of a host: opened, changed while it answers, and closed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tiepoint.assembly import Assembly
from tiepoint.config.models import Deployment
from tiepoint.encoders.cache import EmbeddingCache
from tiepoint.errors import InputError, QueryError, UnknownCollectionError
from tiepoint.hosting.plugins import RunningPlugins
from tiepoint.hosting.reloading import require_reloadable
from tiepoint.hosting.serving import Serving
from tiepoint.hosting.turns import WriteTurn
from tiepoint.index.sharing import SharedLock
from tiepoint.owner import OwnerServer
from tiepoint.owner.handlers import owner_server
from tiepoint.threads import configure_native_threads

if TYPE_CHECKING:
    from tiepoint.host import Host


class Lifecycle:
    """What a host consists of while it is open, and how that begins, changes and ends.

    Attributes:
        deployment: What it was built from.
        assembly: The components of that deployment.
        serving: The open collections and what searches them; None while it is closed.
        cache: Vectors of parts that were encoded before; None while it is closed.
        plugins: The plugins.
        writing: Held while something is written.
        answering: Held while a search is answered.

    Args:
        host: The host, for its plugins and for other processes.
        deployment: What to build.
    """

    def __init__(self, host: Host, deployment: Deployment) -> None:
        self.deployment = deployment
        self.assembly = Assembly(deployment)
        self.serving: Serving | None = None
        self.cache: EmbeddingCache | None = None
        self.plugins = RunningPlugins(host)
        self.writing = WriteTurn()
        self.answering = SharedLock()
        self._host = host
        self._owner: OwnerServer | None = None
        self._lock = threading.RLock()
        self._reloading = threading.Lock()
        self._open = False
        self._closed = False
        self._entered = 0

    def enter(self) -> None:
        """Open it for one more user."""
        with self._lock:
            self.open()
            self._entered += 1

    def leave(self) -> None:
        """Close it when the last user leaves."""
        with self._lock:
            self._entered -= 1
            outermost = self._entered <= 0
        if outermost:
            self.close()

    def open(self) -> None:
        """Take the store and open every collection. Idempotent."""
        with self._lock:
            if self._open:
                return
            store = self.assembly.store
            if self.deployment.engine.threads is not None:
                configure_native_threads(self.deployment.engine.threads)
            try:
                store.open()
                self.serving = Serving.open(self.assembly)
                for name, options in self.deployment.plugins.items():
                    self.plugins.add(name, self.assembly.plugin(name, options))
                self.cache = EmbeddingCache()
                if store.embedded:
                    self._owner = owner_server(self._host, self.migrate_to)
                    self._owner.start()
                self._open, self._closed = True, False
            except BaseException:
                self._release()
                raise

    def close(self) -> None:
        """Stop the plugins, snapshot what changed, and give the store back. Idempotent."""
        owner = self._owner
        if owner is not None:
            owner.close()  # first, as it waits for calls, which may wait to write
        self.writing.refuse_nested()
        self.plugins.stop()  # before the turn to write is taken: they may write until they end
        with self.writing, self._lock:
            self._closed, self._entered = True, 0
            if self._open:
                self._release()

    def require_open(self) -> None:
        """Open at the first use, but not after `close`.

        Raises:
            InputError: It was closed.
        """
        if not self._open:
            if self._closed:
                raise InputError("the host is closed", hint="Use it inside `with`, or open it.")
            self.open()

    def served(self) -> Serving:
        """Return the open collections and what searches them.

        Raises:
            InputError: It was closed.
        """
        self.require_open()
        assert self.serving is not None  # noqa: S101 - set while it is open
        return self.serving

    def name(self, name: str | None) -> str:
        """Return the name of a collection; that of the only one if none is given.

        Raises:
            UnknownCollectionError: There is none of this name.
            QueryError: There are several, and none is named.
        """
        names = list(self.deployment.collections)
        if name is None and len(names) == 1:
            return names[0]
        if name is None:
            raise QueryError(
                "no collection is named", hint=f"Give `collection`, one of {', '.join(names)}."
            )
        if name not in self.deployment.collections:
            raise UnknownCollectionError(
                f"there is no collection {name!r}", hint=f"Name one of {', '.join(names)}."
            )
        return name

    def health(self) -> dict[str, Any]:
        """Return the state of everything that is open as data."""
        served = self.served()
        return {
            "store": self.assembly.store.health(),
            "engine": self.assembly.engine.health(),
            "cache": {"status": "closed"} if self.cache is None else self.cache.health(),
            "collections": {name: one.health() for name, one in served.collections.items()},
            "drift": served.canary.report(),
            "plugins": self.plugins.health(),
        }

    def reload(self, deployment: Deployment) -> None:
        """Take over a changed deployment; one that cannot be used changes nothing.

        Raises:
            ConfigError: It is wrong, or only a new process can take it over.
            FingerprintError: The stored vectors come from other encoders than it names.
        """
        with self._reloading:
            former = self.served()
            require_reloadable(self.deployment, deployment)
            assembly = Assembly(deployment, shared=self.assembly.store)
            plugins = {
                name: assembly.plugin(name, options)
                for name, options in deployment.plugins.items()
                if self.deployment.plugins.get(name) != options or name in self.plugins.failed
            }
            assembly.warm_up()
            self._serve_instead(assembly, former)
            with self._lock:
                if self._open:
                    self.plugins.exchange(plugins, deployment.plugins)

    def _serve_instead(self, assembly: Assembly, former: Serving) -> None:
        with self.writing, self._lock:
            new = Serving.open(assembly, former)
            with self.answering.exclusive():
                self.assembly, self.serving = assembly, new
                self.deployment = assembly.deployment
            former.assembly.engine.close()
            former.close(new)
        new.canary.start()

    def migrate_to(self, deployment: Deployment, generation: int, seen: Mapping[str, int]) -> bool:
        """Answer from migrated data from now on; searches meet the old or the new, never both.

        What was under way is answered from the old data; then the plugins that had been
        started are started again. Returns False, with nothing changed, where something was
        written that the migration has not seen.

        Args:
            deployment: The encoders, aligner and collections of the migrated data; its
                plugins come with the next start of the process.
            generation: Which generation of the store they are.
            seen: The last sequence number that the migration has seen, by collection.

        Raises:
            InputError: The deployment cannot be used here.
            StoreError: The migrated data cannot be served; the old ones still are.
        """
        old, store = self.served(), self.assembly.store
        assembly = Assembly(deployment, shared=store)
        assembly.warm_up()
        with self.writing, self._lock:
            if any(next(store.scan(name, after), None) for name, after in seen.items()):
                return False
            with store.switched(generation):
                new = Serving.open(assembly)
            with self.answering.exclusive():
                former, self.assembly = self.assembly, assembly
                self.serving = new
                running = {"plugins": self.deployment.plugins, "engine": self.deployment.engine}
                self.deployment = deployment.model_copy(update=running)
            former.engine.close()
            old.discard()
            store.remove_superseded()
        self.plugins.start_again()
        return True

    def _release(self) -> None:
        """Close everything from the top down; one part's failure spares the others."""
        with ExitStack() as last_to_first:
            last_to_first.callback(self._forget)
            last_to_first.callback(self.assembly.store.close)
            last_to_first.callback(self.assembly.engine.close)
            if self.cache is not None:
                last_to_first.callback(self.cache.close)
            if self.serving is not None:
                last_to_first.callback(self.serving.close)
            last_to_first.callback(self.plugins.stop)
            if self._owner is not None:
                last_to_first.callback(self._owner.close)

    def _forget(self) -> None:
        self.plugins.forget()
        self.serving = self._owner = self.cache = None
        self._open = False
