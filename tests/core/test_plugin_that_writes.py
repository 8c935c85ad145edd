"""A plugin may write from a thread of its own until it has stopped, also while the host closes."""

from __future__ import annotations

import threading

import pytest

from tiepoint import Host, Item, registry
from tiepoint.config.models import Deployment
from tiepoint.plugin import API_VERSION, Plugin


class Diary(Plugin):
    """Writes a last item from its thread when it is stopped."""

    name = "diary"
    version = "1"
    api_version = API_VERSION

    def start(self, host):
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write_at_the_end, args=(host,), daemon=True)
        self._thread.start()

    def _write_at_the_end(self, host):
        self._ended.wait()
        host.add([Item("last", parts={"look": [1.0, 0.0]})])

    def stop(self):
        self._ended.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.mark.timeout(60)
def test_what_a_plugin_writes_while_it_stops_is_kept(tmp_path):
    undo = registry.register(registry.PLUGINS, "diary", Diary)
    deployment = Deployment.model_validate(
        {
            "version": 1,
            "store": {"uri": str(tmp_path / "store")},
            "collections": {"items": {"fields": {"look": {"dimensions": 2}}}},
            "plugins": {"diary": {}},
        }
    )
    try:
        with Host(deployment) as host:
            host.start()
        with Host(deployment) as host:
            assert host.collection().ids() == ["last"]
    finally:
        undo()
