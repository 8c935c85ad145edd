"""A worker's part of the cameras: taken, renewed, and let go in time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any

from tiepoint.errors import StoreError
from tiepoint_adapters.background import Background
from tiepoint_adapters.clock import Clock
from tiepoint_security.records.leases import Leases

logger = logging.getLogger(__name__)

_RENEWALS = 3
"""How often a lease is renewed while it lasts."""


class Sharing:
    """Keeps the leases of a worker, on a thread of its own.

    What cannot be renewed is let go when it runs out, so that two workers never watch one
    camera for longer than their clocks differ.

    Args:
        leases: The leases.
        cameras: All cameras.
        clock: The clocks.
        take: Called with cameras that are held from now on.
        let_go: Called with cameras that are no longer held.
    """

    def __init__(
        self,
        leases: Leases,
        cameras: Collection[str],
        clock: Clock,
        take: Callable[[frozenset[str]], None],
        let_go: Callable[[frozenset[str]], None],
    ) -> None:
        self._leases = leases
        self._cameras = tuple(cameras)
        self._clock = clock
        self._take = take
        self._let_go = let_go
        self.held: frozenset[str] = frozenset()
        self._until_s = clock.monotonic()
        self._error: str | None = None
        self._background = Background("leases", self._run)

    def start(self) -> None:
        """Begin to take cameras."""
        self._background.start()

    def stop(self) -> None:
        """Give everything back."""
        self._background.stop()
        try:
            self._leases.give_back()
        except StoreError as error:
            logger.warning("leases cannot be given back, and run out: %s", error)

    def health(self) -> dict[str, Any]:
        """Return plain data: who this worker is, and what it holds."""
        return {
            "worker": self._leases.worker,
            "cameras": sorted(self.held),
            "error": self._error,
        }

    def step(self) -> None:
        """Renew, and tell what changed."""
        asked_s = self._clock.monotonic()
        try:
            held = self._leases.renew(self._cameras)
        except StoreError as error:
            if self._error is None:
                logger.error("leases of cameras cannot be renewed: %s", error)
            self._error = str(error)
            held = self.held if asked_s < self._until_s else frozenset()
        else:
            self._error = None
            self._until_s = asked_s + self._leases.lease_s
        lost, new = self.held - held, held - self.held
        self.held = held
        if lost:
            self._let_go(lost)
        if new:
            self._take(new)

    def _run(self) -> None:
        while True:
            self.step()
            if self._background.ended.wait(self._leases.lease_s / _RENEWALS):
                return
