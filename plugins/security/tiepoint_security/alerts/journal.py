"""The contract of what keeps alerts: it takes one and its messages together, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tiepoint_adapters.sinks.base import Message
from tiepoint_security.alerts.alert import Alert


@dataclass(frozen=True, slots=True)
class Addressed:
    """A message, and the sinks that are to get it."""

    message: Message
    sinks: tuple[str, ...]


class Journal(Protocol):
    """Keeps alerts, and accepts their messages for delivery."""

    def record(self, alert: Alert, messages: Sequence[Addressed]) -> None:
        """Keep an alert's state and accept its messages, in one transaction.

        Once it returns, a killed process loses neither.

        Raises:
            StoreError: Nothing was kept.
        """

    def acknowledged(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return who acknowledged which of these alerts.

        Raises:
            StoreError: It cannot be read.
        """

    def unfinished(self) -> list[Alert]:
        """Return the alerts that went on, or awaited acknowledgement, when a process ended.

        Their monotonic times are those of this process.

        Raises:
            StoreError: It cannot be read.
        """
