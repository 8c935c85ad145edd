"""A host: what a deployment file builds, and the one object that applications hold."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tiepoint import registry
from tiepoint.alignment.base import Aligner
from tiepoint.answering.base import Answer
from tiepoint.assembly import Assembly, build
from tiepoint.config.models import Deployment, MetadataType
from tiepoint.conversation.sessions import Sessions
from tiepoint.conversation.store import SessionStore, sessions_file
from tiepoint.embedded import embedded_deployment
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.cache import EmbeddingCache
from tiepoint.engine import Encoding
from tiepoint.errors import ConfigError, InputError, QueryError
from tiepoint.index.base import CollectionSchema
from tiepoint.index.collection import Collection
from tiepoint.index.copying import CopyReport
from tiepoint.index.milvus import MilvusStore
from tiepoint.index.sharing import SharedLock
from tiepoint.indexing import Indexer, Progress
from tiepoint.item_encoding import ItemEncoder
from tiepoint.owner import OwnerServer
from tiepoint.owner.handlers import owner_server
from tiepoint.plugin import Plugin
from tiepoint.query.batches import HitLists
from tiepoint.query.checks import id_list
from tiepoint.query.dicom import with_dicom
from tiepoint.query.options import SearchOptions
from tiepoint.query.probes import Encoded
from tiepoint.reloading import require_reloadable
from tiepoint.routes import aligned_encoder
from tiepoint.search import CollectionSearch
from tiepoint.server import Asgi, Server
from tiepoint.serving import Serving
from tiepoint.threads import configure_native_threads
from tiepoint.turns import WriteTurn
from tiepoint.types import AUDIO, IMAGE, TEXT, VIDEO, AddReport, Hit, Item

log = logging.getLogger(__name__)


class Host:
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
        self.deployment = deployment
        self.path: Path | None = None
        self._assembly = Assembly(deployment)
        self._lock = threading.RLock()
        self._reloading = threading.Lock()
        self._writing = WriteTurn()
        self._answering = SharedLock()
        self._serving: Serving | None = None
        self._started = False
        self._plugins: dict[str, Plugin] = {}
        self._failed_plugins: dict[str, str] = {}
        self._owner: OwnerServer | None = None
        self._cache: EmbeddingCache | None = None
        self._open = False
        self._closed = False
        self._entered = 0

    @classmethod
    def from_config(cls, path: Path | str) -> Self:
        """Build a host from a deployment file, without opening it."""
        from tiepoint.config.loader import load

        host = cls(load(path).deployment)
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
        with self._lock:
            self.open()
            self._entered += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._entered -= 1
            outermost = self._entered <= 0
        if outermost:
            self.close()

    def open(self) -> None:
        """Take the store and open every collection. Idempotent.

        Raises:
            StoreOwnedError: Another process holds the embedded store.
            FingerprintError: The stored vectors come from other encoders.
            StoreError: The store cannot be opened.
        """
        with self._lock:
            if self._open:
                return
            store = self._assembly.store
            if self.deployment.engine.threads is not None:
                configure_native_threads(self.deployment.engine.threads)
            try:
                store.open()
                self._serving = Serving.open(self._assembly)
                for name, options in self.deployment.plugins.items():
                    self._plugins[name] = self._assembly.plugin(name, options)
                self._cache = EmbeddingCache()
                if store.embedded:
                    self._owner = owner_server(self)
                    self._owner.start()
                self._open, self._closed = True, False
            except BaseException:
                self._release()
                raise

    def close(self) -> None:
        """Stop the plugins, snapshot what changed, and give the store back. Idempotent.

        Waits for a write that another thread has begun.
        """
        owner = self._owner
        if owner is not None:
            owner.close()  # first, as it waits for calls, which may wait to write
        self._writing.refuse_nested()
        self._stop_plugins()  # before the turn to write is taken: they may write until they end
        with self._writing, self._lock:
            self._closed, self._entered = True, 0
            if self._open:
                self._release()

    def _require_open(self) -> None:
        """Open at the first use, but not after `close`.

        Raises:
            InputError: The host was closed.
        """
        if not self._open:
            if self._closed:
                raise InputError("the host is closed", hint="Use it inside `with`, or open it.")
            self.open()

    def start(self) -> None:
        """Start the plugins; one that fails is shown in `health`, the others go on."""
        self._require_open()
        self._started = True
        for name in self._plugins:
            self._start(name)

    def _start(self, name: str) -> None:
        plugin = self._plugins[name]
        try:
            plugin.start(self)
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything
            log.error("plugin %s did not start: %s", name, error)
            self._failed_plugins[name] = f"{type(error).__name__}: {error}"
            self._stop(name, plugin)

    def _stop(self, name: str, plugin: Plugin) -> None:
        try:
            plugin.stop()
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything
            log.error("plugin %s did not stop: %s", name, error)

    def _stop_plugins(self) -> None:
        with self._lock:
            plugins, self._plugins = self._plugins, {}
        for name, plugin in reversed(plugins.items()):
            if name not in self._failed_plugins:
                self._stop(name, plugin)

    def _release(self) -> None:
        """Close everything from the top down; one part's failure spares the others."""
        with ExitStack() as last_to_first:
            last_to_first.callback(self._forget)
            last_to_first.callback(self._assembly.store.close)
            last_to_first.callback(self._assembly.engine.close)
            if self._cache is not None:
                last_to_first.callback(self._cache.close)
            if self._serving is not None:
                last_to_first.callback(self._serving.close)
            last_to_first.callback(self._stop_plugins)
            if self._owner is not None:
                last_to_first.callback(self._owner.close)

    def _forget(self) -> None:
        self._plugins = {}
        self._serving = self._owner = self._cache = None
        self._open = self._started = False

    def _served(self) -> Serving:
        self._require_open()
        assert self._serving is not None  # noqa: S101 - set while it is open
        return self._serving

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
        from tiepoint.index.copying import copy_collection

        self._require_open()
        with self._writing:
            target = MilvusStore(str(folder))
            target.open()
            try:
                schemas = self.store.collections().values()
                return [copy_collection(self.store, target, schema) for schema in schemas]
            finally:
                target.close()

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

            deployment = load(self.path).deployment
        with self._reloading:
            former = self._served()
            require_reloadable(self.deployment, deployment)
            assembly = Assembly(deployment, shared=self.store)
            plugins = {
                name: assembly.plugin(name, options)
                for name, options in deployment.plugins.items()
                if self.deployment.plugins.get(name) != options or name in self._failed_plugins
            }
            assembly.warm_up()
            self._serve_instead(assembly, former)
            self._replace_plugins(plugins)
        if "server" in self.__dict__:
            self.server.reloaded()

    def _serve_instead(self, assembly: Assembly, former: Serving) -> None:
        with self._writing, self._lock:
            new = Serving.open(assembly, former)
            with self._answering.exclusive():
                self._assembly, self._serving = assembly, new
                self.deployment = assembly.deployment
            former.assembly.engine.close()
            former.close(new)
        new.canary.start()

    def _replace_plugins(self, changed: Mapping[str, Plugin]) -> None:
        """Stop the plugins that changed or are gone, and start those that changed or are new."""
        with self._lock:
            if self._open:
                self._exchange_plugins(changed)

    def _exchange_plugins(self, changed: Mapping[str, Plugin]) -> None:
        for name in [*self._plugins]:
            if name in changed or name not in self.deployment.plugins:
                if name not in self._failed_plugins:
                    self._stop(name, self._plugins[name])
                del self._plugins[name]
                self._failed_plugins.pop(name, None)
        self._plugins |= changed
        if self._started:
            for name in changed:
                self._start(name)

    # Migration

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
        old, store = self._served(), self.store
        assembly = Assembly(deployment, shared=store)
        assembly.warm_up()
        with self._writing, self._lock:
            if any(next(store.scan(name, after), None) for name, after in seen.items()):
                return False
            with store.switched(generation):
                new = Serving.open(assembly)
            with self._answering.exclusive():
                former, self._assembly = self._assembly, assembly
                self._serving = new
                running = {"plugins": self.deployment.plugins, "engine": self.deployment.engine}
                self.deployment = deployment.model_copy(update=running)
            former.engine.close()
            old.discard()
            store.remove_superseded()
        self._start_again()
        return True

    def _start_again(self) -> None:
        """Let the plugins see what the host has become."""
        if self._started:
            for name, plugin in self._plugins.items():
                if name not in self._failed_plugins:
                    self._stop(name, plugin)
            self._failed_plugins = {}
            self.start()

    # Parts of the host

    @property
    def store(self) -> MilvusStore:
        """The store; open while the host is."""
        return self._assembly.store

    def writing(self) -> WriteTurn:
        """Return what to hold, by `with`, while writing to a collection directly."""
        return self._writing

    def collection(self, name: str | None = None) -> Collection:
        """Return an open collection; the only one if no name is given.

        Raises:
            QueryError: There is none of this name, or several and none is named.
        """
        return self._served().collections[self._name(name)]

    def schema(self, name: str | None = None) -> CollectionSchema:
        """Return what is stored of a collection, also while the host is not open.

        Raises:
            QueryError: There is none of this name, or several and none is named.
        """
        return self._assembly.layouts[self._name(name)].schema

    def collection_search(self, name: str | None = None) -> CollectionSearch:
        """Return what answers searches of a collection; of the only one if no name is given.

        Raises:
            QueryError: There is none of this name, or several and none is named.
        """
        return self._served().searches[self._name(name)]

    def encoder(self, name: str) -> Encoder:
        """Return an encoder of the deployment by name.

        Raises:
            QueryError: The deployment defines none of this name.
        """
        encoders = self._assembly.encoders
        if name not in encoders:
            raise QueryError(
                f"the deployment defines no encoder {name!r}",
                hint=f"Its encoders are {', '.join(encoders)}.",
            )
        return encoders[name]

    @property
    def aligner(self) -> Aligner | None:
        """What brings vectors of encoders into the joint space; None without an alignment."""
        return self._assembly.aligner

    @property
    def plugins(self) -> Mapping[str, Plugin]:
        """The plugins that the deployment names, but those that failed to start, by name."""
        self._require_open()
        failed = self._failed_plugins
        return {name: one for name, one in self._plugins.items() if name not in failed}

    def plugin(self, name: str) -> Plugin:
        """Return a plugin that the deployment names.

        Raises:
            QueryError: The deployment does not name it.
        """
        self._require_open()
        if name not in self._plugins:
            raise QueryError(
                f"the deployment names no plugin {name!r}",
                hint=f"Add it under `plugins`; there: {', '.join(self._plugins) or 'none'}.",
            )
        return self._plugins[name]

    def _name(self, name: str | None) -> str:
        names = list(self.deployment.collections)
        if name is None and len(names) == 1:
            return names[0]
        if name not in self.deployment.collections:
            raise QueryError(
                f"there is no collection {name!r}" if name else "no collection is named",
                hint=f"Name one of {', '.join(names)}.",
            )
        return name

    @cached_property
    def sessions(self) -> Sessions:
        """The search sessions, which outlive the host: to list, look at and reset."""
        section = self.deployment.search
        file = sessions_file(self.deployment.store.uri)
        return Sessions(SessionStore(file, section.session_hours))

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
        with self._writing:
            target = self.collection(collection)
            name = self._name(collection)
            encoder = ItemEncoder(self._assembly.layouts[name], self._cache)
            encoding = Encoding(self.deployment, name, encoder)
            indexer = Indexer(encoding, self._assembly.engine, target)
            return indexer.add(items, strict=strict, progress=progress)

    def delete(self, ids: Sequence[str], *, collection: str | None = None) -> int:
        """Delete items by id; returns how many there were."""
        wanted = id_list(ids, "ids")
        with self._writing:
            return self.collection(collection).delete(wanted)

    def search(
        self,
        *,
        text: str | None = None,
        image: Any = None,
        audio: Any = None,
        video: Any = None,
        dicom: Any = None,
        vector: Mapping[str, Any] | Any = None,
        parts: Mapping[str, Any] | None = None,
        where: str | None = None,
        exclude: Sequence[str] = (),
        k: int = 10,
        collection: str | None = None,
        explain: bool = False,
        session: str | None = None,
        encoded: Encoded | None = None,
        **options: Any,
    ) -> list[Hit]:
        """Return the k best items for a query of one or more parts, best first.

        Where one route answers, a hit's score is its similarity (cosine, or BM25); where
        several do, it is the fusion's sum. With negative parts, boosts or feedback, too, the
        hit's contributions sum to its score.

        Args:
            text: Words to match by meaning and, where a field indexes words, by BM25.
            image: Path, bytes, PIL image or array.
            audio: Path, bytes or samples.
            video: Path, also with a time range (`talk.mp4#t=10,20.5`), bytes, or frames.
            dicom: Path or bytes of a DICOM object, which is asked for as an image; or the path
                of a folder of them, asked for as a volume.
            vector: (d,) vector of the joint space, or vectors by vector field.
            parts: Further query parts by modality.
            where: A filter on metadata, such as `price < 20 and color == "red"`.
            exclude: Ids that are not wanted.
            k: How many hits, 1 to 16384.
            collection: Which collection; may be left out where there is one.
            explain: Whether hits say in words what made their score.
            session: The name of a search session: the text narrows or shifts what the turns
                before asked (see `Host.sessions`).
            encoded: The parts' vectors, where `encode_texts` has made them already.
            options: What else is asked for, by the names of `SearchOptions`: `negative` (a
                text, or parts by modality), `like` and `unlike` (ids), `weights`, `boosts`,
                `minimum`, `group_by` and `group_size`, `offset` or `after`, `diversity`.

        Raises:
            QueryError: Nothing to search for, no route that leads to it, a bad k or vector, or
                an option that does not exist or cannot be.
            DecodeError: A query part that cannot be read.
            FilterError: A filter that cannot be understood.
        """
        if parts is not None and not isinstance(parts, Mapping):
            raise QueryError("parts is no dictionary", hint="Give parts by modality.")
        given = {TEXT: text, IMAGE: image, AUDIO: audio, VIDEO: video, **(parts or {})}
        if dicom is not None:
            given = with_dicom(given, dicom)
        query = {modality: part for modality, part in given.items() if part is not None}
        with self._answering:
            search = self._served().searches[self._name(collection)]
            if session is not None:
                return self.sessions.search(
                    session,
                    search,
                    query,
                    vector,
                    where=where,
                    exclude=exclude,
                    k=k,
                    explain=explain,
                    options=SearchOptions.of(options),
                )
            return search.search(
                query,
                vector,
                where=where,
                exclude=exclude,
                k=k,
                explain=explain,
                options=SearchOptions.of(options) if options else None,
                encoded=encoded,
            )

    def encode_texts(self, texts: Sequence[str], *, collection: str | None = None) -> list[Encoded]:
        """Return the vectors of many queries' texts, encoded together, for `search(encoded=)`.

        Args:
            texts: One of each query.
            collection: Which collection will be searched; may be left out where there is one.

        Raises:
            DecodeError: One of the texts cannot be read.
        """
        with self._answering:
            return self._served().searches[self._name(collection)].reader.encode(TEXT, texts)

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:
        """Return an answer to a question from hits, of which every sentence cites some.

        A citation of anything else than these hits is left out, and so is a sentence without
        one (or it is marked, as `answer.unsupported` says).

        Args:
            question: In any language.
            hits: The hits of a search; the best `answer.hits` of them are used.

        Raises:
            ConfigError: The deployment names no language model under `answer`.
            DecodeError: The question is no text.
            AnswerError: The model did not answer.
        """
        from tiepoint.answering.answering import answer

        section = self.deployment.answer
        answerer = self._assembly.answerer
        if section is None or answerer is None:
            raise ConfigError(
                "the deployment names no language model",
                where="answer",
                hint="Add `answer: {type: transformers, model: ./folder}` or `type: openai`.",
            )
        return answer(question, hits, answerer, most=section.hits, unsupported=section.unsupported)

    def search_many(
        self,
        vectors: Mapping[str, Any] | Any,
        *,
        where: str | None = None,
        exclude: Sequence[str] = (),
        k: int = 10,
        collection: str | None = None,
    ) -> HitLists:
        """Return the k best items for each of many vectors, all cores working on them.

        Args:
            vectors: (n, d) vectors of the only field, or those of one field by its name.
            where: A filter on metadata.
            exclude: Ids that are not wanted.
            k: How many hits of each, 1 to 16384.
            collection: Which collection; may be left out where there is one.

        Returns:
            A sequence of n lists of hits, as `search` returns them but without boosts and
            probabilities; its `found` has the ids and scores alone.

        Raises:
            QueryError: Bad vectors or a bad k, or vectors that not one field alone is for.
            FilterError: A filter that cannot be understood.
        """
        with self._answering:
            search = self._served().searches[self._name(collection)]
            return search.search_many(vectors, where=where, exclude=exclude, k=k)

    def embed(self, **parts: Sequence[Any]) -> Vectors:
        """Return (n, d) joint vectors of n parts of one modality, as stored and as asked.

        Args:
            parts: One modality with its parts, such as `image=["a.jpg"]` or `text=["a dog"]`.

        Raises:
            QueryError: Not exactly one modality, or one that is not aligned.
            DecodeError: A part that cannot be read.
        """
        aligner = self._assembly.aligner
        if len(parts) != 1:
            raise QueryError(
                "give the parts of exactly one modality", hint="Call embed(text=[...])."
            )
        [(modality, batch)] = parts.items()
        found = None
        if aligner is not None:
            found = aligned_encoder(aligner, modality, self._assembly.encoders)
        if aligner is None or found is None:
            known = ", ".join(aligner.encoders) if aligner else "none"
            raise QueryError(f"{modality!r} is not aligned", hint=f"Aligned: {known}.")
        if isinstance(batch, str | bytes):
            raise QueryError(f"{modality} is one part", hint=f"Call embed({modality}=[...]).")
        encoder, space = found
        own = encoder.encode(batch, modality)
        return aligner.transform(space, own) if len(batch) else own

    def warm_up(self) -> None:
        """Load the encoders and the aligner, so that the first query is fast.

        On an open host this begins to look, in the background, whether the encoders still give
        the stored vectors; `health` shows what came of it, and a drift is logged as a warning.
        """
        self._assembly.warm_up()
        if self._serving is not None:
            self._serving.canary.start()

    def drift(self) -> dict[str, Any]:
        """Encode a few stored items again, if that was not done since opening, and compare.

        Returns:
            `status` (`ok`, `drifted`, `unchecked` or `failed`), and by field how many items
            were encoded and how far the farthest is from its stored vector.
        """
        canary = self._served().canary
        canary.wait()
        return canary.report()

    def health(self) -> dict[str, Any]:
        """Return the state of the store, the cache, the collections and the plugins as data.

        `drift` says whether the encoders still give the stored vectors, once `warm_up` or
        `drift` has looked.
        """
        self._require_open()
        plugins = {name: self._plugin_health(name) for name in self._plugins}
        collections = {name: c.health() for name, c in self._served().collections.items()}
        return {
            "store": self._assembly.store.health(),
            "engine": self._assembly.engine.health(),
            "cache": self._cache.health() if self._cache is not None else {"status": "closed"},
            "collections": collections,
            "drift": self._served().canary.report(),
            "plugins": plugins,
        }

    def _plugin_health(self, name: str) -> dict[str, Any]:
        if name in self._failed_plugins:
            return {"status": "failed", "reason": self._failed_plugins[name]}
        try:
            return self._plugins[name].health()
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything
            return {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
