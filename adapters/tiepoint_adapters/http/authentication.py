"""Finding out who calls: a key, a token, a sign-in, or someone at this very machine."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from tiepoint.config.service import AuthSection
from tiepoint_adapters.http.access import ANONYMOUS, LOCAL, NotAllowedError, Principal
from tiepoint_adapters.http.keys import Key, KeyFile
from tiepoint_adapters.http.oidc import TokenVerifier
from tiepoint_adapters.http.signins import COOKIE, Signin, Signins
from tiepoint_adapters.http.state import ServiceState


@dataclass(frozen=True, slots=True)
class Known:
    """Who calls, and their sign-in where a cookie says who they are."""

    principal: Principal
    signin: Signin | None = None


class Authenticator:
    """Tells who calls.

    Args:
        auth: Who may; None lets whoever calls from this machine, not through a proxy.
        state: Where sign-ins are kept.
    """

    def __init__(self, auth: AuthSection | None, state: ServiceState) -> None:
        self.auth = auth
        self.keys = KeyFile(auth.keys) if auth is not None else None
        self.signins = Signins(state, auth.session_hours if auth is not None else 12.0)
        self._tokens = TokenVerifier(auth.oidc) if auth is not None and auth.oidc else None
        self._anonymous = Principal(
            ANONYMOUS.name, frozenset(auth.anonymous if auth is not None else ()), "anonymous"
        )

    async def known(self, scope: Scope) -> Known:
        """Return who sent a request.

        Raises:
            NotAllowedError: What was shown is not, or no longer, good.
        """
        headers = Headers(scope=scope)
        if self.auth is None or self.keys is None:
            return Known(LOCAL if _from_here(scope, headers) else ANONYMOUS)
        shown = _shown(headers)
        if shown is not None:
            return Known(await self._of_credential(shown))
        cookie = _cookie(headers)
        if cookie is not None:
            signin = await asyncio.to_thread(self.signins.find, cookie)
            key = self.keys.by_id(signin.key) if signin is not None else None
            if key is not None:
                return Known(_of_key(key, "session"), signin)
        return Known(self._anonymous)

    def key_of(self, text: str) -> Key:
        """Return the key of this text.

        Raises:
            NotAllowedError: It is not, or no longer, good.
        """
        key = self.keys.verify(text) if self.keys is not None else None
        if key is None:
            raise _refused()
        return key

    async def _of_credential(self, shown: str) -> Principal:
        if shown.startswith("tp_"):
            return _of_key(self.key_of(shown), "key")
        if self._tokens is not None:
            # In a thread, as the provider may have to be asked for its keys.
            principal = await asyncio.to_thread(self._tokens.verify, shown)
            if principal is not None:
                return principal
        raise _refused()


def _of_key(key: Key, kind: str) -> Principal:
    scopes = frozenset(key.scopes)
    return Principal(f"key:{key.name}", scopes, "key" if kind == "key" else "session")


def _refused() -> NotAllowedError:
    return NotAllowedError(
        "the key or token is not good",
        known=False,
        hint="It may be mistyped, expired or revoked; ask for another one.",
    )


def _from_here(scope: Scope, headers: Headers) -> bool:
    """Tell whether a request comes from this machine, and not through a proxy on it."""
    if "x-forwarded-for" in headers or "forwarded" in headers:
        return False
    client = scope.get("client")
    if client is None:  # a Unix socket
        return True
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _shown(headers: Headers) -> str | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    return headers.get("x-api-key")


def _cookie(headers: Headers) -> str | None:
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)
