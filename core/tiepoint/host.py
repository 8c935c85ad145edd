"""A host: what a deployment file builds, and the one object that applications hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from tiepoint import registry
from tiepoint.alignment.base import Aligner
from tiepoint.assembly import build
from tiepoint.config.collections import MetadataType
from tiepoint.config.models import Deployment
from tiepoint.embedded import embedded_deployment
from tiepoint.encoders.base import Encoder
from tiepoint.engine import Encoding
from tiepoint.errors import InputError, QueryError
from tiepoint.hosting.lifecycle import Lifecycle
from tiepoint.hosting.questions import Questions
from tiepoint.hosting.turns import WriteTurn
from tiepoint.index.base import CollectionSchema
from tiepoint.index.collection import Collection
from tiepoint.index.copying import CopyReport
from tiepoint.index.milvus import MilvusStore
from tiepoint.indexing import Indexer, Progress
from tiepoint.item_encoding import ItemEncoder
from tiepoint.plugin import Plugin
from tiepoint.query.checks import id_list
from tiepoint.search import CollectionSearch
from tiepoint.server import Asgi, Server
from tiepoint.types import AddReport, Item


class Host(Questions):
    """Encoders, aligner, collections and plugins of one deployment.

    A host is opened by `with` (or at its first use) and closed by `close`, after which only
    `with` or `open` opens it again; while it is open it owns its embedded store. It may be
    used from several threads: searches run side by side, one write at a time.

    Args:
        deployment: What to build; its paths are absolute, or relative to the working folder.

    Raises:
        ConfigError: The deployment contradicts itself.
        PluginError: A component that it names cannot be used.
    """

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(Lifecycle(self, deployment))
        self.path: Path | None = None

    @classmethod
    def from_config(cls, path: Path | str) -> Self:
        """Build a host from a deployment file, without opening it."""
        from tiepoint.config.loader import load

        host = cls(load(path))
        host.path = Path(path)
        return host

    @classmethod
    def embedded(
        cls,
        path: Path | str,
        *,
        preset: str = "fast",
        metadata: Mapping[str, MetadataType] | None = None,
    ) -> Self:
        """Build a host on the embedded default, without a deployment file.

        One collection, `items`, with an `image`, a `text` and a `video` field, encoders whose
        weights come in packages, and the shipped alignment of photographs with English and
        Chinese. A video's frames are averaged, and aligned like photographs.

        Args:
            path: The store's folder; made if it is absent.
            preset: `fast` (one image network) or `accurate` (two, flip-averaged).
            metadata: Types of the items' metadata, by name.
        """
        return cls(embedded_deployment(path, preset, metadata))

    # Life

    def __enter__(self) -> Self:
        self._life.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self._life.leave()

    def open(self) -> None:
        """Take the store and open every collection. Idempotent.

        Raises:
            StoreOwnedError: Another process holds the embedded store.
            FingerprintError: The stored vectors come from other encoders.
            StoreError: The store cannot be opened.
        """
        self._life.open()

    def close(self) -> None:
        """Stop the plugins, snapshot what changed, and give the store back. Idempotent.

        Waits for a write that another thread has begun.
        """
        self._life.close()

    def check(self) -> None:
        """Let each plugin say whether the deployment has what it needs; opens and loads nothing.

        Raises:
            ConfigError: Something is missing.
        """
        assembly = self._life.assembly
        for name, options in self.deployment.plugins.items():
            assembly.plugin(name, options).check(self)

    def start(self) -> None:
        """Start the plugins; one that fails is shown in `health`, the others go on."""
        self._life.require_open()
        self._life.plugins.start()

    # Service

    @cached_property
    def server(self) -> Server:
        """What brings this host to the network, as the deployment's `server` says.

        Raises:
            PluginError: No such server is installed, or it cannot be imported.
        """
        section = self.deployment.server
        server: Server = build(registry.SERVERS, section, "server", host=self)
        return server

    def asgi(self) -> Asgi:
        """Return the service as an application to mount: `app.mount("/tiepoint", host.asgi())`.

        The parent application opens and closes the host by `lifespan=host.lifespan`, as a
        mounted application's own lifespan is never run.
        """
        return self.server.asgi

    @asynccontextmanager
    async def lifespan(self, _: Any = None) -> AsyncIterator[None]:
        """Open the host, start its plugins and serve, until the application ends.

        Args:
            _: The parent application, which ASGI frameworks pass.
        """
        await asyncio.to_thread(self.open)
        try:
            await asyncio.to_thread(self.warm_up)
            await asyncio.to_thread(self.start)
            async with self.server.running():
                yield
        finally:
            await asyncio.to_thread(self.close)

    def copy_store(self, folder: Path | str) -> list[CopyReport]:
        """Copy all collections into a new embedded store, compare the two, and close that.

        Searches are answered meanwhile; writes wait until it is done.

        Args:
            folder: Where the copy is made; absent or empty.

        Raises:
            InputError: The folder holds something else.
            StoreError: It cannot be written, or the copy differs.
        """
        from tiepoint.index.copying import copy_store

        self._life.require_open()
        with self._life.writing:
            return copy_store(self.store, folder)

    def reload(self, deployment: Deployment | None = None) -> None:
        """Take over a changed deployment; one that cannot be used changes nothing.

        What was under way is answered by the former one. Collections and plugins that stay as
        they are go on; other plugins are stopped, and started as they are now.

        Args:
            deployment: The changed one; that of the file that the host was built from if not
                given.

        Raises:
            ConfigError: It is wrong, or only a new process can take it over.
            FingerprintError: The stored vectors come from other encoders than it names.
            InputError: The host was built without a file, and no deployment is given.
        """
        if deployment is None:
            if self.path is None:
                raise InputError("the host has no file to read again", hint="Give a deployment.")
            from tiepoint.config.loader import load

            deployment = load(self.path)
        self._life.reload(deployment)
        if "server" in self.__dict__:
            self.server.reloaded()

    # Parts of the host

    @property
    def deployment(self) -> Deployment:
        """What the host was built from, or took over last."""
        return self._life.deployment

    @property
    def store(self) -> MilvusStore:
        """The store; open while the host is."""
        return self._life.assembly.store

    def writing(self) -> WriteTurn:
        """Return what to hold, by `with`, while writing to a collection directly."""
        return self._life.writing

    def collection(self, name: str | None = None) -> Collection:
        """Return an open collection; the only one if no name is given.

        Raises:
            QueryError: There is none of this name, or several and none is named.
        """
        return self._life.served().collections[self._life.name(name)]

    def schema(self, name: str | None = None) -> CollectionSchema:
        """Return what is stored of a collection, also while the host is not open.

        Raises:
            QueryError: There is none of this name, or several and none is named.
        """
        return self._life.assembly.layouts[self._life.name(name)].schema

    def collection_search(self, name: str | None = None) -> CollectionSearch:
        """Return what answers searches of a collection; of the only one if no name is given.

        Raises:
            QueryError: There is none of this name, or several and none is named.
        """
        return self._life.served().searches[self._life.name(name)]

    def encoder(self, name: str) -> Encoder:
        """Return an encoder of the deployment by name.

        Raises:
            QueryError: The deployment defines none of this name.
        """
        encoders = self._life.assembly.encoders
        if name not in encoders:
            raise QueryError(
                f"the deployment defines no encoder {name!r}",
                hint=f"Its encoders are {', '.join(encoders)}.",
            )
        return encoders[name]

    @property
    def aligner(self) -> Aligner | None:
        """What brings vectors of encoders into the joint space; None without an alignment."""
        return self._life.assembly.aligner

    @property
    def plugins(self) -> Mapping[str, Plugin]:
        """The plugins that the deployment names, but those that failed to start, by name."""
        self._life.require_open()
        return self._life.plugins.working

    def plugin(self, name: str) -> Plugin:
        """Return a plugin that the deployment names.

        Raises:
            QueryError: The deployment does not name it.
        """
        self._life.require_open()
        plugins = self._life.plugins.all
        if name not in plugins:
            raise QueryError(
                f"the deployment names no plugin {name!r}",
                hint=f"Add it under `plugins`; there: {', '.join(plugins) or 'none'}.",
            )
        return plugins[name]

    # Work

    def add(
        self,
        items: Iterable[Item],
        *,
        collection: str | None = None,
        strict: bool = True,
        progress: Progress | None = None,
    ) -> AddReport:
        """Encode and store items, in batches; one of a known id is replaced.

        Args:
            items: The items; their ids must be unique among them.
            collection: Which collection takes them; may be left out where there is one.
            strict: Whether an item that cannot be used raises, before its batch is written;
                otherwise it is left out and listed in the report.
            progress: Called with the report so far after each batch.

        Raises:
            SchemaError: The same id twice; in strict mode, an item that does not fit.
            DecodeError: In strict mode, a part that cannot be read.
            StoreError: The store cannot write; batches before this one are kept.
        """
        with self._life.writing:
            target = self.collection(collection)
            name = self._life.name(collection)
            encoder = ItemEncoder(self._life.assembly.layouts[name], self._life.cache)
            encoding = Encoding(self.deployment, name, encoder)
            indexer = Indexer(encoding, self._life.assembly.engine, target)
            return indexer.add(items, strict=strict, progress=progress)

    def delete(self, ids: Sequence[str], *, collection: str | None = None) -> int:
        """Delete items by id; returns how many there were."""
        wanted = id_list(ids, "ids")
        with self._life.writing:
            return self.collection(collection).delete(wanted)

    def warm_up(self) -> None:
        """Load the encoders and the aligner, so that the first query is fast.

        On an open host this begins to look, in the background, whether the encoders still give
        the stored vectors; `health` shows what came of it, and a drift is logged as a warning.
        """
        life = self._life
        life.assembly.warm_up()
        if life.serving is not None:
            life.serving.canary.start()

    def drift(self) -> dict[str, Any]:
        """Encode a few stored items again, if that was not done since opening, and compare.

        Returns:
            `status` (`ok`, `drifted`, `unchecked` or `failed`), and by field how many items
            were encoded and how far the farthest is from its stored vector.
        """
        canary = self._life.served().canary
        canary.wait()
        return canary.report()

    def reachable(self) -> bool:
        """Tell whether the store answers; always so if this process owns it."""
        self._life.require_open()
        return bool(self._life.assembly.store.health()["status"] != "unreachable")

    def health(self) -> dict[str, Any]:
        """Return the state of the store, the cache, the collections and the plugins as data.

        `drift` says whether the encoders still give the stored vectors, once `warm_up` or
        `drift` has looked.
        """
        return self._life.health()
