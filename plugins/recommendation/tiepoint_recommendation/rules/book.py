"""The book of rules: kept in the database, applied, undone, and never lost."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import insert, select, update

from tiepoint.errors import InputError, StoreError
from tiepoint_recommendation.live import tables
from tiepoint_recommendation.rules.rule import Rule
from tiepoint_recommendation.storage.database import Database


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule in the book.

    Attributes:
        number: By which it is called.
        rule: The rule.
        made_by: Who applied it.
        made_s: When, in seconds since 1970.
        undone_by: Who took it back; None while it holds.
        undone_s: When.
    """

    number: int
    rule: Rule
    made_by: str
    made_s: float
    undone_by: str | None
    undone_s: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as plain data."""
        return {
            "number": self.number,
            "rule": self.rule.model_dump(mode="json"),
            "made_by": self.made_by,
            "made_s": self.made_s,
            "undone_by": self.undone_by,
            "undone_s": self.undone_s,
        }


class RuleBook:
    """The rules of a database; processes that share it have the same ones.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def apply(self, rule: Rule, by: str) -> int:
        """Write a rule into the book; returns its number."""
        row = {
            "content": rule.model_dump(mode="json"),
            "made_by": by,
            "made_s": time.time(),
        }
        with self.database.writing() as session:
            key = session.connection().execute(insert(tables.rules), row).inserted_primary_key
        if key is None:
            raise StoreError("the database did not number the rule", where=self.database.where)
        return int(key[0])

    def undo(self, by: str, number: int | None = None) -> int:
        """Take back a rule, the latest one if no number is given; returns its number.

        It stays in the book, so that it can be seen who did what.

        Raises:
            InputError: There is no such rule, or it was taken back before.
        """
        rules = tables.rules
        with self.database.writing() as session:
            wanted = select(rules.c.number).where(rules.c.undone_s.is_(None))
            if number is not None:
                wanted = wanted.where(rules.c.number == number)
            found = session.scalar(wanted.order_by(rules.c.number.desc()).limit(1))
            if found is None:
                what = "there is no rule" if number is None else f"there is no rule {number}"
                raise InputError(f"{what} that could be taken back", hint="List the rules.")
            session.execute(
                update(rules)
                .where(rules.c.number == found)
                .values(undone_by=by, undone_s=time.time())
            )
        return int(found)

    def entries(self, *, undone: bool = False) -> list[Entry]:
        """Return the rules that hold, the oldest first; with `undone`, also those taken back.

        Raises:
            StoreError: The database refused, or has a rule that this release cannot read.
        """
        rules = tables.rules
        wanted = select(rules).order_by(rules.c.number)
        if not undone:
            wanted = wanted.where(rules.c.undone_s.is_(None))
        with self.database.reading() as session:
            rows = session.execute(wanted).all()
        return [self._entry(row) for row in rows]

    def _entry(self, row: Any) -> Entry:
        try:
            rule = Rule.model_validate(row.content)
        except ValidationError as error:
            raise StoreError(
                f"rule {row.number} cannot be read", where=self.database.where, hint="Undo it."
            ) from error
        return Entry(row.number, rule, row.made_by, row.made_s, row.undone_by, row.undone_s)
