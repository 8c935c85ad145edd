"""The client against a real service."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.adapters.http.processes import GIVEN_VECTORS, serving
from tiepoint_adapters.http.client import ServiceError, TiepointClient


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("client")
    (folder / "things.csv").write_text("id,text\nrow,a thing of the table\n")
    file = folder / "deploy.yaml"
    file.write_text(GIVEN_VECTORS + "sources: {things: {type: table, path: ./things.csv}}\n")
    with serving(file) as service:
        yield service


def test_items_go_in_and_are_found(service):
    with TiepointClient(service.url) as client:
        assert client.ready()
        items = [
            {
                "id": f"a/{n}",
                "parts": {"text": f"thing {n}", "shape": [float(n == j) for j in range(8)]},
            }
            for n in range(5)
        ]
        assert client.add(items).added == 5
        assert client.search(text="thing 3", k=1, explain=True).hits[0].id == "a/3"
        assert client.search(vector={"shape": [0, 0, 1, 0, 0, 0, 0, 0]}, k=1).hits[0].id == "a/2"
        assert [item.id for item in client.items(page=2)] == [f"a/{n}" for n in range(5)]
        assert client.item("a/4").parts["text"] == "thing 4"
        assert client.delete("a/4")
        assert not client.delete("a/4")


def test_a_refusal_carries_what_the_service_said(service):
    with TiepointClient(service.url) as client:
        with pytest.raises(ServiceError, match="no such item") as refused:
            client.item("absent")
        assert refused.value.status == 404
        with pytest.raises(ServiceError) as refused:
            client.search(text="x", where="prize < 3")
        assert refused.value.status == 422
        assert "price" in refused.value.hint


def test_a_picture_is_sent_as_bytes(service, tmp_path):
    path = tmp_path / "red.png"
    Image.new("RGB", (4, 4), "red").save(path)
    with TiepointClient(service.url) as client:
        with pytest.raises(ServiceError, match="no route leads from image"):
            client.search(image=path)
        content = io.BytesIO(path.read_bytes()).getvalue()
        with pytest.raises(ServiceError, match="no route leads from image"):
            client.search(image=content)


def test_a_job_is_started_and_waited_for(service):
    with TiepointClient(service.url) as client:
        job = client.wait(client.start_job("index", {"sources": ["things"]}).id, timeout_s=60)
        assert job.status == "done"
        assert client.item("row").parts["text"] == "a thing of the table"
        client.delete("row")


def test_a_job_that_is_refused_says_what_there_is(service):
    with TiepointClient(service.url) as client, pytest.raises(ServiceError, match="no job"):
        client.start_job("nonsense")


def test_a_service_that_is_not_there_is_told(service):
    with TiepointClient("http://127.0.0.1:9", tries=1) as client:
        assert not client.ready()
        with pytest.raises(ServiceError, match="cannot be reached"):
            client.health()
