"""A deployment that runs: cameras with real peers, alerts to a real sink, figures, and faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
import yaml

from tests.footage import scene, write_video
from tests.http_receiver import http_receiver
from tests.ports import free_port
from tests.rtsp_server import BALL, needs_rtsp_server, rtsp_server
from tests.waiting import until
from tiepoint import Host
from tiepoint.errors import InputError
from tiepoint_security.alarm import Records
from tiepoint_security.plugin import SecurityPlugin
from tiepoint_security.records.archive import Question

QUICK: dict[str, Any] = {
    "connect_timeout_s": 5,
    "read_timeout_s": 1,
    "first_wait_s": 0.1,
    "longest_wait_s": 0.3,
    "fps": 10,
    "zones": {"all": [[0, 0], [1, 0], [1, 1], [0, 1]]},
}


@contextmanager
def running(
    folder: Path, url: str, cameras: dict[str, Any], **security: Any
) -> Iterator[SecurityPlugin]:
    deployment = {
        "version": 1,
        "store": {"uri": "./data"},
        "collections": {"items": {"fields": {"look": {"dimensions": 4}}}},
        "sinks": {"desk": {"type": "webhook", "url": url}},
        "plugins": {
            "security": {
                "cameras": {name: {**QUICK, **camera} for name, camera in cameras.items()},
                "rules": {"inside": {"when": {"intrusion": {"zones": ["all"]}}}},
                "evidence": {"before_s": 1, "after_s": 1},
                "delivery": {"timeout_s": 2, "first_wait_s": 0.1, "longest_wait_s": 0.3},
                **security,
            }
        },
    }
    (folder / "deploy.yaml").write_text(yaml.safe_dump(deployment))
    with Host.from_config(folder / "deploy.yaml") as host:
        host.start()
        plugin = host.plugin("security")
        assert isinstance(plugin, SecurityPlugin)
        yield plugin


def test_alerts_of_a_file_end_when_it_does_and_black_pictures_too(tmp_path: Path) -> None:
    square = write_video(tmp_path / "square.mp4", [scene(n) for n in range(60)])
    black = write_video(tmp_path / "black.mp4", [np.zeros((48, 64, 3), np.uint8)] * 75)
    cameras = {"gate": {"address": str(square)}, "dark": {"address": str(black)}}
    forever = {"default": {"condition": {"clear_after_s": 3600}}}
    with (
        http_receiver() as receiver,
        running(
            tmp_path, receiver.url, cameras, alerts=forever, tampering={"after_s": 1}
        ) as plugin,
    ):
        assert plugin.watch is not None
        until(lambda: plugin.watch.pool.over)
    records = Records(plugin.config.records, str(tmp_path / "data"))
    found = records.archive.find(Question())
    records.close()
    assert {(alert["rule"], alert["state"]) for alert in found} == {
        ("inside", "ended"),
        ("camera", "ended"),
    }


def test_alert_reaches_its_sink_with_evidence_and_can_be_asked_for(tmp_path: Path) -> None:
    file = write_video(tmp_path / "square.mp4", [scene(n) for n in range(200)])
    with (
        http_receiver() as receiver,
        running(tmp_path, receiver.url, {"gate": {"address": str(file), "loop": True}}) as plugin,
        plugin.service.listening() as listener,
    ):
        [first, *_] = receiver.await_taken(1, 30)
        alert_id = first.body["id"]
        assert first.body["after"]["zones"] == ["all"]
        assert first.body["after"]["contributions"] == {"intrusion": 1.0}
        heard = listener.next(5.0)
        assert heard is not None
        assert heard["id"] == alert_id
        service = plugin.service
        until(lambda: {"snapshot", "clip"} <= set(service.evidence(alert_id)))
        assert service.evidence_file(alert_id, "clip").suffix == ".mp4"
        assert service.picture("gate").startswith(b"\xff\xd8")
        [camera] = service.cameras()
        assert camera["name"] == "gate"
        assert camera["rules"] == ["inside"]
        assert service.acknowledge(alert_id, "ann")
        assert service.alerts(Question(id=alert_id))[0]["acknowledged_by"] == "ann"
        file_of_evidence = service.evidence_file(alert_id, "snapshot")
        file_of_evidence.write_bytes(b"changed")
        with pytest.raises(InputError, match="was changed"):
            service.evidence_file(alert_id, "snapshot")
        with pytest.raises(InputError, match="no such camera"):
            service.picture("yard")


def test_figures_are_there_for_prometheus(tmp_path: Path) -> None:
    file = write_video(tmp_path / "square.mp4", [scene(n) for n in range(100)])
    port = free_port()
    with (
        http_receiver() as receiver,
        running(
            tmp_path,
            receiver.url,
            {"gate": {"address": str(file), "loop": True}},
            metrics={"port": port},
        ) as plugin,
    ):
        until(lambda: plugin.health()["analysis"]["frames"] > 5)
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    values = dict(
        line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")
    )
    assert float(values['tiepoint_camera_up{camera="gate"}']) == 1
    assert float(values['tiepoint_camera_frames_total{camera="gate"}']) > 5
    assert float(values['tiepoint_analysis_latency_seconds{quantile="0.95"}']) > 0
    assert 'tiepoint_sink_waiting{sink="desk"}' in values


@needs_rtsp_server
def test_camera_that_is_gone_alerts_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    address = f"rtsp://127.0.0.1:{port}/camera"
    with http_receiver() as receiver:

        def of_camera(kind: str) -> list[Any]:
            bodies = [request.body for request in receiver.taken]
            return [b for b in bodies if b["after"]["rule"] == "camera" and b["type"] == kind]

        with running(tmp_path, receiver.url, {"gate": {"address": address}}) as plugin:
            with rtsp_server(BALL, port):
                until(lambda: plugin.health()["cameras"]["gate"]["analysed"] > 5)
            until(lambda: of_camera("new"))
            assert of_camera("new")[0]["after"]["contributions"] == {"lost": 1.0}
            assert plugin.health()["status"] == "degraded"
            with rtsp_server(BALL, port):
                until(lambda: plugin.health()["cameras"]["gate"]["status"] == "ok")
                until(lambda: of_camera("end"))
            keys = [request.key for request in receiver.taken]
    assert len(keys) == len(set(keys))


def test_camera_that_cannot_be_analysed_blinds_no_other(tmp_path: Path) -> None:
    file = write_video(tmp_path / "square.mp4", [scene(n) for n in range(100)])
    other = write_video(tmp_path / "other.mp4", [scene(n) for n in range(100)])
    cameras = {
        "gate": {"address": str(file), "loop": True},
        "yard": {"address": str(other), "loop": True},
    }
    with http_receiver() as receiver, running(tmp_path, receiver.url, cameras) as plugin:
        assert plugin.watch is not None

        def fail(_: Any) -> Any:
            raise RuntimeError("odd frame")

        plugin.watch.watching.cameras["gate"].understand = fail  # type: ignore[method-assign]
        before = plugin.health()["cameras"]["yard"]["analysed"]
        until(lambda: plugin.health()["cameras"]["yard"]["analysed"] > before + 5)
        assert plugin.health()["analysis"]["failures"] > 0
        assert plugin.health()["status"] == "degraded"


def test_sentence_without_an_alignment_is_an_error_that_health_shows(tmp_path: Path) -> None:
    file = write_video(tmp_path / "square.mp4", [scene(n) for n in range(10)])
    deployment = {
        "version": 1,
        "store": {"uri": "./data"},
        "collections": {"items": {"fields": {"look": {"dimensions": 4}}}},
        "plugins": {
            "security": {
                "cameras": {"gate": {"address": str(file)}},
                "rules": {"dog": {"when": {"described": {"text": "a dog"}}}},
            }
        },
    }
    (tmp_path / "deploy.yaml").write_text(yaml.safe_dump(deployment))
    with Host.from_config(tmp_path / "deploy.yaml") as host:
        host.start()
        health = host.health()["plugins"]["security"]
    assert health["status"] == "failed"
    assert "needs an encoder of pictures" in health["reason"]
