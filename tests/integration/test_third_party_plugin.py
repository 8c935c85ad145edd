"""A plugin by a third party: installed as its own distribution, found, run, and refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import tiepoint
from tiepoint.plugin import API_VERSION

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "third_party_plugin"


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
    """The example's own deployment, as another file."""
    path = tmp_path / "deploy.yaml"
    shutil.copy(EXAMPLE / "deploy.yaml", path)
    return path


def environment(*site: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(map(str, (*site, REPOSITORY)))}


def test_it_is_listed_with_its_command_and_is_valid(site):
    listing = "".join(tiepoint("--help", PYTHONPATH=site).stdout.split())
    assert "trafficFindsvehiclesinfootagebyadescription" in listing
    assert "(tiepoint-traffic)" in listing
    listed = json.loads(tiepoint("plugins", "--json", PYTHONPATH=site).stdout)["components"]
    [row] = [row for row in listed if row["name"] == "traffic"]
    assert (row["distribution"], row["version"]) == ("tiepoint-traffic", "1.0.0")
    assert (row["api_version"], row["status"]) == (1, "ok")


def test_it_passes_its_own_tests_on_real_footage(site):
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests")],
        cwd=EXAMPLE,
        env={**os.environ, **environment(site)},
        capture_output=True,
        text=True,
    )
    assert tests.returncode == 0, tests.stdout


def test_a_wrong_option_is_refused_with_path_and_line(site, deployment):
    text = deployment.read_text("utf-8").replace("    kinds:", "    kind:")
    deployment.write_text(text, "utf-8")
    line = text.splitlines().index("  traffic:") + 2
    done = tiepoint("config", "check", deployment, **environment(site))
    assert done.returncode == 2
    assert f"deploy.yaml:{line} (plugins.traffic.kind): unknown key" in done.stderr
    assert "Did you mean 'kinds'?" in done.stderr


def test_without_its_distribution_the_deployment_says_what_is_missing(deployment):
    done = tiepoint("config", "check", deployment, **environment())
    assert done.returncode == 2
    assert "(plugins.traffic): there is no plugin 'traffic'" in done.stderr


def test_one_made_for_a_newer_contract_is_refused_in_one_line(deployment, tmp_path):
    source = tmp_path / "newer"
    shutil.copytree(EXAMPLE, source)
    plugin = source / "tiepoint_traffic" / "plugin.py"
    stated = "api_version: ClassVar[int] = 1"
    assert stated in plugin.read_text()
    plugin.write_text(plugin.read_text().replace(stated, f"{stated[:-1]}{API_VERSION + 1}"))
    install_example(source, tmp_path / "site")
    variables = environment(tmp_path / "site")

    done = tiepoint("traffic", "log", deployment, **variables)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert f"tiepoint-traffic 1.0.0 needs plugin API {API_VERSION + 1}" in line
    assert f"offers {API_VERSION}" in line
    assert "Upgrade tiepoint" in line
    assert tiepoint("plugins", "--check", **variables).returncode == 2
