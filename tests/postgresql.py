"""A real PostgreSQL on loopback, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

_FOLDERS = (*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.get_exec_path()))


class PostgreSQL:
    """A server process in an empty folder, which can be killed and started again.

    Skips the test where there is none.
    """

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("psycopg", reason="psycopg is not installed")
        search = os.pathsep.join(map(str, _FOLDERS))
        initdb, server = shutil.which("initdb", path=search), shutil.which("postgres", path=search)
        if initdb is None or server is None:
            pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
        self._user = _give_away(folder) if os.geteuid() == 0 else None
        self._folder, data, port = folder, folder / "data", free_port()
        make = [initdb, "-D", data, "-U", "tiepoint", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, user=self._user, cwd=folder)
        here = ["-k", folder, "-h", "127.0.0.1", "-p", str(port)]
        self._run = [server, "-D", data, *here, "-c", "fsync=off"]
        self.url = f"postgresql://tiepoint@127.0.0.1:{port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when it answers."""
        import psycopg

        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self._run, stderr=quiet, user=self._user, cwd=self._folder)
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL did not start"
                time.sleep(0.05)

    def stop(self) -> None:
        """End it at once, without waiting for its clients."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None


@contextmanager
def postgresql_server(folder: Path) -> Iterator[str]:
    """Run a server in an empty folder; yields the URL of a database. Skips without one."""
    server = PostgreSQL(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def new_database(server: str) -> str:
    """Make an empty database on a server; return its URL."""
    import psycopg

    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server.rpartition('/')[0]}/{name}"


def _give_away(folder: Path) -> str:
    """Let the user postgres have the folder, as the server refuses to run as root."""
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("there is no user postgres to run PostgreSQL as")
    os.chown(folder, account.pw_uid, account.pw_gid)
    return "postgres"
