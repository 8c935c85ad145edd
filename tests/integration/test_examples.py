"""The deployments under `examples/` do what their comments say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command_line import tiepoint
from tiepoint_adapters.demo.changes import changed
from tiepoint_adapters.demo.pictures import packaged_file

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def pictures(tmp_path) -> Path:
    folder = tmp_path / "shop" / "pictures"
    folder.mkdir(parents=True)
    for name in ("chelsea", "coffee"):
        source = packaged_file("skimage", f"data/{name}.png")
        changed(str(source), "small").save(folder / f"{name}.jpg")
    return folder


def answers(config: Path, *options: str, **variables: Path) -> list[str]:
    indexed = tiepoint("index", config, **variables)
    assert indexed.returncode == 0, indexed.stderr
    done = tiepoint("search", config, *options, "--json", **variables)
    assert done.returncode == 0, done.stderr
    return [hit["id"] for hit in json.loads(done.stdout)["hits"]]


def test_every_deployment_is_valid():
    files = sorted(EXAMPLES.glob("*.yaml"))
    assert files
    for file in files:
        done = tiepoint("config", "check", file)
        assert done.returncode == 0, done.stderr


def test_a_folder_of_pictures(pictures, tmp_path):
    sidecar = {"text": "a cat", "metadata": {"year": 2021, "place": "home"}}
    (pictures / "chelsea.json").write_text(json.dumps(sidecar))
    found = answers(
        EXAMPLES / "pictures.yaml",
        *("--text", "an animal", "--filter", "year >= 2020"),
        TIEPOINT_PICTURES=pictures,
        TIEPOINT_STORE=tmp_path / "store",
    )
    assert found == ["chelsea.jpg"]


def test_a_shop(pictures, tmp_path):
    (pictures.parent / "products.csv").write_text(
        "sku,picture,title,price,tags\n"
        "1,chelsea.jpg,poster of a cat,12.50,new;animals\n"
        "2,coffee.jpg,cup of coffee,3,new\n"
        "3,,red shoe,40,\n"
    )
    found = answers(
        EXAMPLES / "shop.yaml",
        *("--text", "hot drink", "--filter", 'price < 50 and tags contains "new"'),
        TIEPOINT_SHOP=pictures.parent,
        TIEPOINT_STORE=tmp_path / "store",
    )
    assert found == ["2", "1"]
