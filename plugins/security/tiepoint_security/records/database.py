"""The database of alerts, evidence, reviews, the audit log and what is to be sent."""

from __future__ import annotations

from pathlib import Path

from tiepoint_adapters.databases.migrations import MigratedDatabase


class Database(MigratedDatabase):
    """Alerts, and all that belongs to them."""

    keeps = "alerts"
    distribution = "tiepoint-security"
    migrations = Path(__file__).with_name("migrations")
