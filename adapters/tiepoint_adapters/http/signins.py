"""Sign-ins of people to the pages: a random cookie that the service knows, and can forget."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Scope

from tiepoint_adapters.http.keys import Key
from tiepoint_adapters.http.state import ServiceState

COOKIE = "tiepoint_session"
CSRF_HEADER = "x-csrf-token"


@dataclass(frozen=True, slots=True)
class Signin:
    """A sign-in.

    Attributes:
        digest: The hash of its cookie.
        key: The id of the key that it was made with; it ends with that key.
        csrf: What a page sends as `X-CSRF-Token` with what changes something.
    """

    digest: str
    key: str
    csrf: str

    def allows(self, csrf: str | None) -> bool:
        """Tell whether a request was sent by our own page."""
        return csrf is not None and hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Signins:
    """The sign-ins that the service knows.

    Args:
        state: Where they are kept.
        hours: How long each lasts.
    """

    def __init__(self, state: ServiceState, hours: float) -> None:
        self._state = state
        self._seconds = hours * 3600

    def create(self, key: Key) -> tuple[str, Signin]:
        """Sign in with a key; returns the cookie's value, and the sign-in."""
        value, now = secrets.token_urlsafe(32), time.time()
        made = Signin(_digest(value), key.id, secrets.token_urlsafe(32))
        with self._state.changing() as rows:
            rows.execute("DELETE FROM signins WHERE expires <= ?", (now,))
            rows.execute(
                "INSERT INTO signins VALUES (?, ?, ?, ?)",
                (made.digest, made.key, made.csrf, now + self._seconds),
            )
        return value, made

    def find(self, value: str) -> Signin | None:
        """Return the sign-in of a cookie; None if there is none, or none any more."""
        with self._state.changing() as rows:
            found = rows.execute(
                "SELECT digest, key, csrf FROM signins WHERE digest = ? AND expires > ?",
                (_digest(value), time.time()),
            ).fetchone()
        return Signin(*found) if found is not None else None

    def end(self, signin: Signin) -> None:
        """Sign out: the cookie is worth nothing from now on."""
        with self._state.changing() as rows:
            rows.execute("DELETE FROM signins WHERE digest = ?", (signin.digest,))

    def set_cookie(self, response: Response, scope: Scope, value: str) -> None:
        """Give the browser a sign-in's cookie, which scripts cannot read."""
        response.set_cookie(
            COOKIE,
            value,
            max_age=round(self._seconds),
            path=scope.get("root_path") or "/",
            secure=scope["scheme"] in ("https", "wss"),
            httponly=True,
            samesite="strict",
        )


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
