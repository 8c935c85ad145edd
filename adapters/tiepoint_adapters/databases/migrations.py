"""Databases whose tables change between releases: a folder of Alembic's revisions."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from sqlalchemy.engine import Connection

from tiepoint_adapters.databases.database import Database


class MigratedDatabase(Database):
    """A database that is brought up to date when it is opened.

    Attributes:
        migrations: A folder with Alembic's `env.py`, which finds the open connection under
            `config.attributes["connection"]`, and the revisions under `versions/`.
    """

    migrations: ClassVar[Path]

    def prepare(self, connection: Connection) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(self.migrations))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    def upgrade(self) -> tuple[str | None, str | None]:
        """Bring the tables up to date; returns the revision before, and the one after.

        Raises:
            StoreError: It cannot be opened or brought up to date.
        """
        before = self._revision() if self.exists else None
        self.engine()
        return before, self._revision()

    def _revision(self) -> str | None:
        from alembic.migration import MigrationContext

        with self.unprepared() as connection:
            return MigrationContext.configure(connection).get_current_revision()
