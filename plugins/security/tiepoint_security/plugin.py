"""The plugin class by which a host finds this distribution."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tiepoint import registry
from tiepoint.plugin import Plugin, PluginConfig
from tiepoint_security.settings import AlarmSettings

if TYPE_CHECKING:
    from tiepoint.host import Host
    from tiepoint_security.alarm import Alarm


class SecurityConfig(AlarmSettings, PluginConfig):
    """The options of this plugin."""


class SecurityPlugin(Plugin):
    """tiepoint for surveillance: while it runs, alerts are kept and delivered.

    Attributes:
        alarm: What takes observations and delivers alerts; None while it does not run.
    """

    name: ClassVar[str] = "security"
    version: ClassVar[str] = "0.1.0"
    api_version: ClassVar[int] = 1
    Config: ClassVar[type[PluginConfig]] = SecurityConfig

    def __init__(self, config: PluginConfig) -> None:
        super().__init__(config)
        self.alarm: Alarm | None = None

    def start(self, host: Host) -> None:
        from tiepoint.assembly import build
        from tiepoint_security.alarm import Alarm

        if not isinstance(self.config, SecurityConfig):
            raise TypeError(f"{type(self.config).__name__} is not this plugin's configuration")
        deployment = host.deployment
        sinks = {
            name: build(registry.SINKS, section, f"sinks.{name}")
            for name, section in deployment.sinks.items()
        }
        worker = f"{socket.gethostname()}:{os.getpid()}"
        self.alarm = Alarm(self.config, sinks, deployment.store.uri, worker)
        self.alarm.start()

    def stop(self) -> None:
        if self.alarm is not None:
            self.alarm.stop()
            self.alarm = None

    def upgrade(self, host: Host) -> Sequence[str]:
        from tiepoint_adapters.clock import SystemClock
        from tiepoint_security.alarm import Records

        if not isinstance(self.config, SecurityConfig):
            raise TypeError(f"{type(self.config).__name__} is not this plugin's configuration")
        records = Records(self.config.records, host.deployment.store.uri, SystemClock())
        try:
            before, after = records.database.upgrade()
        finally:
            records.close()
        return () if before == after else (f"alerts from {before or 'nothing'} to {after}",)

    def health(self) -> dict[str, Any]:
        return {"status": "stopped"} if self.alarm is None else self.alarm.health()
