"""The audit log: who saw, acknowledged, judged, exported or removed what."""

from __future__ import annotations

from tiepoint_adapters.audit.chain import Hashing
from tiepoint_adapters.audit.log import AuditLog
from tiepoint_adapters.clock import Clock, timestamp
from tiepoint_security.records.database import Database
from tiepoint_security.records.tables import AuditRow


def audit_log(database: Database, clock: Clock, key: bytes | None = None) -> AuditLog:
    """Return the log of a database.

    Args:
        database: Where it is.
        clock: The clocks.
        key: A secret that the hashes are keyed with; without one anybody can compute them.
    """
    hashing = Hashing(compact=True, key=key)
    return AuditLog(database, AuditRow, lambda: timestamp(clock.wall()), hashing)
