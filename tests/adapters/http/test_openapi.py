"""The OpenAPI document is true: what it describes is what is answered, and nothing fails."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.adapters.http.conftest import deployment, served
from tests.adapters.http.processes import GIVEN_VECTORS, serving
from tiepoint import Host

schemathesis = pytest.importorskip("schemathesis")
openapi = pytest.importorskip("schemathesis.specs.openapi.checks")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service whose answers can be compared with its own description."""
    host = Host(deployment(tmp_path_factory.mktemp("openapi")))
    with served(host) as client:
        yield client


def test_every_route_answers_as_it_is_described(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text(GIVEN_VECTORS)
    # Others are left out: a filter that names an unknown field is refused, say, though the
    # description cannot tell which fields there are.
    checks = [
        openapi.status_code_conformance,
        openapi.content_type_conformance,
        openapi.response_schema_conformance,
    ]
    tried = []
    with serving(file) as service:
        schema = schemathesis.openapi.from_url(f"{service.url}/v1/openapi.json")
        for found in schema.get_all_operations():
            operation = found.ok()
            tried.append(operation.label)

            @given(case=operation.as_strategy())
            @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
            def check(case):
                response = case.call()
                assert response.status_code < 500, response.text
                case.validate_response(response, checks=checks)

            check()
    assert "POST /v1/search" in tried


def test_examples_and_refusals_are_described(service):
    document = service.get("/v1/openapi.json").json()
    search = document["components"]["schemas"]["SearchRequest"]
    assert service.post("/v1/search", json={"text": search["examples"][0]["text"]}).is_success
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "4XX" in operation["responses"], path
            assert operation["summary"], path


def test_below_a_parent_it_says_where_it_is(tmp_path):
    host = Host(deployment(tmp_path, server={"root_path": "/behind"}))
    with served(host) as client:
        servers = client.get("/v1/openapi.json").json().get("servers")
    assert servers == [{"url": "/behind"}]
