"""Many parts through one encoder: read once, decoded while others are inferred, remembered."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.cache import EmbeddingCache, digest
from tiepoint.encoders.files import is_file
from tiepoint.errors import DecodeError
from tiepoint.inference import Priority, prioritised
from tiepoint.threads import native_threads, preparation_threads
from tiepoint.types import Modality

CHUNK = 16
"""Most parts that one thread reads and decodes before it hands them on."""


@dataclass(slots=True)
class Encoded:
    """What became of each part.

    Attributes:
        vectors: (n, dim) float32 unit vectors in the order of the parts; NaN where one failed.
        errors: Why, by position of the part.
        digests: The SHA-256 of each part's content; empty where it could not be read.
        encoded: Parts that went through the encoder.
        cached: Parts whose vector was known, from the cache or from an equal part.
    """

    vectors: Vectors
    errors: dict[int, DecodeError] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    encoded: int = 0
    cached: int = 0


def encode_parts(
    encoder: Encoder,
    parts: Sequence[Any],
    modality: Modality | None = None,
    cache: EmbeddingCache | None = None,
    priority: Priority = Priority.BATCH,
    progress: Callable[[int], None] | None = None,
) -> Encoded:
    """Encode parts, skipping those that cannot be read and those that are known.

    A file is read once, and what is hashed is what is decoded. Equal parts are encoded once.

    Args:
        encoder: The encoder.
        parts: Its parts: paths, bytes, PIL images, arrays or strings.
        modality: What they are; the encoder's main modality if not given.
        cache: Where vectors are looked up and kept.
        priority: Of the inference.
        progress: Called with the number of parts done, now and then.
    """
    kind = modality or encoder.modalities[0]
    outcomes: dict[str, Vectors | DecodeError] = {}
    read: list[_Read] = []
    waiting: list[_Read] = []
    encoded = 0
    with prioritised(priority):
        for chunk in _prepared_chunks(encoder, parts, kind, cache):
            read += chunk
            outcomes |= {part.digest: part.outcome for part in chunk if part.outcome is not None}
            waiting += [part for part in chunk if part.prepared is not None]
            last = len(read) == len(parts)
            while len(waiting) >= (1 if last else encoder.batch_size):
                batch, waiting = waiting[: encoder.batch_size], waiting[encoder.batch_size :]
                vectors = _infer(encoder, batch, kind)
                if cache is not None:
                    cache.put(vectors, kind, encoder.fingerprint)
                outcomes |= vectors
                encoded += len(batch)
            if progress is not None:
                progress(len(read) - len(waiting))
    return _collect(encoder, parts, kind, read, outcomes, encoded)


@dataclass(slots=True)
class _Read:
    """A part that was read: known or failed (`outcome`), to infer (`prepared`), or a repetition."""

    digest: str
    outcome: Vectors | DecodeError | None = None
    prepared: Any = None


def _prepared_chunks(
    encoder: Encoder, parts: Sequence[Any], kind: Modality, cache: EmbeddingCache | None
) -> Iterator[list[_Read]]:
    """Yield the parts in order, read and prepared by threads that stay some chunks ahead."""
    threads = native_threads()
    size = max(1, min(CHUNK, encoder.batch_size, -(-len(parts) // threads)))
    claims = _Claims()
    starts = iter(range(0, len(parts), size))
    ahead: deque[Future[list[_Read]]] = deque()
    try:
        while True:
            for start in islice(starts, threads + 1 - len(ahead)):
                chunk = parts[start : start + size]
                ahead.append(
                    preparation_threads().submit(_prepare, encoder, chunk, kind, cache, claims)
                )
            if not ahead:
                return
            yield ahead.popleft().result()
    finally:
        for future in ahead:
            future.cancel()


class _Claims:
    """The contents that some thread has taken on."""

    def __init__(self) -> None:
        self._digests: set[str] = set()
        self._lock = threading.Lock()

    def take(self, content: str) -> bool:
        """Tell whether the caller is the first to ask for this content."""
        with self._lock:
            first = content not in self._digests
            self._digests.add(content)
        return first


def _prepare(
    encoder: Encoder,
    parts: Sequence[Any],
    kind: Modality,
    cache: EmbeddingCache | None,
    claims: _Claims,
) -> list[_Read]:
    """Read some parts, look them up, and prepare those that are new."""
    contents: list[Any] = []
    read: list[_Read] = []
    for part in parts:
        try:
            content = encoder.read(part, kind)
            read.append(_Read(digest(content, kind)))
        except DecodeError as error:
            content = None
            read.append(_Read("", error))
        contents.append(content)
    new = [i for i, part in enumerate(read) if part.digest and claims.take(part.digest)]
    if cache is not None:
        known = cache.get([read[i].digest for i in new], kind, encoder.fingerprint)
        for i, vector in zip(new, known, strict=True):
            read[i].outcome = vector
    for i in new:
        if read[i].outcome is None:
            try:
                read[i].prepared = encoder.prepare(contents[i], kind)
            except DecodeError as error:
                read[i].outcome = error
    return read


def _infer(encoder: Encoder, batch: Sequence[_Read], kind: Modality) -> dict[str, Vectors]:
    vectors = encoder.infer([part.prepared for part in batch], kind)
    return {part.digest: vector for part, vector in zip(batch, vectors, strict=True)}


def _collect(
    encoder: Encoder,
    parts: Sequence[Any],
    kind: Modality,
    read: Sequence[_Read],
    outcomes: dict[str, Vectors | DecodeError],
    encoded: int,
) -> Encoded:
    """Give every part the outcome of its content, and every failure the name of its file."""
    result = Encoded(
        np.full((len(parts), encoder.dim), np.nan, np.float32),
        digests=[part.digest for part in read],
        encoded=encoded,
    )
    for i, (given, part) in enumerate(zip(parts, read, strict=True)):
        outcome = outcomes[part.digest] if part.digest else part.outcome
        if isinstance(outcome, DecodeError):
            named = is_file(given, kind) and not hasattr(given, "read") and not outcome.where
            where = os.fspath(given) if named else outcome.where
            result.errors[i] = DecodeError(outcome.what, where=where, hint=outcome.hint)
        else:
            result.vectors[i] = outcome
    result.cached = len(parts) - len(result.errors) - encoded
    return result
