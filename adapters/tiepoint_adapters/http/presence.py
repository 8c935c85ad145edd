"""Which processes serve a deployment: each says every few seconds that it is there.

What a process had begun when it was killed (a job, a request with an idempotency key) is free
again once it has said nothing for a while, or at once where it ended by itself.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time

from tiepoint.errors import TiepointError
from tiepoint_adapters.http.state import Rows, ServiceState

log = logging.getLogger(__name__)

EVERY_S = 3.0
GONE_AFTER_S = 15.0

PRESENT = "SELECT id FROM processes WHERE seen > ?"
"""The processes that are there, seen after the value of `since`."""


def since() -> float:
    """Return when a process was last seen that counts as there still, in seconds since 1970.

    The clocks of replicas have to agree to a few seconds.
    """
    return time.time() - GONE_AFTER_S


class Presence:
    """That this process is there.

    Attributes:
        id: Names it.
        problem: Why it cannot be said at present.

    Args:
        state: What the processes share.
        alone: Whether no other process can serve the deployment, as this one owns its store.
    """

    def __init__(self, state: ServiceState, *, alone: bool) -> None:
        self.id = secrets.token_hex(8)
        self.problem: str | None = None
        self._state = state
        self._ending = threading.Event()
        with state.changing() as rows:
            if alone:
                rows.execute("DELETE FROM processes")
            self._say(rows)
        self._thread = threading.Thread(target=self._go_on, name="tiepoint-presence", daemon=True)

    def start(self) -> None:
        """Go on saying so."""
        self._thread.start()

    def close(self) -> None:
        """Say that this process is gone; what it had begun is free."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            with self._state.changing() as rows:
                rows.execute("DELETE FROM processes WHERE id = ?", (self.id,))
        except TiepointError as error:
            log.warning(
                "others will know in %.0f s that this process ended: %s", GONE_AFTER_S, error
            )

    def _say(self, rows: Rows) -> None:
        rows.execute("DELETE FROM processes WHERE id = ? OR seen < ?", (self.id, since() - 3600))
        rows.execute("INSERT INTO processes VALUES (?, ?)", (self.id, time.time()))

    def _go_on(self) -> None:
        while not self._ending.wait(EVERY_S):
            try:
                with self._state.changing() as rows:
                    self._say(rows)
            except TiepointError as error:
                if self.problem is None:
                    log.warning("other replicas cannot be told that this one is there: %s", error)
                self.problem = str(error)
            else:
                self.problem = None
