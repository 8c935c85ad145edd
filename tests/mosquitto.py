"""A real Mosquitto on loopback, which can be stopped and started again on its port."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import await_listening, free_port

_PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/opt/homebrew/sbin")

needs_mosquitto = pytest.mark.skipif(
    _PROGRAM is None, reason="Mosquitto is not installed (apt-get install mosquitto)"
)


class Broker:
    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nlog_dest none\n"
            f"user {getpass.getuser()}\npersistence true\npersistence_location {folder}/\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert _PROGRAM is not None
        self._process = subprocess.Popen([_PROGRAM, "-c", str(self._config)])
        await_listening(self.port, self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()  # it then writes down the sessions that wait
            self._process.wait()
            self._process = None


def running_broker(folder: Path) -> Iterator[Broker]:
    broker = Broker(folder)
    broker.start()
    yield broker
    broker.stop()
