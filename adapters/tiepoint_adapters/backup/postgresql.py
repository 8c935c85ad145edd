"""PostgreSQL databases in a backup: written and put back by PostgreSQL's own `pg_dump`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from tiepoint.errors import InputError, MissingDependencyError, StoreError

_ALIKE = ("--no-owner", "--no-privileges", "--no-password")


def dump(url: str, target: Path) -> None:
    """Write a database, as it is at one moment, into a file; it may be written to meanwhile.

    Raises:
        MissingDependencyError: `pg_dump` is not installed.
        StoreError: The database cannot be read, or the file not be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _run(url, "pg_dump", *_ALIKE, "--format=custom", f"--file={target}")


def load(url: str, source: Path) -> None:
    """Put the content of such a file into an empty database, all of it or nothing.

    Raises:
        MissingDependencyError: `pg_restore` is not installed.
        StoreError: The database cannot be written.
    """
    words = ("--single-transaction", "--exit-on-error", str(source))
    _run(url, "pg_restore", *_ALIKE, *words)


def require_empty(url: str) -> None:
    """Check that a database has no table.

    Raises:
        InputError: It has one.
        MissingDependencyError: `psql` is not installed.
        StoreError: It cannot be read.
    """
    counted = (
        "SELECT count(*) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    if int(_run(url, "psql", "--no-password", "--no-psqlrc", "-tA", "-c", counted)):
        raise InputError(
            "the database has tables already",
            where=public(url),
            hint="Restore into a new database: createdb NAME.",
        )


def public(url: str) -> str:
    """Return a URL without its password.

    >>> public("postgresql+psycopg://me:secret@db/alerts")
    'postgresql://me@db/alerts'
    """
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    user = credentials.partition(":")[0]
    return urlunsplit(parts._replace(scheme="postgresql", netloc=f"{user}{at}{host}"))


def _run(url: str, program: str, *words: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise MissingDependencyError(
            f"the backup of a PostgreSQL needs {program}",
            where=public(url),
            hint="Install PostgreSQL's client programs: apt-get install postgresql-client.",
        )
    password = urlsplit(url).password
    environment = dict(os.environ)  # a password among the words would show in the process list
    if password is not None:
        environment["PGPASSWORD"] = unquote(password)
    done = subprocess.run(
        [found, f"--dbname={public(url)}", *words],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise StoreError(
            f"{program} failed ({lines[0][:300]})",
            where=public(url),
            hint="See that the database runs, and that the program is of its release or newer.",
        )
    return done.stdout
