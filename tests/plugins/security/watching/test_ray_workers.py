"""Workers as Ray actors on one PostgreSQL: one that dies is replaced within its lease."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.footage import scene, write_video
from tests.postgresql import postgresql_server
from tiepoint import Host
from tiepoint.config.loader import loads
from tiepoint_security.plugin import SecurityConfig, SecurityPlugin

CAMERAS = ("gate", "hall", "yard", "shop")
LEASE_S = 5.0
FILE = """
version: 1
collections: {{items: {{fields: {{look: {{dimensions: 8}}}}}}}}
store: {{uri: {store}}}
sinks: {{log: {{type: log}}}}
plugins:
  security:
    records: {{database: "{database}"}}
    cameras: {cameras}
    rules: {{inside: {{when: {{intrusion: {{zones: [all]}}}}}}}}
    workers: {{lease_s: {lease_s}, ray: {{count: 2}}}}
"""


@pytest.fixture
def postgresql() -> Iterator[str]:
    # Not below pytest's folders, which the server's own user may not enter.
    with tempfile.TemporaryDirectory() as folder, postgresql_server(Path(folder)) as url:
        Path(folder).chmod(0o700)
        yield url


def until(met: Callable[[], Any], timeout_s: float) -> float:
    began_s = time.monotonic()
    while not met():
        assert time.monotonic() - began_s < timeout_s
        time.sleep(0.2)
    return time.monotonic() - began_s


@pytest.mark.slow
def test_cameras_of_a_killed_actor_are_taken_over_and_the_actor_comes_back(
    tmp_path: Path, postgresql: str
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    file = write_video(tmp_path / "square.mp4", [scene(n) for n in range(200)])
    zone = "{all: [[0, 0], [1, 0], [1, 1], [0, 1]]}"
    one = f"{{address: {file}, loop: true, fps: 5, zones: {zone}}}"
    cameras = "{" + ", ".join(f"{name}: {one}" for name in CAMERAS) + "}"
    words = FILE.format(
        store=tmp_path / "data", database=postgresql, cameras=cameras, lease_s=LEASE_S
    )
    with Host(loads(words)) as host:
        host.start()
        plugin = host.plugin("security")
        assert isinstance(plugin, SecurityPlugin)

        def held() -> dict[int, list[str]]:
            workers = plugin.health()["workers"]
            return {one["process"]: one["cameras"] for one in workers if "process" in one}

        def watched() -> bool:
            states = plugin.health()["cameras"]
            return {state["status"] for state in states.values()} == {"ok"}

        until(lambda: [len(names) for names in held().values()] == [2, 2] and watched(), 180)
        alerts = {alert["id"] for alert in plugin.service.alerts()}
        assert plugin.service.picture("gate").startswith(b"\xff\xd8")
        killed, _ = held()

        def taken_over() -> bool:
            # By the other, or by the actor that Ray begins anew: whichever asks first.
            living = (names for process, names in held().items() if process != killed)
            return sorted(chain.from_iterable(living)) == sorted(CAMERAS)

        os.kill(killed, signal.SIGKILL)
        # Its leases run out at the latest then; renewing takes a third of one more.
        took_s = until(taken_over, 3 * LEASE_S)
        assert took_s < 2 * LEASE_S
        until(lambda: [len(names) for names in held().values()] == [2, 2] and watched(), 180)
        assert killed not in held()
        assert alerts <= {alert["id"] for alert in plugin.service.alerts()}


def test_footage_is_refused_where_workers_are_elsewhere() -> None:
    options = {"footage": {}, "workers": {"ray": {"count": 2}}}
    with pytest.raises(ValidationError, match="workers on Ray keep no footage"):
        SecurityConfig.model_validate(options)
