"""The database of a store: events, the catalogue, and what else stands beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

from sqlalchemy import MetaData, TextClause, insert, select
from sqlalchemy.engine import Connection

from tiepoint.errors import StoreError
from tiepoint_adapters.databases import database
from tiepoint_recommendation.storage import tables

FILE = "recommendation.db"
"""The SQLite database in a store's folder."""

_LAYOUT = "1"


class Database(database.Database):
    """Where events and the catalogue are.

    Args:
        url: `sqlite:///FILE`, or `postgresql://user:password@host/name`.
    """

    keeps = "events"
    distribution = "tiepoint-recommendation"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._prepared: dict[str, Any] = {}

    @classmethod
    def of_store(cls, folder: Path, url: str | None = None) -> Self:
        """Return the database of a store: the one at the URL, or the file in its folder.

        The file need not be there yet.
        """
        return cls.at(url, folder / FILE)

    def prepare(self, connection: Connection) -> None:
        tables.metadata.create_all(connection)
        facts = tables.facts
        layout = connection.scalar(select(facts.c.content).where(facts.c.name == "layout"))
        if layout is None:
            secret = os.urandom(32).hex()
            connection.execute(
                insert(facts),
                [{"name": "layout", "content": _LAYOUT}, {"name": "secret", "content": secret}],
            )
        elif layout != _LAYOUT:
            raise StoreError(
                f"the database has layout {layout}, and this release reads {_LAYOUT}",
                where=self.where,
                hint="Upgrade tiepoint-recommendation.",
            )

    def fetched(self, query: TextClause, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a query, by the driver itself: for what every answer waits for.

        Args:
            query: Texts that differ are each prepared once and kept, so they should be few.
            values: Of its parameters.

        Raises:
            StoreError: The database refused.
        """
        with self.errors(), closing(self.engine().raw_connection()) as connection:
            prepared = self._compiled(query)
            given: Any = {name: values[name] for name in prepared.bind_names.values()}
            if prepared.positional:
                given = [given[name] for name in prepared.positiontup or ()]
            cursor = connection.cursor()
            cursor.execute(str(prepared), given)
            rows = [tuple(row) for row in cursor.fetchall()]
            cursor.close()
            return rows

    def run_many(
        self, connection: Connection, statement: TextClause, rows: Sequence[object]
    ) -> int:
        """Run a statement for many rows, by the driver itself, within a transaction.

        A thread that does this leaves the interpreter to others all the while but for moments.

        Args:
            connection: Of `writing`.
            statement: See `fetched`.
            rows: Their attributes are the values of its parameters; at least one.

        Returns:
            How many rows were changed, or made.
        """
        prepared = self._compiled(statement)
        names = list(prepared.positiontup or prepared.bind_names.values())
        given: list[Any] = list(map(attrgetter(*names), rows))
        if not prepared.positional:
            given = [dict(zip(names, values, strict=True)) for values in given]
        return connection.exec_driver_sql(str(prepared), given).rowcount

    def ensure(self, more: MetaData) -> None:
        """Make further tables where they are absent.

        Raises:
            StoreError: They cannot be made.
        """
        with self.writing() as session:
            self.alone(session, "make tables")
            more.create_all(session.connection())

    def _compiled(self, statement: TextClause) -> Any:
        prepared = self._prepared.get(statement.text)
        if prepared is None:
            prepared = self._prepared[statement.text] = statement.compile(self.engine())
        return prepared
