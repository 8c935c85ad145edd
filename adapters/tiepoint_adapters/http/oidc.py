"""Tokens of an identity provider (OpenID Connect, JWT), verified by PyJWT."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

from tiepoint.config.service import OidcSection
from tiepoint.errors import ConfigError, MissingDependencyError
from tiepoint_adapters.http.access import Principal

log = logging.getLogger(__name__)

_LEEWAY_S = 30
_TIMEOUT_S = 5
_RETRY_S = 30.0
_LONGEST = 16_384


class TokenVerifier:
    """Verifies tokens of one provider.

    Only signatures by the provider's public keys are accepted, by the algorithms that are
    configured; a token names its issuer, us as its audience, and an end.

    Args:
        section: The provider, and what its roles may do.

    Raises:
        MissingDependencyError: PyJWT is not installed.
    """

    def __init__(self, section: OidcSection) -> None:
        try:
            import jwt  # noqa: F401 - told now, not at the first request
        except ImportError as error:
            raise MissingDependencyError(
                "PyJWT is not installed", where="auth.oidc", hint="pip install 'tiepoint[oidc]'"
            ) from error
        self._section = section
        self._keys: Any = None
        self._failed_at = float("-inf")
        self._loading = threading.Lock()

    def verify(self, token: str) -> Principal | None:
        """Return who a token names, or None if it cannot be accepted.

        May wait for the provider, where its keys are not known yet.
        """
        import jwt

        if len(token) > _LONGEST:
            return None
        section = self._section
        try:
            key = self._key_of(token)
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=list(section.algorithms),
                audience=section.audience,
                issuer=section.issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            log.info("a token was refused: %s", error)
            return None
        scopes = frozenset(self._scopes(claims.get(section.claim)))
        return Principal(f"oidc:{claims['sub']:.200}", scopes, "oidc")

    def _scopes(self, claimed: Any) -> list[str]:
        words = claimed.split() if isinstance(claimed, str) else claimed
        names = [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
        if not self._section.roles:
            return names
        return [scope for name in names for scope in self._section.roles.get(name, ())]

    def _key_of(self, token: str) -> Any:
        """Return the provider's key that a token names; None where it cannot be had."""
        import jwt

        header = jwt.get_unverified_header(token)
        keys = self._keys_or_none()
        if keys is None:
            return None
        if isinstance(keys, jwt.PyJWKClient):
            try:
                return keys.get_signing_key_from_jwt(token).key
            except jwt.PyJWKClientConnectionError as error:
                log.warning("the keys of the identity provider cannot be had: %s", error)
                return None
        named = [key for key in keys.keys if key.key_id == header.get("kid")]
        if named or len(keys.keys) == 1:
            return (named or keys.keys)[0].key
        return None

    def _keys_or_none(self) -> Any:
        with self._loading:
            if self._keys is None and time.monotonic() - self._failed_at > _RETRY_S:
                try:
                    self._keys = self._load()
                except (OSError, ValueError) as error:
                    self._failed_at = time.monotonic()
                    log.warning("the identity provider cannot be reached: %s", error)
            return self._keys

    def _load(self) -> Any:
        import jwt

        place = self._section.jwks
        if place is not None and "://" not in place:
            try:
                return jwt.PyJWKSet.from_json(Path(place).read_text("utf-8"))
            except (OSError, ValueError, jwt.PyJWTError) as error:
                raise ConfigError(
                    f"the provider's keys cannot be read ({error})",
                    where="auth.oidc.jwks",
                    hint="Give a JWKS file, or the URL of one.",
                ) from error
        return jwt.PyJWKClient(place or self._discovered(), timeout=_TIMEOUT_S, lifespan=300)

    def _discovered(self) -> str:
        import httpx2

        url = f"{self._section.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            found = httpx2.get(url, timeout=_TIMEOUT_S, follow_redirects=False)
            found.raise_for_status()
            return str(found.json()["jwks_uri"])
        except (httpx2.HTTPError, KeyError, ValueError) as error:
            raise OSError(f"{url}: {error}") from error
