"""A plugin that raises when it is started leaves the rest running."""

from __future__ import annotations

import pytest

from tiepoint import Host, registry
from tiepoint.config.models import Deployment
from tiepoint.errors import ConfigError
from tiepoint.plugin import API_VERSION, Plugin


class Unlucky(Plugin):
    """Raises what it was made for."""

    name = "unlucky"
    version = "1"
    api_version = API_VERSION
    error: Exception

    def start(self, host):
        raise self.error


@pytest.mark.parametrize(
    ("error", "traced"), [(KeyError("camera"), True), (ConfigError("no camera"), False)]
)
def test_a_plugin_that_did_not_start_is_not_among_the_plugins(tmp_path, caplog, error, traced):
    Unlucky.error = error
    undo = registry.register(registry.PLUGINS, "unlucky", Unlucky)
    deployment = Deployment.model_validate(
        {
            "version": 1,
            "store": {"uri": str(tmp_path / "store")},
            "collections": {"items": {"fields": {"look": {"dimensions": 2}}}},
            "plugins": {"unlucky": {}},
        }
    )
    try:
        with Host(deployment) as host:
            host.start()
            assert list(host.plugins) == []
            assert "camera" in str(host.health()["plugins"]["unlucky"])
    finally:
        undo()
    assert "plugin unlucky did not start" in caplog.text
    assert ("Traceback" in caplog.text) is traced
