"""Leases of cameras, for several workers on one database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the revision before to this one."""
    op.create_table(
        "workers",
        sa.Column("worker", sa.String(length=128), nullable=False),
        sa.Column("until_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("worker"),
    )
    op.create_table(
        "camera_leases",
        sa.Column("camera", sa.String(length=255), nullable=False),
        sa.Column("worker", sa.String(length=128), nullable=False),
        sa.Column("until_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("camera"),
    )
