"""A deployment that runs keeps footage of its cameras, with zones and alerts, and finds it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.videos import write_video
from tiepoint import Host
from tiepoint_security.rendering.scripts import YARD, intrusion

CAMERAS = """
    cameras:
      gate:
        address: {file}
        fps: 10
        zones: {{yard: {yard}}}
    rules:
      nobody:
        severity: critical
        when: {{intrusion: {{zones: [yard]}}}}
"""


@pytest.fixture
def watched(config: Path, tmp_path):
    """The deployment after it has run as long as its camera, a file, went on."""
    film = write_video(
        tmp_path / "gate.mp4", [f.pixels for f in intrusion(12.0, 1).frames()], rate=10
    )
    yard = [list(corner) for corner in YARD]
    config.write_text(config.read_text() + CAMERAS.format(file=film, yard=yard).lstrip("\n"))
    with Host.from_config(config) as host:
        host.start()
        plugin = host.plugin("security")
        ends = time.monotonic() + 60
        while not plugin.watch.pool.over:  # type: ignore[attr-defined]
            assert time.monotonic() < ends
            time.sleep(0.1)
        assert plugin.health()["footage"]["failed"] == 0
    with Host.from_config(config) as host:
        yield host


def test_what_the_cameras_saw_is_found_by_zone_and_alert(watched):
    def found(where: str | None = None) -> dict[str, float]:
        hits = watched.search(text="red", k=20, where=where, collection="footage")
        return {hit.id: float(str(hit.metadata["start_s"])) for hit in hits}

    everything = found()
    begun_s = min(everything.values())
    assert max(everything.values()) - begun_s > 8
    inside = found('zones contains "yard"')
    alerted = found("severity >= 3")
    for some in (inside, alerted):
        assert some
        assert set(some) < set(everything)
        assert min(some.values()) - begun_s > 4
