"""What the service tells of its work: metrics, lines of its log, and traces."""

from __future__ import annotations

import json
import logging

import pytest

from tests.adapters.http.conftest import deployment, served
from tests.adapters.http.processes import GIVEN_VECTORS, serving
from tests.http_server import QuietHandler, served_by
from tiepoint import Host
from tiepoint_adapters.http.logs import JsonFormatter


def test_metrics_count_requests_items_and_batches(serve):
    client = serve()
    client.post("/v1/search", json={"text": "red"})
    client.request("NONSENSE", "/v1/search")
    text = client.get("/metrics").text
    asked = 'tiepoint_http_requests_total{method="POST",route="/v1/search",status="200"} 1.0'
    assert asked in text
    assert "NONSENSE" not in text
    assert 'tiepoint_items{name="items"} 3.0' in text
    assert "tiepoint_search_batch_size_count 1.0" in text


def test_the_log_is_json_where_that_is_wanted(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text(GIVEN_VECTORS + "telemetry: {log: json}\n")
    with serving(file) as service, service.client() as client:
        request = client.get("/v1/me").headers["x-request-id"]
        service.process.terminate()
        lines = service.process.stderr.read().splitlines()
    found = [json.loads(line) for line in lines]
    [asked] = [line for line in found if line.get("request") == request]
    assert (asked["method"], asked["path"], asked["status"]) == ("GET", "/v1/me", 200)
    assert asked["caller"] == "local"


def test_a_line_of_the_log_stays_one_line():
    record = logging.makeLogRecord({"msg": "a\nb\x1b[31m", "name": "x"})
    assert "\n" not in JsonFormatter().format(record)


@pytest.fixture
def collector():
    """A collector of traces on this machine."""
    received = []

    class Collect(QuietHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

    with served_by(Collect) as address:
        yield f"{address}/v1/traces", received


def test_requests_are_traced_without_what_was_asked(tmp_path, collector):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    url, received = collector
    with served(Host(deployment(tmp_path, telemetry={"traces": url}))) as client:
        trace = "0af7651916cd43dd8448eb211c80319c"
        parent = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        client.post("/v1/search", json={"text": "a secret red"}, headers=parent)
    sent = b"".join(received)
    assert b"POST /v1/search" in sent
    assert bytes.fromhex(trace) in sent
    assert b"secret" not in sent
