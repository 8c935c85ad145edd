"""What every plugin has to keep to; subclass `PluginConformance` in your tests (with pytest).

class TestLamp(PluginConformance):
name = "lamp"
options = {"threshold": 0.5}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from tiepoint import registry
from tiepoint.errors import ConfigError
from tiepoint.plugin import API_VERSION, Plugin


class PluginConformance:
    """Tests of one installed plugin.

    Attributes:
        name: The name of its entry point in `tiepoint.plugins`.
        options: Options that it takes; those it can do without may be left out.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}

    def build(self) -> Plugin:
        """Construct the plugin as a host does."""
        return registry.build_plugin(self.name, self.options)

    def test_it_is_discovered_under_its_own_name(self) -> None:
        found = registry.find(registry.PLUGINS, self.name)
        assert found is not None
        assert not found.shadowed_by
        assert registry.plugin_class(self.name).name == self.name

    def test_it_was_made_for_a_contract_that_is_offered(self) -> None:
        assert 1 <= registry.plugin_class(self.name).api_version <= API_VERSION

    def test_its_distribution_says_what_it_is(self) -> None:
        found = registry.find(registry.PLUGINS, self.name)
        assert found is not None
        assert found.summary

    def test_it_is_constructed_from_its_options(self) -> None:
        plugin = self.build()
        assert isinstance(plugin, Plugin)
        assert isinstance(plugin.config, type(plugin).Config)

    def test_it_refuses_an_unknown_option_by_name(self) -> None:
        with pytest.raises(ConfigError, match="no_such_option"):
            registry.build_plugin(self.name, {**self.options, "no_such_option": 1})

    def test_its_options_have_titles_and_descriptions(self) -> None:
        for name, field in registry.plugin_class(self.name).Config.model_fields.items():
            assert field.title, name
            assert field.description, name

    def test_it_can_be_stopped_without_having_started(self) -> None:
        plugin = self.build()
        plugin.stop()
        plugin.stop()

    def test_its_health_is_plain_data_with_a_status(self) -> None:
        health = self.build().health()
        assert isinstance(health["status"], str)
        json.dumps(health)
