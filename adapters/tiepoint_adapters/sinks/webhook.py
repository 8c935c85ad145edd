"""Messages as signed HTTP requests, after the Standard Webhooks specification (1.0)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tiepoint.errors import ConfigError
from tiepoint_adapters.sinks.base import Message, Sink, SinkError, SinkRefusedError

if TYPE_CHECKING:
    import httpx2

_REFUSALS = frozenset((400, 410, 413, 415, 422))
"""Answers about this message; others, such as 401 or 404, end when the receiver is mended."""

_SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of secrets, not one
_LEAST_SECRET_BYTES = 16


class WebhookSink(Sink):
    """POSTs the message's body as JSON; any answer of 2xx means that it was taken.

    The headers `webhook-id` (the message's key), `webhook-timestamp` and `webhook-signature`
    (`v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`) are those of Standard
    Webhooks, so that its libraries verify them. `Idempotency-Key` is the key again.
    Redirections are not followed.

    Args:
        url: Where to; http or https.
        secret: What both sides know: `whsec_` and base64, or any text of 16 bytes or more.
        headers: Further headers.
        ca_certificate: PEM file of the authority that signed the receiver's certificate.

    Raises:
        ConfigError: The URL is none of HTTP, or the secret is too short.
    """

    def __init__(
        self,
        url: str,
        secret: str | None = None,
        headers: Mapping[str, str] | None = None,
        ca_certificate: str | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                "the webhook's url is no http or https URL",
                where="url",
                hint="Write it like https://host/path.",
            )
        self.url = url
        self.headers = dict(headers or {})
        self.where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._key = None if secret is None else _key_of(secret)
        self._ca_certificate = ca_certificate
        self._client: httpx2.Client | None = None

    def send(self, message: Message, timeout_s: float) -> None:
        import httpx2

        content = json.dumps(message.body, ensure_ascii=False).encode()
        headers = {
            **self.headers,
            "content-type": "application/json",
            "idempotency-key": message.key,
            "user-agent": "tiepoint",
            **self._signature(message.key, content),
        }
        try:
            with self._connection().stream(
                "POST", self.url, content=content, headers=headers, timeout=timeout_s
            ) as answer:  # what the receiver says besides its status is not read
                status, wait = answer.status_code, answer.headers.get("retry-after")
        except httpx2.HTTPError as error:
            raise SinkError(
                f"the receiver cannot be reached ({type(error).__name__}: {error})",
                where=self.where,
            ) from error
        if 200 <= status < 300:
            return
        what = f"the receiver answered {status}"
        if status in _REFUSALS:
            raise SinkRefusedError(what, where=self.where)
        raise SinkError(what, where=self.where, retry_after_s=_seconds(wait))

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connection(self) -> httpx2.Client:
        import ssl

        import httpx2

        if self._client is None:
            verify = ssl.create_default_context(cafile=self._ca_certificate)
            self._client = httpx2.Client(verify=verify, follow_redirects=False)
        return self._client

    def _signature(self, key: str, content: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        headers = {"webhook-id": key, "webhook-timestamp": now}
        if self._key is not None:
            headers["webhook-signature"] = f"v1,{signature(self._key, key, now, content)}"
        return headers


def signature(key: bytes, message_id: str, at: str, content: bytes) -> str:
    """Return the base64 of the HMAC-SHA256 by which Standard Webhooks signs a request.

    Args:
        key: What both sides know.
        message_id: The header `webhook-id`.
        at: The header `webhook-timestamp`.
        content: The request's body.
    """
    signed = b".".join((message_id.encode(), at.encode(), content))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _key_of(secret: str) -> bytes:
    try:
        if secret.startswith(_SECRET_PREFIX):
            key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
        else:
            key = secret.encode()
    except ValueError:
        key = b""
    if len(key) < _LEAST_SECRET_BYTES:
        raise ConfigError(
            f"the webhook's secret is shorter than {_LEAST_SECRET_BYTES} bytes, or no base64",
            where="secret",
            hint="Make one: echo whsec_$(openssl rand -base64 32).",
        )
    return key


def _seconds(retry_after: str | None) -> float | None:
    """Return the wait that a `Retry-After` header asks for; None if it cannot be read."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return None
