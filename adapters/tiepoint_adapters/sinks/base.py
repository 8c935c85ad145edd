"""The contract of sinks: a message goes out, or an error says whether to try again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tiepoint.errors import TiepointError


@dataclass(frozen=True, slots=True)
class Message:
    """What a sink delivers.

    Attributes:
        key: The idempotency key: the same each time the same message is sent, and no other's.
        subject: One line.
        text: What a person reads; may have lines.
        severity: How bad it is.
        created_s: When it was made, in seconds since 1970.
        body: What a program reads; plain JSON data, with the key in it.
    """

    key: str
    subject: str
    text: str
    severity: Literal["info", "warning", "critical"]
    created_s: float
    body: Mapping[str, Any]


class SinkError(TiepointError):
    """A message that was not delivered, and may be if it is sent again later.

    Args:
        what: What went wrong.
        where: The sink.
        retry_after_s: The wait that the receiver asks for.
    """

    def __init__(self, what: str, *, where: str, retry_after_s: float | None = None) -> None:
        super().__init__(what, where=where)
        self.retry_after_s = retry_after_s


class SinkRefusedError(TiepointError):
    """A message that the receiver will never take; sending it again is useless."""


class Sink(ABC):
    """Delivers messages (entry points: `tiepoint.sinks`).

    Constructed cheaply with its options; a connection is made at the first message and kept.
    One thread at a time uses a sink. A message may be sent more than once (a process that
    dies between the sending and the note of it sends again), always under the same key.
    """

    @abstractmethod
    def send(self, message: Message, timeout_s: float) -> None:
        """Deliver a message; return only when the receiver has taken it.

        Args:
            message: The message.
            timeout_s: How long it may take; after it nothing more is sent of this message.

        Raises:
            SinkError: It was not delivered.
            SinkRefusedError: It was not delivered and never will be.
        """

    def close(self) -> None:
        """Give up the connection; a later `send` makes a new one."""
