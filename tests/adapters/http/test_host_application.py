"""The host applications of `examples/host_app`, run as they are: FastAPI, Django, and WSGI."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path
from types import ModuleType

import httpx
import pytest
import yaml
from starlette.testclient import TestClient

from tests.adapters.http.conftest import ITEMS
from tests.adapters.http.processes import GIVEN_VECTORS, serving
from tests.footage import scene, write_video
from tests.plugins.recommendation.shops import fill
from tests.small_encoders import PixelColourEncoder
from tiepoint import registry
from tiepoint_recommendation.simulation.shop import simulate

PROGRAMS = Path(__file__).parents[3] / "examples" / "host_app"
DEPLOYMENT = {
    "version": 1,
    "encoders": {"photo": {"type": "colour-frames"}, "words": {"type": "colour-words"}},
    "alignment": {"type": "colour", "encoders": {"image": "photo", "text": "words"}},
    "store": {"uri": "./store"},
    "collections": {
        "items": {
            "fields": {
                "image": {"encoder": "photo"},
                "text": {"encoder": "words", "words": True},
            },
            "metadata": {"price": "float", "shelf": "string", "tags": "strings"},
        }
    },
}
LOCAL = {"base_url": "http://localhost", "client": ("127.0.0.1", 50000)}


def program(name: str) -> ModuleType:
    """Import a host application anew, as its server would."""
    spec = importlib.util.spec_from_file_location(name, PROGRAMS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # by which Django finds its routes
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _programs_are_forgotten():
    undo = registry.register(registry.ENCODERS, "colour-frames", PixelColourEncoder)
    yield
    undo()
    for name in ("app", "django_app", "wsgi_app"):
        sys.modules.pop(name, None)


@pytest.fixture
def deploy(tmp_path, monkeypatch):
    """Return what writes the deployment that a program reads, with these plugins."""

    def write(**changes) -> None:
        file = tmp_path / "deploy.yaml"
        file.write_text(yaml.safe_dump(DEPLOYMENT | changes, sort_keys=False), "utf-8")
        monkeypatch.setenv("TIEPOINT_CONFIG", str(file))

    return write


def test_fastapi_with_all_three_plugins(deploy, tmp_path):
    square = write_video(tmp_path / "square.mp4", [scene(number) for number in range(60)])
    fill(simulate(users=30, items=40, days=20, seed=3), tmp_path / "shop")
    camera = {"address": str(square), "fps": 10, "zones": {"all": [[0, 0], [1, 0], [1, 1], [0, 1]]}}
    inside = {"when": {"intrusion": {"zones": ["all"]}}}
    cases = {
        "fields": {
            "image": {"encoder": "volumes"},
            "report": {"encoder": "words", "modality": "text", "words": True},
            "findings": {"dimensions": 61},
        },
        "metadata": {
            **dict.fromkeys(("patient", "study", "modality", "body_part"), "string"),
            **dict.fromkeys(("present", "absent", "uncertain"), "strings"),
        },
    }
    volumes = {"type": "volume", "frames": {"type": "colour-frames"}}
    deploy(
        encoders=DEPLOYMENT["encoders"] | {"volumes": volumes},
        collections={**DEPLOYMENT["collections"], "cases": cases},
        plugins={
            "security": {"cameras": {"gate": camera}, "rules": {"inside": inside}},
            "recommendation": {"store": str(tmp_path / "shop")},
            "medical": {"state": str(tmp_path / "medical"), "collection": "cases"},
        },
    )
    application = program("app")
    with TestClient(application.app, **LOCAL) as client:
        application.host.add(ITEMS, collection="items")
        assert "<li>leaf" in client.get("/", params={"question": "green"}).text
        refused = client.get("/", params={"question": "'><script>"})
        assert "<script>" not in refused.text
        assert client.get("/", params={"question": " "}).status_code == 200
        found = client.post("/tiepoint/v1/search", json={"text": "green", "collection": "items"})
        assert found.json()["hits"][0]["id"] == "leaf"
        menu = client.get("/tiepoint/pages/search").text
        for page in ("security", "recommendation", "medical"):
            assert f"/tiepoint/pages/{page}" in menu
        ends = time.monotonic() + 60
        while not (told := client.get("/state").json())["alerts"] and time.monotonic() < ends:
            time.sleep(0.2)
    assert told["alerts"] >= 1
    assert len(told["recommended"]) == 3
    assert told["medical"]["status"] == "ok"


def test_django_over_asgi(deploy):
    pytest.importorskip("django")
    deploy()
    application = program("django_app")
    with TestClient(application.application, **LOCAL) as client:
        application.host.add(ITEMS)
        assert client.get("/search", params={"question": "green"}).json()["found"][0] == "leaf"
        assert client.get("/search", params={"question": " "}).status_code == 400
        found = client.post("/tiepoint/v1/search", json={"text": "green"}).json()
        assert found["hits"][0]["id"] == "leaf"
        assert client.get("/tiepoint/pages/search").status_code == 200


def test_wsgi_with_a_sidecar(tmp_path, monkeypatch):
    file = tmp_path / "deploy.yaml"
    file.write_text(GIVEN_VECTORS, "utf-8")
    with serving(file) as service:
        body = {"items": [{"id": "leaf", "parts": {"text": "a green leaf"}}]}
        httpx.post(f"{service.url}/v1/collections/items/items", json=body).raise_for_status()
        monkeypatch.setenv("TIEPOINT_URL", service.url)
        application = program("wsgi_app").application
        with httpx.Client(transport=httpx.WSGITransport(application)) as client:
            asked = {"question": "leaf"}
            assert client.get("http://localhost/", params=asked).json() == {"found": ["leaf"]}
            service.process.kill()
            service.process.wait()
            down = client.get("http://localhost/", params=asked)
    assert down.status_code == 502
    assert "cannot be reached" in json.loads(down.text)["error"]
