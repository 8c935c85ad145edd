"""What of a deployment may change while a host is open."""

from __future__ import annotations

from tiepoint.config.models import Deployment
from tiepoint.errors import ConfigError


def require_reloadable(running: Deployment, wanted: Deployment) -> None:
    """Refuse a deployment that only a new process can take over.

    Raises:
        ConfigError: The store, the number of threads, or the address to listen at differs.
    """
    changes = {
        "store": (running.store, wanted.store),
        "engine.threads": (running.engine.threads, wanted.engine.threads),
        "server.type": (running.server.type, wanted.server.type),
        "server.address": (running.server.address, wanted.server.address),
        "server.port": (running.server.port, wanted.server.port),
        "server.tls": (running.server.tls, wanted.server.tls),
        "server.state": (running.server.state, wanted.server.state),
        "telemetry": (running.telemetry, wanted.telemetry),
    }
    for where, (before, after) in changes.items():
        if before != after:
            raise ConfigError(
                "this cannot change while the process runs; the deployment before is kept",
                where=where,
                hint="Restart the process.",
            )
    if running.auth is not None and wanted.auth is None:
        raise ConfigError(
            "a running service does not stop asking for keys; the deployment before is kept",
            where="auth",
            hint="Restart the process.",
        )
