"""New identities for old ones, always the same for the same secret: UIDs, pseudonyms, dates."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import date, timedelta

MAX_SHIFT_DAYS = 3650
"""Dates are shifted back by one day to ten years."""

MIN_SECRET_BYTES = 16
"""A shorter secret could be guessed, and with it the pseudonyms of known patients."""

_DATE = re.compile(r"^(\d{4})[.]?(\d{2})[.]?(\d{2})")


class Identities:
    """Makes new identities by HMAC-SHA256 under a secret, so that nothing has to be stored.

    Args:
        secret: At least 16 bytes, the same for all runs that shall fit together.

    Raises:
        ValueError: The secret is too short.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret has fewer than {MIN_SECRET_BYTES} bytes")
        self._secret = secret

    def uid(self, old: str) -> str:
        """Return the UID that takes the place of one, of the form 2.25.n (PS3.5 B.2).

        >>> Identities(b"0123456789abcdef").uid("1.2.3").startswith("2.25.")
        True
        """
        return f"2.25.{int.from_bytes(self._digest('uid', old)[:16], 'big')}"

    def patient(self, patient_id: str, issuer: str = "") -> str:
        """Return a patient's pseudonym, such as `TP-3MDW6K2Q7ZPA`."""
        digest = self._digest("patient", f"{issuer}\0{patient_id}")
        return f"TP-{base64.b32encode(digest).decode()[:12]}"

    def text(self, kind: str, old: str) -> str:
        """Return what takes the place of another number, such as an accession number."""
        return base64.b32encode(self._digest(kind, old)).decode()[:12]

    def shift_days(self, patient: str) -> int:
        """Return by how many days a patient's dates are shifted, -3650 to -1.

        Args:
            patient: The patient's pseudonym.
        """
        number = int.from_bytes(self._digest("shift", patient)[:8], "big")
        return -(1 + number % MAX_SHIFT_DAYS)

    def _digest(self, kind: str, value: str) -> bytes:
        message = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, hashlib.sha256).digest()


def shifted(value: str, days: int) -> str | None:
    """Return a DA or DT value some days later; None where it holds no date.

    >>> shifted("20240301", -1), shifted("20240301101500.5+0100", -1), shifted("soon", -1)
    ('20240229', '20240229101500.5+0100', None)
    """
    match = _DATE.match(value)
    if match is None:
        return None
    try:
        moved = date(*map(int, match.groups())) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}{value[match.end() :]}"
