"""Who asked to be forgotten, as keyed digests, and whether the models still have to follow."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import delete, insert, select, text
from sqlalchemy.engine import Connection

from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.tables import facts, forgotten

_UNFINISHED = "forgetting"
_CHUNK = 500
_ANY = text("SELECT 1 FROM forgotten LIMIT 1")


class Name(NamedTuple):
    """Somebody, by the id of the user or of a session.

    Attributes:
        id: The id.
        session: Whether it is that of a session.
    """

    id: str
    session: bool = False


class Forgotten:
    """The keyed digests of a database, which tell no id to who lacks the database's secret."""

    def __init__(self) -> None:
        self._secret: bytes | None = None

    def note(self, connection: Connection, names: Collection[Name]) -> None:
        """Note that these want to be forgotten, and that models do not follow this yet."""
        digests = [self._digest(connection, name) for name in names]
        for some in _chunks(digests):
            connection.execute(delete(forgotten).where(forgotten.c.digest.in_(some)))
        now_s = time.time()
        connection.execute(
            insert(forgotten), [{"digest": digest, "time_s": now_s} for digest in digests]
        )
        connection.execute(delete(facts).where(facts.c.name == _UNFINISHED))
        connection.execute(insert(facts), {"name": _UNFINISHED, "content": os.urandom(8).hex()})

    def until(self, connection: Connection, names: Collection[Name]) -> dict[Name, float]:
        """Return when they asked for it, in seconds since 1970, for those of these that did."""
        if connection.execute(_ANY).first() is None:  # as for most shops, at no cost
            return {}
        digests = {self._digest(connection, name): name for name in names}
        found: dict[Name, float] = {}
        for some in _chunks(list(digests)):
            wanted = select(forgotten).where(forgotten.c.digest.in_(some))
            found |= {digests[bytes(row[0])]: row[1] for row in connection.execute(wanted)}
        return found

    def _digest(self, connection: Connection, name: Name) -> bytes:
        if self._secret is None:
            content = connection.scalar(select(facts.c.content).where(facts.c.name == "secret"))
            self._secret = bytes.fromhex(str(content))
        kind = b"session\0" if name.session else b""
        id_ = name.id.encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, kind + id_, hashlib.sha256)


def unfinished(database: Database) -> str | None:
    """Return a mark of the last wish that models do not follow yet; None where there is none."""
    with database.reading() as session:
        content = session.scalar(select(facts.c.content).where(facts.c.name == _UNFINISHED))
    return None if content is None else str(content)


def finished(database: Database, mark: str) -> None:
    """Note that models follow all wishes up to that of a mark; later ones stay unfinished."""
    wanted = (facts.c.name == _UNFINISHED) & (facts.c.content == mark)
    with database.writing() as session:
        session.execute(delete(facts).where(wanted))


def _chunks(digests: Sequence[bytes]) -> list[list[bytes]]:
    return [list(digests[at : at + _CHUNK]) for at in range(0, len(digests), _CHUNK)]
