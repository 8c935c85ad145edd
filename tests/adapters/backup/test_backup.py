"""A backup is made while a deployment is served, is verified, and brings everything back."""

from __future__ import annotations

import shutil

import pytest

from tests.adapters.http.processes import GIVEN_VECTORS, serving
from tests.command_line import tiepoint

ITEMS = "/v1/collections/items/items"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return the folders of a deployment, and of the backup that was made while it was served."""
    folder = tmp_path_factory.mktemp("served")
    file = folder / "deploy.yaml"
    file.write_text(GIVEN_VECTORS + "auth: {keys: ./keys.json, anonymous: ['*']}\n")
    made = tiepoint("keys", "create", file, "desk", "--scope", "search")
    assert made.returncode == 0, made.stderr
    with serving(file) as service, service.client() as client:
        items = [
            {"id": f"i{n}", "parts": {"text": f"thing {n}", "shape": [float(n)] * 8}}
            for n in range(1, 200)
        ]
        assert client.post(ITEMS, json={"items": items}).json()["added"] == 199
        assert client.delete(f"{ITEMS}/i7").json() == {"deleted": 1}
        done = tiepoint("backup", file, folder / "backup")
        assert done.returncode == 0, done.stderr
        assert client.post(ITEMS, json={"items": items[:1]}).json()["unchanged"] == 1
    return folder, made.stdout.strip()


def test_everything_comes_back_elsewhere(saved, tmp_path):
    folder, key = saved
    file = tmp_path / "deploy.yaml"
    file.write_text(GIVEN_VECTORS + "auth: {keys: ./keys.json}\n")
    done = tiepoint("restore", file, folder / "backup")
    assert done.returncode == 0, done.stderr
    with serving(file) as service:
        headers = {"Authorization": f"Bearer {key}"}
        with service.client(headers=headers) as client:
            hits = client.post("/v1/search", json={"text": "thing 9", "k": 1}).json()["hits"]
            assert hits[0]["id"] == "i9"
            assert client.get(ITEMS).status_code == 403
    assert tiepoint("restore", file, folder / "backup").returncode == 2


def test_a_backup_that_was_changed_is_not_restored(saved, tmp_path):
    folder, _ = saved
    copied = tmp_path / "backup"
    shutil.copytree(folder / "backup", copied)
    assert tiepoint("restore", folder / "deploy.yaml", copied, "--check").returncode == 0
    with (copied / "keys.json").open("a") as file:
        file.write(" ")
    done = tiepoint("restore", folder / "deploy.yaml", copied, "--check")
    assert done.returncode == 2
    assert "keys.json: a file of the backup is not as it was made" in done.stderr
    (copied / "keys.json").unlink()
    assert "is missing" in tiepoint("restore", tmp_path / "x.yaml", copied, "--check").stderr


def test_nothing_is_overwritten(saved, tmp_path):
    folder, _ = saved
    assert tiepoint("backup", folder / "deploy.yaml", folder / "backup").returncode == 2
    done = tiepoint("restore", folder / "deploy.yaml", folder / "backup")
    assert done.returncode == 2
    assert "already" in done.stderr or "has items" in done.stderr


def test_what_is_no_backup_is_told(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text(GIVEN_VECTORS)
    done = tiepoint("restore", file, tmp_path)
    assert done.returncode == 2
    assert "this is no backup" in done.stderr
