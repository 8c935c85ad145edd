"""Milvus Lite in this process, behind a private socket, and what it does not keep itself."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tiepoint.errors import InputError, StoreError
from tiepoint.index.milvus_client import quieten_grpc, store_errors
from tiepoint.index.ownership import LOCK_FILE, OPENING_WRITES, StoreLock
from tiepoint.owner.sockets import remove_socket, socket_path

_STATE_FILE = "store.json"
_FORMAT = 1
_GRACE_S = 60.0
_DATA = "milvus"
_GENERATIONS = "generations"

TIERS = "tiers"
"""The folder, beside the data, of what is derived of them."""


@dataclass(slots=True)
class CollectionState:
    """What is known of a collection without asking Milvus.

    Attributes:
        sequence: The last sequence number that was given out; after an unclean end, a lower
            bound of it.
        tombstones: The sequence number of each deleted item that is not purged.
    """

    sequence: int = 0
    tombstones: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class StoreState:
    """What `store.json` says.

    Attributes:
        clean: Whether the store was closed cleanly, or is new.
        generation: Which data count: 0 for `milvus/`, and n for those of the n-th migration.
        collections: The state of each collection.
    """

    clean: bool = True
    generation: int = 0
    collections: dict[str, CollectionState] = field(default_factory=dict)


class EmbeddedMilvus:
    """A store folder that this process owns, served by Milvus Lite from a thread.

    The folder holds `milvus/` (Milvus Lite's own files), `store.json` (says that this is a
    store, whether it was closed cleanly, and the collections' states) and the lock. A migration
    makes the next data in a store of their own, `generations/n/`; `store.json` says which
    generation counts, so that replacing that one file is the switch.

    pymilvus would serve a local path on a TCP port of the loopback interface, where any user
    of the machine could read and change the data. Here it listens on a Unix socket in a
    folder that only this user may enter.

    What is asked goes that way. Rows are handed over to Milvus Lite's engine directly, since
    packing them for the way through the socket takes three times as long as writing them.

    Args:
        folder: The store's folder; made if absent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generation = 0
        self._lock = StoreLock(folder)
        self._server: Any = None
        self._database: Any = None
        self._socket: Path | None = None
        # An interruption of the caller leaves this thread at work, so that no batch is half in.
        self._writer: ThreadPoolExecutor | None = None
        self._synced: dict[str, dict[Path, int]] = {}

    def open(self) -> tuple[str, bool, dict[str, CollectionState]]:
        """Own the folder and start serving it.

        Returns:
            The address for a client, whether the store was closed cleanly (or is new), and
            the state of each collection.

        Raises:
            InputError: The path is a file, is not writable, or holds something else.
            StoreOwnedError: Another process holds the store.
            StoreError: Milvus Lite cannot open its files.
        """
        _check_folder(self.folder)
        self._lock.acquire()
        try:
            state = _read_state(self.folder / _STATE_FILE)
            self.generation = state.generation
            self._write_state(clean=False, states=state.collections)
            self.remove_superseded()
            return self.start(), state.clean, state.collections
        except BaseException:
            self._lock.release()
            raise

    def start(self) -> str:
        """Serve the folder; the lock must be held. Gives the address."""
        quieten_grpc()
        from milvus_lite.adapter.grpc.server import start_server_in_thread
        from milvus_lite.exceptions import MilvusLiteError

        # What a user put into a folder of the usual mode is still theirs alone.
        self._data.mkdir(mode=0o700, exist_ok=True)
        self._remove_unfinished()
        self._socket = socket_path(self.folder, "milvus")
        try:
            self._server, self._database, _ = start_server_in_thread(
                str(self._data), host="unix", port=self._socket
            )
        except (MilvusLiteError, OSError, RuntimeError, ValueError) as error:
            remove_socket(self._socket)
            raise StoreError(
                f"Milvus Lite cannot open its files ({error})",
                where=str(self.folder),
                hint="Check the disk; restore the folder from a backup if its files are damaged.",
            ) from error
        self._writer = ThreadPoolExecutor(1, "tiepoint-milvus")
        # The thread begins now: one that an interruption met at its beginning is not waited for.
        self._writer.submit(int).result()
        return f"unix:{self._socket}"

    def upsert(self, name: str, entities: list[dict[str, Any]]) -> None:
        """Write rows of a collection, replacing those of the same id; `sync` makes them durable.

        Raises:
            StoreError: Milvus Lite cannot write them; `start` anew before the next write.
        """
        from milvus_lite import MilvusLiteError
        from pyarrow import ArrowException

        assert self._writer is not None  # noqa: S101 - started
        with store_errors(str(self.folder)):
            try:
                collection = self._database.get_collection(name)
                self._writer.submit(collection.upsert, entities).result()
            except (MilvusLiteError, ArrowException) as error:
                raise StoreError(
                    f"Milvus Lite cannot write the rows ({error})",
                    where=str(self.folder),
                    hint="Check the disk; nothing that was stored before is lost.",
                ) from error

    def sync(self, name: str) -> None:
        """Force what Milvus Lite has written of a collection to the disk.

        Milvus Lite 3.2.2 leaves its log to the operating system until it writes a segment,
        so that a loss of power would lose acknowledged rows.

        Args:
            name: The collection.
        """
        seen = self._synced.setdefault(name, {})
        for path in (self._data / "collections" / name).rglob("*"):
            try:
                status = path.stat()
                if seen.get(path) == status.st_mtime_ns:
                    continue
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue  # a log that became a segment, or a segment that was merged
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            seen[path] = status.st_mtime_ns

    def stop(self) -> None:
        """End serving; Milvus Lite writes what it has in memory, as far as it can."""
        if self._writer is not None:
            self._writer.shutdown()
            self._writer = None
        if self._server is not None:
            self._server.stop(grace=_GRACE_S).wait()
            self._database.close()
            self._server = self._database = None
        if self._socket is not None:
            remove_socket(self._socket)
            self._socket = None

    def close(self, states: Mapping[str, CollectionState] | None) -> None:
        """Stop, and give the folder up.

        Args:
            states: The collections' states if everything has been written; None leaves the
                store marked as not closed cleanly.

        Raises:
            StoreError: The disk is full; the store is left as not closed cleanly.
        """
        try:
            self.stop()
            if states is not None:
                self._write_state(clean=True, states=states)
        finally:
            self._lock.release()

    def switch(self, generation: int, states: Mapping[str, CollectionState]) -> str:
        """Serve another generation from now on; whole, also after a kill. Gives the address.

        Args:
            generation: Which; its data must lie there, closed.
            states: The states of its collections.

        Raises:
            StoreError: It cannot be served; the caller may switch back.
        """
        self.stop()
        self.generation, self._synced = generation, {}
        self._write_state(clean=False, states=states)
        return self.start()

    def closed_states(self, generation: int) -> dict[str, CollectionState]:
        """Return the states of a generation's collections, as its own store left them.

        Raises:
            StoreError: It was not closed cleanly.
        """
        path = generation_folder(self.folder, generation) / _STATE_FILE
        state = _read_state(path)
        if not path.exists() or not state.clean:
            raise StoreError(
                "the migrated data were not closed",
                where=str(path.parent),
                hint="Run the migration again; it goes on where it was.",
            )
        return state.collections

    def remove_superseded(self) -> None:
        """Remove the data of generations before this one, and what was derived of them."""
        if self.generation:
            for name in (_DATA, TIERS):
                shutil.rmtree(self.folder / name, ignore_errors=True)
        for number in range(1, self.generation):
            shutil.rmtree(generation_folder(self.folder, number), ignore_errors=True)

    @property
    def _data(self) -> Path:
        return generation_folder(self.folder, self.generation) / _DATA

    def _remove_unfinished(self) -> None:
        # A kill while a collection was made leaves a folder that Milvus Lite neither lists
        # nor makes again.
        for folder in (self._data / "collections").glob("*"):
            if not (folder / "schema.json").exists():
                shutil.rmtree(folder)

    def _write_state(self, *, clean: bool, states: Mapping[str, CollectionState]) -> None:
        content = {
            "tiepoint_store": _FORMAT,
            "clean": clean,
            "generation": self.generation,
            "collections": {name: asdict(state) for name, state in states.items()},
        }
        path = self.folder / _STATE_FILE
        draft = path.with_suffix(".tmp")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise StoreError(
                f"the store's state cannot be written ({error.strerror})",
                where=str(path),
                hint=f"{OPENING_WRITES} Free some space and try again.",
            ) from error


def generation_folder(folder: Path, generation: int) -> Path:
    """Return where a store keeps a generation of its data: a store of its own from the first on."""
    return folder / _GENERATIONS / str(generation) if generation else folder


def is_store(folder: Path) -> bool:
    """Tell whether a store was made in this folder."""
    return (folder / _STATE_FILE).exists()


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {entry.name for entry in folder.iterdir()}
    except FileExistsError:
        raise InputError(
            "the store's path is a file", where=str(folder), hint="Name a folder."
        ) from None
    except OSError as error:
        raise InputError(
            f"the store's folder cannot be used ({error.strerror})",
            where=str(folder),
            hint=f"{OPENING_WRITES} Give this user write access, or name another folder.",
        ) from error
    if _STATE_FILE not in names and names - {LOCK_FILE, f"{Path(_STATE_FILE).stem}.tmp"}:
        raise InputError(
            "the folder holds something else than a store",
            where=str(folder),
            hint="Name an empty folder, or one that does not exist yet.",
        )


def _read_state(path: Path) -> StoreState:
    if not path.exists():
        return StoreState()
    try:
        content = json.loads(path.read_text("utf-8"))
        version = content["tiepoint_store"]
        states = {name: CollectionState(**s) for name, s in content["collections"].items()}
        state = StoreState(bool(content["clean"]), int(content.get("generation", 0)), states)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            "the file that describes the store cannot be read",
            where=str(path),
            hint="Restore it from a backup; deleting the folder deletes the items.",
        ) from error
    if version != _FORMAT:
        raise InputError(
            f"the store has format {version}, this release reads {_FORMAT}",
            where=str(path),
            hint="Use the release that wrote it, or index into a new folder.",
        )
    return state
