"""Which database a URL names."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from tiepoint.errors import ConfigError, MissingDependencyError

SQLITE, POSTGRESQL = "sqlite", "postgresql"


def checked_url(url: str, distribution: str) -> URL:
    """Return the parsed URL of a database that can be used, with the driver that is installed.

    Args:
        url: `sqlite:///FILE`, or `postgresql://user:password@host/name`.
        distribution: Whose extra `postgresql` brings the driver.

    Raises:
        ConfigError: It names neither.
        MissingDependencyError: The driver of PostgreSQL is absent.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == POSTGRESQL and parsed.drivername == POSTGRESQL:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if backend in (SQLITE, POSTGRESQL):
            parsed.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError, ValueError):
        backend = ""
    except ImportError as error:
        raise MissingDependencyError(
            "the driver of PostgreSQL is not installed",
            where="database",
            hint=f"pip install '{distribution}[postgresql]'",
        ) from error
    if backend not in (SQLITE, POSTGRESQL) or not parsed.database:
        raise ConfigError(
            "the database is neither SQLite nor PostgreSQL",
            where="database",
            hint="Write it like postgresql://user:password@host/name, or leave it out.",
        )
    return parsed
