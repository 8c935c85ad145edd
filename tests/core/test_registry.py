"""Components by name: what is found, what is refused, and what the user is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.distributions import install
from tiepoint import registry
from tiepoint.errors import ConfigError, PluginError
from tiepoint.plugin import API_VERSION

PLUGIN = """
from typing import ClassVar
from tiepoint.plugin import Plugin, PluginConfig

class Options(PluginConfig):
    threshold: float = 0.5

class Lamp(Plugin):
    name = "lamp"
    version = "1.0"
    api_version = {api_version}
    Config: ClassVar = Options
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the path, for distributions."""
    monkeypatch.syspath_prepend(tmp_path)
    registry.refresh()
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("lamp_")]:
        del sys.modules[name]
    registry.refresh()


def install_plugin(site: Path, module: str, text: str, **options: str) -> None:
    install(site, "tiepoint-lamp", {registry.PLUGINS: {"lamp": f"{module}:Lamp"}}, {module: text})
    registry.refresh()


def test_built_in_components_come_through_entry_points():
    found = registry.find(registry.FUSIONS, "weighted")
    assert found is not None
    assert found.distribution == "tiepoint"
    assert registry.load(registry.FUSIONS, "weighted").__name__ == "WeightedFusion"


def test_looking_up_names_imports_nothing_of_the_components():
    code = (
        "import sys; from tiepoint import registry\n"
        "for group in registry.NOUNS: registry.names(group)\n"
        "print([m for m in sys.modules if m.startswith(('tiepoint.', 'numpy', 'torch'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['tiepoint.errors', 'tiepoint.registry']"


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(PluginError, match=r"no fusion 'wieghted'\. Did you mean 'weighted'\?"):
        registry.load(registry.FUSIONS, "wieghted")


def test_an_unknown_plugin_of_ours_gets_the_line_that_installs_it():
    assert (
        registry.suggest(registry.PLUGINS, "security")
        == "Install it: pip install tiepoint-security"
    )


def test_a_component_that_cannot_be_imported_is_named_with_its_distribution(site):
    install_plugin(site, "lamp_broken", "import a_module_that_is_not_there\n")
    with pytest.raises(PluginError) as caught:
        registry.plugin_class("lamp")
    line = str(caught.value)
    assert "plugin 'lamp' of tiepoint-lamp 1.0 cannot be imported" in line
    assert "Install what provides the module 'a_module_that_is_not_there'" in line
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["raise SystemError('no')", "1 / 0", "def broken(:", "Other = 1"])
def test_whatever_goes_wrong_in_an_import_is_a_plugin_error(site, text):
    install_plugin(site, "lamp_fails", text)
    with pytest.raises(PluginError, match="cannot be imported"):
        registry.load(registry.PLUGINS, "lamp")


def test_a_plugin_is_built_with_its_checked_options(site):
    install_plugin(site, "lamp_good", PLUGIN.format(api_version=API_VERSION))
    plugin = registry.build_plugin("lamp", {"threshold": 0.25})
    assert plugin.config.threshold == 0.25
    with pytest.raises(ConfigError, match=r"plugins.lamp.treshold: unknown key.*'threshold'"):
        registry.build_plugin("lamp", {"treshold": 0.25})


def test_a_plugin_for_a_newer_contract_is_refused(site):
    install_plugin(site, "lamp_new", PLUGIN.format(api_version=API_VERSION + 1))
    with pytest.raises(PluginError) as caught:
        registry.build_plugin("lamp", {})
    line = str(caught.value)
    assert f"plugin 'lamp' of tiepoint-lamp 1.0 needs plugin API {API_VERSION + 1}" in line
    assert f"offers {API_VERSION}" in line
    assert "Upgrade tiepoint" in line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("class Lamp: pass", "is not a subclass of tiepoint.plugin.Plugin"),
        ("from tiepoint.plugin import Plugin\nclass Lamp(Plugin): pass", "does not state its name"),
    ],
)
def test_what_is_no_plugin_is_refused(site, text, reason):
    install_plugin(site, "lamp_other", text)
    with pytest.raises(PluginError, match=reason):
        registry.plugin_class("lamp")


def test_of_two_components_of_one_name_ours_is_used_and_the_other_is_marked(site):
    install(site, "aardvark", {registry.FUSIONS: {"weighted": "lamp_x:X"}}, {"lamp_x": "X = 1"})
    registry.refresh()
    first, second = [c for c in registry.components(registry.FUSIONS) if c.name == "weighted"]
    assert (first.distribution, first.shadowed_by) == ("tiepoint", None)
    assert (second.distribution, second.shadowed_by) == ("aardvark", "tiepoint")
    assert registry.load(registry.FUSIONS, "weighted").__name__ == "WeightedFusion"


def test_a_component_can_be_registered_by_code_and_taken_away():
    undo = registry.register(registry.ENCODERS, "by-code", str)
    assert registry.load(registry.ENCODERS, "by-code") is str
    with pytest.raises(PluginError, match="of this name already"):
        registry.register(registry.ENCODERS, "by-code", int)
    undo()
    assert "by-code" not in registry.names(registry.ENCODERS)
