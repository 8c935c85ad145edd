"""The contract of streams: messages are read, worked on, and only then done with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream.

    Attributes:
        key: By which the stream is told that it is done with.
        fields: What it says; None where it is not a table of fields.
    """

    key: Any
    fields: Mapping[str, Any] | None


class EventStream(ABC):
    """A stream read by the members of a consumer group, which share the messages.

    A message comes again until it is done with, so that none is lost when a member is killed.
    """

    @abstractmethod
    def read(self, most: int, wait_s: float) -> list[Message]:
        """Return messages: those that a dead member left first, then new ones.

        Args:
            most: So many at most.
            wait_s: How long to wait where there are none.

        Raises:
            StoreError: The stream cannot be reached.
        """

    @abstractmethod
    def done(self, messages: Sequence[Message]) -> None:
        """Say that messages are done with; they do not come again.

        Raises:
            StoreError: The stream cannot be reached; they come again.
        """

    @abstractmethod
    def refuse(self, message: Message, reason: str) -> None:
        """Put a message aside that cannot be used, where people find it.

        Raises:
            StoreError: The stream cannot be reached.
        """

    def close(self) -> None:
        """Let go of the connection."""
