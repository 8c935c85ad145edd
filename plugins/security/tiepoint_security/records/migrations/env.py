"""Run by Alembic: the migrations, on the connection that the database gives."""

from __future__ import annotations

from alembic import context

from tiepoint_security.records.tables import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata
)
context.run_migrations()
