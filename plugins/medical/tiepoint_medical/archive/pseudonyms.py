"""Names for patients, studies and images that nobody can turn back without the site's key."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from tiepoint.errors import ConfigError

_LETTERS = 20


class Pseudonyms:
    """Keyed hashes (HMAC-SHA256): equal identifiers have equal pseudonyms at one site.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of_site(cls, file: Path) -> Pseudonyms:
        """Return those of the key in a file, which is made, for this user only, if absent.

        Raises:
            ConfigError: The file cannot be used as a key.
        """
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                key = file.read_bytes()
            else:
                key = secrets.token_bytes(32)
                with os.fdopen(handle, "wb") as opened:
                    opened.write(key)
        except OSError as error:
            raise ConfigError(
                f"the key of the pseudonyms cannot be used ({error.strerror})",
                where=str(file),
                hint="Give another folder as plugins.medical.state.",
            ) from error
        if len(key) != 32:
            raise ConfigError("the key of the pseudonyms is damaged", where=str(file))
        return cls(key)

    def __call__(self, kind: str, identifier: str) -> str:
        """Return the pseudonym of an identifier of a kind, such as `patient`."""
        content = f"{kind}\x00{identifier}".encode("utf-8", "surrogatepass")
        digest = hmac.new(self._key, content, hashlib.sha256).hexdigest()
        return f"{kind[:1]}-{digest[:_LETTERS]}"
