"""Requests that may be sent again (`Idempotency-Key`): they are done once, and answered alike."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Header, Response
from pydantic import BaseModel

from tiepoint_adapters.http.access import Principal
from tiepoint_adapters.http.presence import PRESENT, Presence, since
from tiepoint_adapters.http.problems import BusyError, ConflictError
from tiepoint_adapters.http.state import ServiceState

_KEPT_S = 24 * 3600.0

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="Any unique text. A request that is sent again with it within a day is not"
        " done again, and gets the same answer.",
    ),
]


class Repeats:
    """Answers of requests that had a key.

    Args:
        state: Where they are kept.
        presence: Says which processes are there. What one had begun that is gone is done again:
            what it does can be.
    """

    def __init__(self, state: ServiceState, presence: Presence) -> None:
        self._state = state
        self._process = presence.id

    def once(
        self,
        caller: Principal,
        key: str | None,
        request: BaseModel,
        work: Callable[[], BaseModel],
        status: int = 200,
    ) -> Response:
        """Do some work, unless the same caller's same request was done with this key.

        Args:
            caller: Who asks.
            key: The request's key; the work is done in any case if None.
            request: What is asked for.
            work: Does it, and returns the answer; what it raises is not kept.
            status: The answer's status.

        Raises:
            ConflictError: The key was used for another request.
            BusyError: The same request is under way.
        """
        if key is None:
            return _response(status, work().model_dump_json().encode())
        digest = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
        known = self._begun(caller.name, key, digest)
        if known is not None:
            response = _response(*known)
            response.headers["Idempotent-Replayed"] = "true"
            return response
        try:
            body = work().model_dump_json().encode()
        except BaseException:
            with self._state.changing() as rows:
                rows.execute("DELETE FROM repeats WHERE caller = ? AND key = ?", (caller.name, key))
            raise
        with self._state.changing() as rows:
            rows.execute(
                "UPDATE repeats SET status = ?, body = ? WHERE caller = ? AND key = ?",
                (status, body, caller.name, key),
            )
        return _response(status, body)

    def _begun(self, caller: str, key: str, digest: str) -> tuple[int, bytes] | None:
        """Note that a request was begun; or return the answer that it got before."""
        now = time.time()
        with self._state.changing() as rows:
            rows.execute("DELETE FROM repeats WHERE made < ?", (now - _KEPT_S,))
            rows.execute(
                "DELETE FROM repeats WHERE caller = ? AND key = ? AND status IS NULL"  # noqa: S608
                f" AND (process IS NULL OR process NOT IN ({PRESENT}))",
                (caller, key, since()),
            )
            found = rows.execute(
                "SELECT request, status, body FROM repeats WHERE caller = ? AND key = ?",
                (caller, key),
            ).fetchone()
            if found is None:
                rows.execute(
                    "INSERT INTO repeats (caller, key, request, made, process)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (caller, key, digest, now, self._process),
                )
                return None
        if found[0] != digest:
            raise ConflictError(
                "the key was used for another request",
                where="Idempotency-Key",
                hint="Use a new key for each request.",
            )
        if found[1] is None:
            raise BusyError("the same request is under way", retry_after_s=1.0)
        return int(found[1]), bytes(found[2])


def _response(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="application/json")
