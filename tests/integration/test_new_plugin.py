"""`tiepoint plugins new` makes a distribution that is installed, found, valid and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import tiepoint
from tests.integration.test_third_party_plugin import install_example

REPOSITORY = Path(__file__).parents[2]

DEPLOYMENT = """
version: 1
store: {uri: ./data}
collections: {items: {fields: {text: {words: true}}}}
plugins: {wild_birds: {}}
"""


@pytest.fixture
def made(tiepoint_here, tmp_path):
    done = tiepoint_here("plugins", "new", "wild_birds", "--out", tmp_path / "birds")
    assert done.returncode == 0, done.stderr
    install_example(tmp_path / "birds", tmp_path / "site")
    return tmp_path


def test_it_passes_its_own_tests_and_answers_on_the_command_line(made):
    path = os.pathsep.join(map(str, (made / "site", REPOSITORY)))
    environment = {**os.environ, "PYTHONPATH": path}
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=made / "birds",
        env=environment,
        capture_output=True,
        text=True,
    )
    assert tests.returncode == 0, tests.stdout
    (made / "deploy.yaml").write_text(DEPLOYMENT, "utf-8")
    program = (
        "from tiepoint import Host, Item\n"
        "with Host.from_config('deploy.yaml') as host:\n"
        "    host.add([Item('robin', text='a red breast'), Item('wren', text='a small tail')])\n"
        "    host.start()\n"
        "    plugin = host.plugin('wild_birds')\n"
        "    assert plugin.page().module == 'page.js' and plugin.router().routes\n"
        "    print([hit.id for hit in plugin.find('red')])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=made,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.stdout.strip() == "['robin']", run.stderr
    asked = tiepoint("wild_birds", made / "deploy.yaml", "tail", PYTHONPATH=path)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.split()[1] == "wren"


def test_its_deployment_is_valid_and_its_page_speaks_chinese(made):
    deployment = made / "birds" / "deploy.yaml"
    checked = tiepoint("config", "check", deployment, PYTHONPATH=made / "site")
    page = made / "birds" / "tiepoint_wild_birds" / "page"
    spoken = re.findall(r't\("([^"]+)"\)', (page / "page.js").read_text("utf-8"))

    assert (checked.returncode, checked.stdout) == (0, f"{deployment}: ok\n"), checked.stderr
    assert sorted(spoken) == sorted(json.loads((page / "zh.json").read_text("utf-8")))


def test_a_bad_name_and_a_folder_that_exists_are_refused_in_one_line(tiepoint_here, tmp_path):
    for arguments in (["Birds!"], ["birds", "--out", tmp_path]):
        refused = tiepoint_here("plugins", "new", *arguments)
        assert refused.returncode == 2
        assert len(refused.stderr.strip().splitlines()) == 1
