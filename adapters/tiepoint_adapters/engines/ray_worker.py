"""What runs in a worker of the Ray engine: the same encoding, from the same deployment."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tiepoint.config.models import Deployment
from tiepoint.config.ranking import FusionSection
from tiepoint.config.store import StoreSection
from tiepoint.item_encoding import EncodedItems, ItemEncoder
from tiepoint.types import Item

_encoders: dict[str, ItemEncoder] = {}


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker must know, apart from the items.

    Attributes:
        key: Names the encoders that it builds, so that a worker builds them once.
        deployment: Its encoders, alignment and collections.
        collection: The collection whose items are encoded.
        threads: Native threads of one worker.
    """

    key: str
    deployment: Deployment
    collection: str
    threads: int


@dataclass(frozen=True, slots=True)
class Worked:
    """One batch that came back, and who did it.

    Attributes:
        batch: What became of its items.
        worker: The host name and the process id.
    """

    batch: EncodedItems
    worker: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Held:
    """Anything as one cell of a data set, which would take some things apart.

    Attributes:
        content: What it is.
    """

    content: Any


def job_of(deployment: Deployment, collection: str, threads: int) -> Job:
    """Return the job of encoding a collection's items; it holds no store and no secret."""
    lean = deployment.model_copy(
        update={
            "store": StoreSection(),
            "sources": {},
            "sinks": {},
            "answer": None,
            "auth": None,
            "plugins": {},
            "fusion": FusionSection(),
            "engine": type(deployment.engine)(),
        }
    )
    key = hashlib.sha256(lean.model_dump_json().encode()).hexdigest()
    return Job(f"{key}/{collection}", lean, collection, threads)


def encode(row: dict[str, Any], job: Job) -> dict[str, Any]:
    """Encode the items of one row of the data set.

    Args:
        row: `items`, a list of `Item`.
        job: Of which collection.

    Returns:
        `worked`, a `Worked`.
    """
    items: list[Item] = row["items"]
    return {"worked": Worked(_encoder(job).encode(items), (socket.gethostname(), os.getpid()))}


def apply(row: dict[str, Any], function: Callable[[Any], Any], threads: int) -> dict[str, Any]:
    """Call a function with the part of one row of the data set.

    Args:
        row: `part`, a `Held`.
        function: What to call.
        threads: Native threads of this worker.

    Returns:
        `result`, a `Held`.
    """
    from tiepoint.threads import configure_native_threads

    configure_native_threads(threads)
    return {"result": Held(function(row["part"].content))}


def _encoder(job: Job) -> ItemEncoder:
    if job.key not in _encoders:
        from tiepoint.assembly import Assembly
        from tiepoint.encoders.cache import EmbeddingCache
        from tiepoint.threads import configure_native_threads

        configure_native_threads(job.threads)
        layout = Assembly(job.deployment).layouts[job.collection]
        _encoders[job.key] = ItemEncoder(layout, EmbeddingCache())
    return _encoders[job.key]
