"""A plugin by a third party: installed as its own distribution, found, run, and refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.command_line import tiepoint
from tests.distributions import install
from tiepoint import registry
from tiepoint.plugin import API_VERSION

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "third_party_plugin"

DEPLOYMENT = """\
version: 1
encoders:
  colours: {type: colours}
store: {uri: store}
collections:
  items:
    fields:
      image: {encoder: colours}
sources:
  pictures: {type: folder, path: pictures}
plugins:
  duplicates: {threshold: 0.999}
"""


def install_example(source: Path, site: Path) -> None:
    """Install with pip, from the source tree alone: no index, no dependencies."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"),
            *("--no-build-isolation", "--target", str(site), str(source)),
        ],
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the example's distribution."""
    folder = tmp_path_factory.mktemp("site")
    install_example(EXAMPLE, folder)
    return folder


@pytest.fixture
def deployment(tmp_path):
    """A deployment over two pictures, with an encoder that comes from a distribution too."""
    install(
        tmp_path / "encoders",
        "colour-encoder",
        {registry.ENCODERS: {"colours": "tests.small_encoders:ColourEncoder"}},
        {},
    )
    (tmp_path / "pictures").mkdir()
    for name, colour in (("red", (200, 30, 20)), ("blue", (10, 40, 220))):
        Image.new("RGB", (32, 24), colour).save(tmp_path / "pictures" / f"{name}.png")
    path = tmp_path / "deploy.yaml"
    path.write_text(DEPLOYMENT)
    return path


def environment(deployment: Path, site: Path) -> dict[str, str]:
    folders = (site, deployment.parent / "encoders", REPOSITORY)
    return {
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders),
        "TIEPOINT_CACHE": str(deployment.parent / "cache"),
    }


def test_it_is_listed_with_its_command_and_is_valid(site):
    listing = "".join(tiepoint("--help", PYTHONPATH=site).stdout.split())
    assert "duplicatesFindspicturesthatacollectionalreadyhas(tiepoint-duplicates)" in listing
    listed = json.loads(tiepoint("plugins", "--json", PYTHONPATH=site).stdout)["components"]
    [row] = [row for row in listed if row["name"] == "duplicates"]
    assert (row["distribution"], row["version"]) == ("tiepoint-duplicates", "1.0.0")
    assert (row["api_version"], row["status"]) == (1, "ok")


def test_its_command_finds_the_picture_that_the_collection_has(site, deployment):
    variables = environment(deployment, site)
    indexed = tiepoint("index", deployment, **variables)
    assert indexed.returncode == 0, indexed.stderr

    new = deployment.parent / "new"
    new.mkdir()
    Image.open(deployment.parent / "pictures" / "red.png").resize((64, 48)).save(new / "again.png")
    Image.fromarray(np.full((9, 9, 3), (0, 255, 0), np.uint8)).save(new / "green.png")
    (new / "broken.png").write_bytes(b"no picture")
    done = tiepoint("duplicates", deployment, new, "--json", **variables)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    [duplicate] = answer["duplicates"]
    assert Path(duplicate["path"]).name == "again.png"
    assert "red" in duplicate["id"]
    assert duplicate["similarity"] > 0.999
    assert [Path(skipped["path"]).name for skipped in answer["skipped"]] == ["broken.png"]


def test_a_wrong_option_is_refused_with_path_and_line(site, deployment):
    deployment.write_text(DEPLOYMENT.replace("threshold", "treshold"))
    done = tiepoint("config", "check", deployment, **environment(deployment, site))
    assert done.returncode == 2
    assert "deploy.yaml:12 (plugins.duplicates.treshold): unknown key" in done.stderr
    assert "Did you mean 'threshold'?" in done.stderr


def test_without_its_distribution_the_deployment_says_what_is_missing(deployment, tmp_path):
    done = tiepoint("config", "check", deployment, **environment(deployment, tmp_path / "none"))
    assert done.returncode == 2
    assert "deploy.yaml:12 (plugins.duplicates): there is no plugin 'duplicates'" in done.stderr


def test_one_made_for_a_newer_contract_is_refused_in_one_line(deployment, tmp_path):
    source = tmp_path / "newer"
    shutil.copytree(EXAMPLE, source)
    plugin = source / "tiepoint_duplicates" / "plugin.py"
    stated = "api_version: ClassVar[int] = 1"
    assert stated in plugin.read_text()
    plugin.write_text(plugin.read_text().replace(stated, f"{stated[:-1]}{API_VERSION + 1}"))
    install_example(source, tmp_path / "site")
    variables = environment(deployment, tmp_path / "site")

    done = tiepoint("duplicates", deployment, tmp_path, **variables)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert f"tiepoint-duplicates 1.0.0 needs plugin API {API_VERSION + 1}" in line
    assert f"offers {API_VERSION}" in line
    assert "Upgrade tiepoint" in line
    assert tiepoint("plugins", "--check", **variables).returncode == 2
