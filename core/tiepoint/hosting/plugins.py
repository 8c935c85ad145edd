"""The plugins of one host: started, stopped and exchanged; one that fails spares the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tiepoint.errors import TiepointError
from tiepoint.plugin import Plugin

if TYPE_CHECKING:
    from tiepoint.host import Host

log = logging.getLogger(__name__)


class RunningPlugins:
    """The plugins that a deployment names, by name.

    Args:
        host: What they are started on.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._plugins: dict[str, Plugin] = {}
        self._failed: dict[str, str] = {}
        self._started = False

    def add(self, name: str, plugin: Plugin) -> None:
        """Take a plugin in, not started yet."""
        self._plugins[name] = plugin

    @property
    def all(self) -> Mapping[str, Plugin]:
        """Those that failed to start, too."""
        return self._plugins

    @property
    def working(self) -> Mapping[str, Plugin]:
        """All but those that failed to start."""
        return {name: one for name, one in self._plugins.items() if name not in self._failed}

    @property
    def failed(self) -> Mapping[str, str]:
        """Why those that failed to start did."""
        return self._failed

    def start(self) -> None:
        """Start all of them; one that fails is shown in `health`, the others go on."""
        self._started = True
        for name in self._plugins:
            self._start(name)

    def start_again(self) -> None:
        """Let those that were started see what their host has become."""
        if self._started:
            for name, plugin in self.working.items():
                _stop(name, plugin)
            self._failed = {}
            self.start()

    def stop(self) -> None:
        """Stop all of them, the last one first, and let them go."""
        with self._lock:
            plugins, self._plugins = self._plugins, {}
        for name, plugin in reversed(plugins.items()):
            if name not in self._failed:
                _stop(name, plugin)

    def forget(self) -> None:
        """Be as before the first start; they were stopped."""
        self._plugins, self._failed, self._started = {}, {}, False

    def exchange(self, changed: Mapping[str, Plugin], named: Iterable[str]) -> None:
        """Stop those that changed or are gone, and start those that changed or are new.

        Args:
            changed: The changed and the new ones.
            named: The names of all that are to be there.
        """
        kept = set(named) - changed.keys()
        for name in [name for name in self._plugins if name not in kept]:
            if name not in self._failed:
                _stop(name, self._plugins[name])
            del self._plugins[name]
            self._failed.pop(name, None)
        self._plugins |= changed
        if self._started:
            for name in changed:
                self._start(name)

    def health(self) -> dict[str, dict[str, Any]]:
        """Return what each of them tells of itself; a plugin that cannot has failed."""
        return {name: self._health(name, plugin) for name, plugin in self._plugins.items()}

    def _health(self, name: str, plugin: Plugin) -> dict[str, Any]:
        if name in self._failed:
            return {"status": "failed", "reason": self._failed[name]}
        try:
            return plugin.health()
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything
            return {"status": "failed", "reason": f"{type(error).__name__}: {error}"}

    def _start(self, name: str) -> None:
        plugin = self._plugins[name]
        try:
            plugin.start(self._host)
        except Exception as error:  # foreign code may raise anything
            foreign = not isinstance(error, TiepointError)  # its trace is for its author
            log.error("plugin %s did not start: %s", name, error, exc_info=foreign)
            self._failed[name] = f"{type(error).__name__}: {error}"
            _stop(name, plugin)


def _stop(name: str, plugin: Plugin) -> None:
    try:
        plugin.stop()
    except Exception as error:  # noqa: BLE001 - foreign code may raise anything
        log.error("plugin %s did not stop: %s", name, error)
