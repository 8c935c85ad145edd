"""The life of a served process: its start, its end, its reload, and being killed."""

from __future__ import annotations

import re
import signal
import socket
import threading
import time

import httpx
import pytest

from tests.adapters.http.processes import GIVEN_VECTORS, serving, start
from tests.command_line import tiepoint


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "deploy.yaml"
    path.write_text(GIVEN_VECTORS)
    return path


def item(number):
    return {"id": f"item-{number}", "parts": {"text": f"thing {number}"}, "metadata": {}}


def ended(process):
    _, told = process.communicate(timeout=60)
    return process.returncode, told


def test_it_ends_cleanly_and_finishes_what_is_under_way(file):
    with serving(file) as service, service.client() as client:
        assert client.get("/ready").json() == {"status": "ok"}
        answers = []

        def add() -> None:
            body = {"items": [item(number) for number in range(900)]}
            answers.append(client.post("/v1/collections/items/items", json=body))

        adding = threading.Thread(target=add)
        adding.start()
        time.sleep(0.1)
        service.process.send_signal(signal.SIGTERM)
        adding.join()
        assert answers[0].json()["added"] == 900
        assert service.process.wait(30) == 0


def test_a_port_in_use_is_told_before_anything_is_loaded(file):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file.write_text(GIVEN_VECTORS.replace("port: 0", f"port: {port}"))
        code, told = ended(start(file))
    assert code == 2
    assert re.fullmatch(rf"tiepoint: 127.0.0.1:{port}: cannot listen there .*\n", told)


def test_two_services_do_not_share_an_embedded_store(file):
    with serving(file):
        code, told = ended(start(file))
    assert code == 2
    assert "has held the store since" in told


def test_an_unreadable_certificate_is_told(file, tmp_path):
    (tmp_path / "cert.pem").write_text("no certificate")
    (tmp_path / "key.pem").write_text("no key")
    tls = "tls: {certificate: ./cert.pem, key: ./key.pem}"
    file.write_text(GIVEN_VECTORS.replace("port: 0", f"port: 0, {tls}"))
    code, told = ended(start(file))
    assert code == 2
    assert "server.tls" in told
    (tmp_path / "key.pem").unlink()
    code, told = ended(start(file))
    assert code == 2
    assert "key.pem" in told


def test_a_changed_file_is_taken_over_and_a_wrong_one_changes_nothing(file):
    with serving(file) as service, service.client() as client:
        client.post("/v1/collections/items/items", json={"items": [item(1)]})
        file.write_text(
            GIVEN_VECTORS.replace(
                "  items:\n", "  others:\n    fields: {text: {words: true}}\n  items:\n"
            )
        )
        done = tiepoint("reload", file)
        assert done.returncode == 0, done.stderr
        question = {"text": "thing", "collection": "items"}
        assert client.post("/v1/search", json=question).json()["hits"][0]["id"] == "item-1"
        others = client.post("/v1/search", json={"text": "thing", "collection": "others"})
        assert others.json()["hits"] == []

        file.write_text("version: 1\nnonsense: true\n")
        assert tiepoint("reload", file).returncode == 2
        service.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert client.post("/v1/search", json=question).json()["hits"][0]["id"] == "item-1"

        file.write_text(GIVEN_VECTORS.replace("dimensions: 8", "dimensions: 9"))
        done = tiepoint("reload", file)
        assert done.returncode == 2
        assert client.post("/v1/search", json=question).status_code == 200


def test_a_reload_without_a_process_says_how_to_start_one(file):
    done = tiepoint("reload", file)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "no process holds the store" in line
    assert "tiepoint serve" in line


def test_nothing_acknowledged_is_lost_when_it_is_killed(file):
    acknowledged: list[int] = []
    with serving(file) as service:
        stopping = threading.Event()

        def write(first: int) -> None:
            with service.client() as client:
                number = first
                while not stopping.is_set():
                    body = {"items": [item(number)]}
                    try:
                        answer = client.post("/v1/collections/items/items", json=body)
                    except httpx.HTTPError:
                        return
                    if answer.status_code == 200:
                        acknowledged.append(number)
                    number += 4

        writers = [threading.Thread(target=write, args=(first,)) for first in range(4)]
        for writer in writers:
            writer.start()
        while len(acknowledged) < 60:
            time.sleep(0.02)
        service.process.kill()
        stopping.set()
        for writer in writers:
            writer.join()
    began = time.perf_counter()
    with serving(file) as service, service.client() as client:
        assert time.perf_counter() - began < 10
        for number in acknowledged:
            assert client.get(f"/v1/collections/items/items/item-{number}").status_code == 200
