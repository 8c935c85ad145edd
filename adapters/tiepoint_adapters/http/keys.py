"""API keys: a file with their hashes, read again when it changes.

A key is `tp_<id>_<secret>` with 256 random bits as its secret. Such a secret cannot be guessed
from its hash, however fast the hash is, so one round of SHA-256 is kept: a slow hash is for
passwords that people choose, and would only let callers waste the server's time.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tiepoint.config.service import Scope
from tiepoint.errors import ConfigError, InputError
from tiepoint.saving import replace_together

_KEY = re.compile(r"tp_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class Key(BaseModel):
    """A key as it is kept; the key itself is nowhere.

    Attributes:
        id: The part of the key that names it.
        name: Who or what has it.
        scopes: What its holder may do.
        digest: The SHA-256 of the whole key, in hexadecimal.
        created: When it was made, in seconds since 1970.
        expires: When it ends to be good; never if None.
        revoked: When it was revoked; None if it was not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    scopes: tuple[Scope, ...]
    digest: str
    created: float
    expires: float | None = None
    revoked: float | None = None

    def good(self, now: float) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked is None and (self.expires is None or now < self.expires)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tiepoint_keys: int = 1
    keys: list[Key] = []


class KeyFile:
    """The keys of a deployment; several processes may use the file at once.

    Args:
        path: The file; made, for this user only, with the first key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, Key] = {}

    def verify(self, key: str) -> Key | None:
        """Return the key of this text if it is good.

        Raises:
            ConfigError: The file cannot be read.
        """
        match = _KEY.fullmatch(key)
        if match is None:
            return None
        known = self._current().get(match.group(1))
        digest = known.digest if known is not None else "0" * 64
        same = hmac.compare_digest(digest, _digest(key))
        return known if same and known is not None and known.good(time.time()) else None

    def by_id(self, id: str) -> Key | None:
        """Return a key that is good by its id."""
        known = self._current().get(id)
        return known if known is not None and known.good(time.time()) else None

    def all(self) -> list[Key]:
        """Return every key, also those that are no longer good, oldest first."""
        return sorted(self._current().values(), key=lambda key: key.created)

    def create(
        self, name: str, scopes: Sequence[str], days: float | None = None
    ) -> tuple[Key, str]:
        """Make a key; returns it, and its text, which is not kept.

        Args:
            name: Who or what gets it.
            scopes: What its holder may do.
            days: For how many days it is good; for ever if not given.

        Raises:
            InputError: No name, no scope, or one that cannot be.
        """
        if not re.fullmatch(r"[\w .@-]{1,64}", name):
            raise InputError(
                f"{name!r:.80} is no name of a key",
                hint="Use 1 to 64 letters, digits, spaces and `.@_-`.",
            )
        now = time.time()
        id_ = secrets.token_hex(6)
        text = f"tp_{id_}_{secrets.token_urlsafe(32)}"
        try:
            key = Key(
                id=id_,
                name=name,
                scopes=tuple(dict.fromkeys(scopes)),
                digest=_digest(text),
                created=now,
                expires=None if days is None else now + days * 86_400,
            )
        except ValidationError as error:
            wrong = error.errors()[0]["input"]
            raise InputError(
                f"{wrong!r:.80} is no scope", hint="Give such as `search` or `security:read`."
            ) from error
        if not key.scopes:
            raise InputError("the key may do nothing", hint="Give --scope, once or more.")
        with self._changing() as keys:
            keys.append(key)
        return key, text

    def revoke(self, id_or_name: str) -> list[Key]:
        """Revoke the good keys of this id or name; returns those that were.

        Raises:
            InputError: There is none.
        """
        now = time.time()
        revoked = []
        with self._changing() as keys:
            for position, key in enumerate(keys):
                if id_or_name in (key.id, key.name) and key.good(now):
                    keys[position] = key.model_copy(update={"revoked": now})
                    revoked.append(keys[position])
            if not revoked:
                raise InputError(
                    "there is no good key of this id or name",
                    where=id_or_name,
                    hint="See `tiepoint keys list`.",
                )
        return revoked

    def _current(self) -> dict[str, Key]:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return {}
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen != self._seen:
            self._keys = {key.id: key for key in self._read().keys}
            self._seen = seen
        return self._keys

    def _read(self) -> _File:
        try:
            return _File.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return _File()
        except (OSError, ValidationError) as error:
            raise ConfigError(
                "the file of keys cannot be read",
                where=str(self.path),
                hint="Restore it from a backup, or remove it and make new keys.",
            ) from error

    @contextmanager
    def _changing(self) -> Iterator[list[Key]]:
        """Give the keys to change; written when the block ends without an error."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path.with_name(f".{self.path.name}.lock"), _LOCKING, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = self._read()
            yield content.keys
            before = os.umask(0o077)
            try:
                replace_together({self.path: content.model_dump_json(indent=2).encode()})
            except OSError as error:
                raise self._unwritable(error) from error
            finally:
                os.umask(before)
        finally:
            os.close(lock)

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(
            f"the file of keys cannot be written ({error.strerror})",
            where=str(self.path),
            hint="Make it writable, or name another one as `auth.keys`.",
        )


_LOCKING = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
