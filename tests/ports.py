"""Ports on loopback: one that nobody uses, and one that somebody listens on."""

from __future__ import annotations

import socket
import subprocess

from tests.waiting import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_listening(
    port: int, process: subprocess.Popen[bytes] | None = None, timeout_s: float = 30.0
) -> None:
    """Wait until a port is listened on; fail if the process ends, or it takes too long."""

    def listened() -> bool:
        assert process is None or process.poll() is None, "the server ended"
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listened, timeout_s)
