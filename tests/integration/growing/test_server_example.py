"""The deployment of one server, as its file says, with `milvus-lite server` for a standalone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.adapters.http.processes import serving
from tests.command_line import tiepoint
from tests.milvus_server import MilvusServer
from tests.postgresql import new_database
from tiepoint_adapters.demo.pictures import packaged_file

pytestmark = pytest.mark.slow

SERVER = Path(__file__).parents[3] / "examples" / "server.yaml"


def test_it_indexes_serves_with_keys_and_is_backed_up(
    milvus: MilvusServer,
    postgresql: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def environment(state: str, store: str, database: str) -> None:
        for name, value in {
            "MILVUS_URI": store,
            "TIEPOINT_DATABASE": database,
            "TIEPOINT_STATE": str(tmp_path / state),
            "TIEPOINT_PICTURES": str(tmp_path / "pictures"),
            "TIEPOINT_AUDIT_KEY": "a secret of this test",
            "TIEPOINT_PORT": "0",
        }.items():
            monkeypatch.setenv(name, value)

    def done(*words: str | Path) -> str:
        ended = tiepoint(*words)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def answers(key: str) -> None:
        with serving(SERVER) as service, service.client() as client:
            body = {"text": "a cat", "k": 1}
            assert client.post("/v1/search", json=body).status_code == 401
            client.headers["Authorization"] = f"Bearer {key}"
            assert client.post("/v1/search", json=body).json()["hits"][0]["id"] == "chelsea.png"
            assert client.get("/v1/security/alerts").json() == []
            health = client.get("/v1/health").json()
            assert health["store"]["status"] == "ok"
            assert health["plugins"]["security"]["status"] == "ok"

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("chelsea.png", "coffee.png", "rocket.jpg"):
        shutil.copy(packaged_file("skimage", f"data/{name}"), pictures)
    environment("state", milvus.uri, postgresql)
    done("config", "check", SERVER)
    done("upgrade", SERVER)
    assert json.loads(done("index", SERVER, "--json"))["sources"][0]["added"] == 3
    key = done("keys", "create", SERVER, "desk", "--scope", "*").strip()
    answers(key)
    done("backup", SERVER, tmp_path / "backup")

    from pymilvus import MilvusClient

    client = MilvusClient(milvus.uri, timeout=60)
    client.create_database("restored")
    client.close()
    environment("restored", f"{milvus.uri}/restored", new_database(postgresql))
    done("restore", SERVER, tmp_path / "backup")
    done("upgrade", SERVER)
    answers(key)
