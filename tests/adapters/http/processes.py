"""`tiepoint serve` as a process of its own, on a free port of the loopback interface."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.command_line import TIEPOINT

GIVEN_VECTORS = """
version: 1
store: {uri: ./store}
collections:
  items:
    fields:
      text: {words: true}
      shape: {dimensions: 8}
    metadata: {price: float}
server: {port: 0, limits: {at_once: 256}}
"""


class Served:
    """A running service."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def client(self, **options) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, **options)


def start(file: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [TIEPOINT, *options, "serve", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@contextmanager
def serving(file: Path, *options: str) -> Iterator[Served]:
    """Serve a file until the block ends."""
    process = start(file, *options)
    try:
        line = process.stdout.readline()
        found = re.match(r"ready: (\S+), ", line)
        assert found, line + process.stderr.read()
        yield Served(process, found.group(1))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
