"""The secret that pseudonyms are made with: a file of random bytes for this user only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from tiepoint.errors import InputError
from tiepoint_medical.deid.identities import MIN_SECRET_BYTES

VARIABLE = "TIEPOINT_DEID_SECRET"
"""The environment variable that may name the file."""


def secret_file() -> Path:
    """Return the file that is used where none is named."""
    from platformdirs import user_config_path

    named = os.environ.get(VARIABLE)
    return Path(named) if named else user_config_path("tiepoint") / "deid.secret"


def read_secret(path: Path) -> bytes:
    """Return the secret; a new one is made, readable by this user only, where there is none.

    Raises:
        InputError: The file is too short to be one, or cannot be read or made.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(secrets.token_bytes(32))
        secret = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the secret cannot be read or made: {error.strerror}", where=str(path)
        ) from error
    if len(secret) < MIN_SECRET_BYTES:
        raise InputError(
            f"the secret has fewer than {MIN_SECRET_BYTES} bytes",
            where=str(path),
            hint="Remove the file to have a new one made; pseudonyms will be others then.",
        )
    return secret
