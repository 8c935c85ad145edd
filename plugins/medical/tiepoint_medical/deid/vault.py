"""The way back: an encrypted file of who is behind a pseudonym, with a log of every look."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue

from tiepoint.errors import InputError
from tiepoint.saving import make_private
from tiepoint_medical.deid.engine import Deidentified

SCOPE = "medical:reidentify"
"""What a user must be allowed, to be told who a pseudonym stands for."""

MIN_PASSPHRASE = 12
"""Letters that a passphrase has at least."""

_NONCE_BYTES = 12
_CHECK = b"tiepoint pseudonym vault"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS card (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looks (at REAL NOT NULL, user TEXT NOT NULL, pseudonym TEXT NOT NULL);
"""


class Vault:
    """Pseudonyms with what they stand for, each entry under AES-256-GCM.

    The key comes from a passphrase by scrypt; without it the file says how many entries there
    are, and nothing else. Keys of entries are HMACs, so that equal pseudonyms in two vaults do
    not show.

    Args:
        path: The file; made, for this user only, if it is absent.
        passphrase: At least 12 letters.

    Raises:
        InputError: The passphrase is too short or not the one that the vault was made with.
    """

    def __init__(self, path: Path, passphrase: str) -> None:
        if len(passphrase) < MIN_PASSPHRASE:
            raise InputError(
                f"the vault's passphrase has fewer than {MIN_PASSPHRASE} letters",
                hint="Set TIEPOINT_VAULT_PASSPHRASE to a longer one.",
            )
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        make_private(path)
        self._database = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self._database.executescript(_SCHEMA)
        salt = self._card("salt") or self._set_card("salt", os.urandom(16))
        key = Scrypt(salt=salt, length=64, n=2**15, r=8, p=1).derive(passphrase.encode())
        self._cipher, self._name_key = AESGCM(key[:32]), key[32:]
        check = self._card("check")
        if check is None:
            self._set_card("check", self._sealed(_CHECK, b"check"))
        else:
            self._opened(check, b"check")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def __len__(self) -> int:
        return int(self._database.execute("SELECT COUNT(*) FROM entries").fetchone()[0])

    def remember(self, made: Deidentified) -> None:
        """Keep what an object's pseudonym and new UIDs stand for."""
        patient = {
            name: value
            for name, value in made.original.items()
            if name.startswith(("Patient", "Issuer"))
        }
        study = {name: value for name, value in made.original.items() if name not in patient}
        entries: dict[str, Any] = {f"patient {made.patient}": patient}
        entries |= {f"uid {new}": old for new, old in made.uids.items()}
        entries[f"study {made.dataset.get('StudyInstanceUID', '')}"] = study
        with self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO entries VALUES (?, ?)",
                [(self._named(name), self._entry(name, value)) for name, value in entries.items()],
            )

    def patient(self, pseudonym: str, user: str, scopes: Collection[str]) -> dict[str, str]:
        """Return a patient's original attributes by keyword; the look is logged.

        Args:
            pseudonym: Such as `TP-3MDW6K2Q7ZPA`.
            user: Who asks.
            scopes: What the user may do; `medical:reidentify` must be among it.

        Raises:
            InputError: The user may not ask, or the vault does not know the pseudonym.
        """
        if SCOPE not in scopes:
            raise InputError(
                "the user may not see who a pseudonym stands for",
                hint=f"It needs the scope {SCOPE}.",
            )
        found = self._looked_up(f"patient {pseudonym}")
        if found is None:
            raise InputError("the vault does not know this pseudonym", where=pseudonym)
        with self._database:
            self._database.execute(
                "INSERT INTO looks VALUES (?, ?, ?)", (time.time(), user, pseudonym)
            )
        return dict(found)

    def restore(self, dataset: Dataset, user: str, scopes: Collection[str]) -> Dataset:
        """Return a copy of an object, such as a report on it, with the original identities.

        Args:
            dataset: An object of a pseudonymous patient.
            user: Who asks; the look is logged.
            scopes: What the user may do; see `patient`.

        Raises:
            InputError: The user may not ask, or the vault does not know the patient.
        """
        patient = self.patient(str(dataset.get("PatientID", "")), user, scopes)
        study = self._looked_up(f"study {dataset.get('StudyInstanceUID', '')}") or {}
        restored = self._renamed(dataset)
        for keyword, value in {**study, **patient}.items():
            setattr(restored, keyword, value)
        for keyword in (
            "PatientIdentityRemoved",
            "DeidentificationMethod",
            "DeidentificationMethodCodeSequence",
            "LongitudinalTemporalInformationModified",
        ):
            if keyword in restored:
                delattr(restored, keyword)
        return restored

    def looks(self) -> list[dict[str, Any]]:
        """Return who asked for whom and when, the latest last."""
        rows = self._database.execute("SELECT at, user, pseudonym FROM looks ORDER BY at")
        return [{"at": at, "user": user, "pseudonym": pseudonym} for at, user, pseudonym in rows]

    def _renamed(self, dataset: Dataset) -> Dataset:
        renamed = Dataset()
        for element in dataset:
            if element.VR == "SQ":
                items = [self._renamed(item) for item in element.value]
                renamed.add(DataElement(element.tag, "SQ", items))
            elif element.VR == "UI" and element.value:
                many = element.value if isinstance(element.value, MultiValue) else [element.value]
                values = [self._looked_up(f"uid {uid}") or str(uid) for uid in many]
                value = values if len(values) > 1 else values[0]
                renamed.add(DataElement(element.tag, "UI", value))
            else:
                renamed.add(element)
        return renamed

    def _looked_up(self, name: str) -> Any:
        row = self._database.execute(
            "SELECT value FROM entries WHERE key = ?", (self._named(name),)
        ).fetchone()
        return None if row is None else json.loads(self._opened(row[0], name.encode()))

    def _named(self, name: str) -> bytes:
        return hmac.new(self._name_key, name.encode(), hashlib.sha256).digest()

    def _entry(self, name: str, value: Any) -> bytes:
        return self._sealed(json.dumps(value).encode(), name.encode())

    def _sealed(self, content: bytes, name: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, name)

    def _opened(self, sealed: bytes, name: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name)
        except InvalidTag as error:
            raise InputError(
                "the passphrase is not the one of this vault, or the vault was changed",
                where=str(self.path),
            ) from error

    def _card(self, name: str) -> bytes | None:
        row = self._database.execute("SELECT value FROM card WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def _set_card(self, name: str, value: bytes) -> bytes:
        with self._database:
            self._database.execute("INSERT INTO card VALUES (?, ?)", (name, value))
        return value
