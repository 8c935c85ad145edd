"""The deployments under `examples/` do what their comments say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.videos import packaged_clip
from tiepoint.config.loader import load
from tiepoint_adapters.demo.changes import changed
from tiepoint_adapters.demo.pictures import packaged_file

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _secrets(monkeypatch):
    monkeypatch.setenv("TIEPOINT_AUDIT_KEY", "a secret that the file does not have")


@pytest.fixture
def pictures(tmp_path) -> Path:
    folder = tmp_path / "shop" / "pictures"
    folder.mkdir(parents=True)
    for name in ("chelsea", "coffee"):
        source = packaged_file("skimage", f"data/{name}.png")
        changed(str(source), "small").save(folder / f"{name}.jpg")
    return folder


@pytest.fixture
def answers(tiepoint_here, monkeypatch, tmp_path):
    """Index and search an example with these environment variables; returns ids."""

    def ask(name: str, *options: str, **variables: Path) -> list[str]:
        monkeypatch.setenv("TIEPOINT_STORE", str(tmp_path / "store"))
        for variable, value in variables.items():
            monkeypatch.setenv(variable, str(value))
        indexed = tiepoint_here("index", EXAMPLES / name)
        assert indexed.returncode == 0, indexed.stderr
        done = tiepoint_here("search", EXAMPLES / name, *options, "--json")
        assert done.returncode == 0, done.stderr
        return [hit["id"] for hit in json.loads(done.stdout)["hits"]]

    return ask


def test_every_deployment_is_valid(tiepoint_here):
    files = sorted(EXAMPLES.glob("*.yaml"))
    assert files
    for file in files:
        done = tiepoint_here("config", "check", file)
        assert done.returncode == 0, done.stderr


def test_every_whole_deployment_in_the_documentation_is_valid(tiepoint_here, tmp_path):
    text = (EXAMPLES.parent / "docs" / "deployment.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    whole = [block for block in blocks if block.startswith("version:")]
    assert whole
    for number, block in enumerate(whole):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block, "utf-8")
        done = tiepoint_here("config", "check", file)
        assert done.returncode == 0, done.stderr


def test_what_an_example_stores_is_ignored_by_git_and_removed_by_make_clean(monkeypatch):
    root = EXAMPLES.parent
    if not (root / ".git").exists() or not shutil.which("git") or not shutil.which("make"):
        pytest.skip("needs git, make and a checkout")
    cleaning = subprocess.run(
        ["make", "--dry-run", "clean"], cwd=root, capture_output=True, text=True, check=True
    )
    removed = cleaning.stdout.split()
    monkeypatch.delenv("TIEPOINT_STORE", raising=False)
    for file in sorted(EXAMPLES.glob("*.yaml")):
        uri = load(file).store.uri
        if "://" in uri:
            continue
        store = Path(uri)
        ignored = subprocess.run(["git", "check-ignore", "-q", store / "store.json"], cwd=root)
        assert ignored.returncode == 0
        assert str(store.parent.relative_to(root)) in removed


def test_a_folder_of_pictures(pictures, answers):
    sidecar = {"text": "a cat", "metadata": {"year": 2021, "place": "home"}}
    (pictures / "chelsea.json").write_text(json.dumps(sidecar))
    found = answers(
        "pictures.yaml",
        *("--text", "an animal", "--filter", "year >= 2020"),
        TIEPOINT_PICTURES=pictures,
    )
    assert found == ["chelsea.jpg"]


def test_a_shop(pictures, answers):
    (pictures.parent / "products.csv").write_text(
        "sku,picture,title,price,tags\n"
        "1,chelsea.jpg,poster of a cat,12.50,new;animals\n"
        "2,coffee.jpg,cup of coffee,3,new\n"
        "3,,red shoe,40,\n"
    )
    found = answers(
        "shop.yaml",
        *("--text", "hot drink", "--filter", 'price < 50 and tags contains "new"'),
        TIEPOINT_SHOP=pictures.parent,
    )
    assert found == ["2", "1"]


def test_shots_of_a_film_by_text_picture_and_clip(answers, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    film = shutil.copy(packaged_clip("bikes.mp4"), videos)
    found = answers(
        "videos.yaml",
        *("--text", "a bicycle leans on a wall", "--filter", "start_s > 1"),
        TIEPOINT_VIDEOS=videos,
    )
    assert sorted(found) == [
        f"bikes.mp4#t={times}" for times in ("1.2,3.04", "3.04,5.48", "5.48,7.48", "7.48,10")
    ]
    assert found[0] == "bikes.mp4#t=7.48,10"
    found = answers("videos.yaml", "--video", f"{film}#t=1.5,2.5", TIEPOINT_VIDEOS=videos)
    assert found[0] == "bikes.mp4#t=1.2,3.04"
