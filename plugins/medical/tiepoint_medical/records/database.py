"""The database of jobs, the worklist and the audit log."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from tiepoint_adapters.databases import database
from tiepoint_medical.records.tables import Table


class Database(database.Database):
    """The records of a site."""

    keeps = "records"
    distribution = "tiepoint-medical"

    def prepare(self, connection: Connection) -> None:
        Table.metadata.create_all(connection)
