"""The dispatcher: a thread for each sink empties the outbox, so that none waits for another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tiepoint.errors import StoreError
from tiepoint_adapters.backoff import Backoff
from tiepoint_adapters.clock import Clock, timestamp
from tiepoint_adapters.sinks.base import Sink, SinkError, SinkRefusedError
from tiepoint_security.delivery.outbox import Outbox, Parcel
from tiepoint_security.delivery.settings import DeliverySettings

logger = logging.getLogger(__name__)

_LOOK_S = 0.5
"""How often a thread looks for what other processes accepted, or what became due."""


@dataclass(slots=True)
class _State:
    """What `health` shows of a sink."""

    delivered: int = 0
    failures: int = 0
    error: str | None = None
    last_s: float | None = None


class Dispatcher:
    """Sends what the outbox holds.

    Args:
        outbox: The outbox.
        sinks: The sinks, by name.
        clock: The clocks.
        settings: How messages are tried.
    """

    def __init__(
        self,
        outbox: Outbox,
        sinks: Mapping[str, Sink],
        clock: Clock,
        settings: DeliverySettings | None = None,
    ) -> None:
        self.outbox = outbox
        self.sinks = dict(sinks)
        self.clock = clock
        self.settings = settings or DeliverySettings()
        self._backoff = Backoff(self.settings.first_wait_s, self.settings.longest_wait_s)
        self._states = {name: _State() for name in self.sinks}
        self._woken = {name: threading.Event() for name in self.sinks}
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to send."""
        for name in self.sinks:
            thread = threading.Thread(
                target=self._run, args=(name,), name=f"sink {name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Say that a message was accepted, so that it leaves at once."""
        for event in self._woken.values():
            event.set()

    def stop(self) -> None:
        """End, after the tries that are under way; what was not sent stays in the outbox."""
        self._ended.set()
        self.wake()
        for thread in self._threads:
            thread.join(self.settings.timeout_s + 1)
        self._threads.clear()
        for sink in self.sinks.values():
            sink.close()

    def send_one(self, name: str) -> bool:
        """Try the next message that is due to a sink; return whether there was one.

        Raises:
            StoreError: The outbox cannot be read or written.
        """
        settings = self.settings
        parcel = self.outbox.claim(name, settings.timeout_s * 2)
        if parcel is None:
            return False
        left_s = settings.max_age_s - max(0.0, self.clock.wall() - parcel.created_s)
        if left_s <= 0:
            self._bury(name, parcel, parcel_age(settings, parcel))
            return True
        state = self._states[name]
        try:
            self.sinks[name].send(parcel.message, min(settings.timeout_s, left_s))
        except SinkRefusedError as error:
            self._bury(name, parcel, error.what)
        except SinkError as error:
            state.failures += 1
            state.error = error.what
            wait_s = max(self._backoff.wait_s(parcel.attempts + 1), error.retry_after_s or 0)
            self.outbox.postpone(parcel, wait_s, error.what)
            if state.failures == 1:
                logger.warning("sink %s: %s; messages wait", name, error.what)
        else:
            self.outbox.delivered(parcel)
            if state.failures:
                logger.info("sink %s: delivers again", name)
            state.delivered += 1
            state.failures, state.error, state.last_s = 0, None, self.clock.wall()
        return True

    def health(self) -> dict[str, Any]:
        """Return plain data: what each sink took, and what waits for it.

        Raises:
            StoreError: The outbox cannot be read.
        """
        counts = self.outbox.counts()
        return {
            name: {
                "status": "failing" if state.failures else "ok",
                "delivered": state.delivered,
                "waiting": counts.get(name, {}).get("waiting", 0),
                "dead": counts.get(name, {}).get("dead", 0),
                "failures_in_a_row": state.failures,
                "error": state.error,
                "last_delivered_at": None if state.last_s is None else timestamp(state.last_s),
            }
            for name, state in self._states.items()
        }

    def _run(self, name: str) -> None:
        broken = False
        while not self._ended.is_set():
            self._woken[name].clear()
            try:
                busy = self.send_one(name)
                broken = False
            except StoreError as error:
                if not broken:
                    logger.error("sink %s: %s", name, error)
                broken, busy = True, False
            if not busy:
                self._woken[name].wait(_LOOK_S)

    def _bury(self, name: str, parcel: Parcel, reason: str) -> None:
        logger.error("sink %s: message %s is given up: %s", name, parcel.message.key, reason)
        self.outbox.bury(parcel, reason)


def parcel_age(settings: DeliverySettings, parcel: Parcel) -> str:
    """Return why a parcel that is too old was not sent, in words."""
    tries = f"after {parcel.attempts} tries" if parcel.attempts else "never tried"
    return f"it is older than {settings.max_age_s:g} s ({tries})"
