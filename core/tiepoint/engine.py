"""Where bulk work is done: in this process, or in others that an engine brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tiepoint.config.models import Deployment
from tiepoint.item_encoding import EncodedItems, ItemEncoder
from tiepoint.types import Item

Part = TypeVar("Part")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the items of one collection become rows.

    Attributes:
        deployment: From which another process builds the same encoders and aligner.
        collection: The collection's name in it.
        encoder: The same, built in this process.
    """

    deployment: Deployment
    collection: str
    encoder: ItemEncoder


class Engine(Protocol):
    """Spreads bulk work (entry points: `tiepoint.engines`).

    Constructed cheaply with its options from the deployment file. Whatever happens to a worker,
    each list of items comes back once; this process alone writes them to the store.
    """

    def encoded(self, encoding: Encoding, batches: Iterable[list[Item]]) -> Iterator[EncodedItems]:
        """Yield what each list of items became, in any order.

        Raises:
            TiepointError: The work could not be done.
        """

    def mapped(self, function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Yield what a function makes of each part, in any order.

        Args:
            function: Of a module, with `functools.partial` where it takes more: other processes
                import it by its name.
            parts: Sent to other processes, as the results are back.

        Raises:
            TiepointError: The work could not be done.
        """

    def health(self) -> dict[str, Any]:
        """Return what `health` shows of it."""

    def close(self) -> None:
        """End its workers."""


class LocalEngine:
    """Works in this process, with all cores that it may use (engine `local`)."""

    def encoded(self, encoding: Encoding, batches: Iterable[list[Item]]) -> Iterator[EncodedItems]:
        return map(encoding.encoder.encode, batches)

    def mapped(self, function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        return map(function, parts)

    def health(self) -> dict[str, Any]:
        return {"status": "ok", "type": "local"}

    def close(self) -> None:
        """Do nothing: there are no workers."""
