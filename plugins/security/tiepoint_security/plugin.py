"""The plugin class by which a host finds this distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from tiepoint.config.problems import nearest
from tiepoint.errors import InputError
from tiepoint.plugin import Page, Plugin, PluginConfig
from tiepoint_security.alerts.camera_faults import RULE as CAMERA_RULE
from tiepoint_security.footage.settings import FootageSettings
from tiepoint_security.frigate.settings import RULE as FRIGATE_RULE
from tiepoint_security.settings import AlarmSettings
from tiepoint_security.watching.settings import Place, WatchSettings, mistaken

if TYPE_CHECKING:
    from fastapi import APIRouter

    from tiepoint.host import Host
    from tiepoint_security.alarm import Alarm
    from tiepoint_security.footage.recorder import Recorder
    from tiepoint_security.frigate.source import FrigateSource
    from tiepoint_security.service import SecurityService
    from tiepoint_security.watching.live import LiveWatch
    from tiepoint_security.watching.ray_workers import RayWorkers


class SecurityConfig(WatchSettings, AlarmSettings, PluginConfig):
    """The options of this plugin."""

    footage: FootageSettings | None = Field(
        default=None,
        title="Footage",
        description="What cameras saw is kept and found by words and pictures; not if not given.",
    )

    @model_validator(mode="after")
    def _workers_elsewhere_keep_no_footage(self) -> SecurityConfig:
        if self.footage is not None and self.workers is not None and self.workers.ray is not None:
            what = "workers on Ray keep no footage; leave out `footage`, or `workers.ray`"
            raise mistaken(type(self).__name__, [(("footage",), what)])
        return self

    @model_validator(mode="after")
    def _policies_are_of_rules(self) -> SecurityConfig:
        known = {*self.rules, *(self.frigate.rules if self.frigate else ())}
        if not known:
            return self  # observations come from elsewhere
        known |= {CAMERA_RULE, FRIGATE_RULE}
        named: list[tuple[Place, str]] = [
            (("alerts", "rules", rule), rule) for rule in self.alerts.rules
        ]
        named += [
            (("alerts", "cameras", camera, rule), rule)
            for camera, rules in self.alerts.cameras.items()
            for rule in rules
        ]
        mistakes = [
            (place, f"there is no rule {rule!r}. {nearest(rule, known, 'The rules').rstrip('.')}")
            for place, rule in named
            if rule not in known
        ]
        if mistakes:
            raise mistaken(type(self).__name__, mistakes)
        return self


class SecurityPlugin(Plugin):
    """tiepoint for surveillance: while it runs, cameras are watched and alerts delivered.

    Attributes:
        alarm: What takes observations and delivers alerts; None while it does not run.
        watch: What watches the cameras; None while it does not run, or without cameras.
        recorder: What keeps footage for search; None while it does not run, or without it.
        workers: What watches the cameras elsewhere; None where this process does.
    """

    name: ClassVar[str] = "security"
    version: ClassVar[str] = "0.1.0"
    api_version: ClassVar[int] = 1
    Config: ClassVar[type[PluginConfig]] = SecurityConfig

    def __init__(self, config: PluginConfig) -> None:
        super().__init__(config)
        self.alarm: Alarm | None = None
        self.watch: LiveWatch | None = None
        self.frigate: FrigateSource | None = None
        self.recorder: Recorder | None = None
        self.workers: RayWorkers | None = None
        self._end_metrics: Callable[[], None] | None = None

    def files(self, store: str) -> Sequence[Path]:
        config = self.config
        return [config.records.folder_beside(store)] if isinstance(config, SecurityConfig) else ()

    def databases(self) -> Sequence[str]:
        config = self.config
        url = config.records.database if isinstance(config, SecurityConfig) else None
        return () if url is None else [url.get_secret_value()]

    def check(self, host: Host) -> None:
        from tiepoint_security.scene.vision import Vision
        from tiepoint_security.watching.needs import require_needs

        if isinstance(self.config, SecurityConfig) and self.config.cameras:
            vision = Vision.chosen(self.config.encoder, host.aligner, host.encoder)
            require_needs(self.config, vision)

    def start(self, host: Host) -> None:
        from tiepoint_security.alarm import Alarm
        from tiepoint_security.watching.worker import sinks_of, worker_name

        if not isinstance(self.config, SecurityConfig):
            raise TypeError(f"{type(self.config).__name__} is not this plugin's configuration")
        deployment, workers = host.deployment, self.config.workers
        self.alarm = Alarm(self.config, sinks_of(deployment), deployment.store.uri, worker_name())
        self.alarm.start(restores=workers is None)
        if self.config.cameras and workers is not None and workers.ray is not None:
            from tiepoint_security.watching.ray_workers import RayWorkers

            self.workers = RayWorkers(deployment, self.config, workers.ray)
            self.workers.start()
        elif self.config.cameras:
            self.watch = self._watch(self.config, host, self.alarm)
            if self.config.footage is not None:
                self.recorder = self._recorder(self.config.footage, host, self.alarm, self.watch)
                self.recorder.start()
            self.watch.start()
        if self.config.frigate is not None:
            from tiepoint_adapters.clock import SystemClock
            from tiepoint_security.frigate.source import FrigateSource

            self.frigate = FrigateSource(self.config.frigate, self.alarm.desk, SystemClock())
            self.frigate.start()
        if self.config.metrics is not None:
            from tiepoint_security.watching.metrics import serve

            self._end_metrics = serve(self.config.metrics, self.health)

    @property
    def service(self) -> SecurityService:
        """What an application asks: cameras, alerts, evidence, live alerts.

        Raises:
            InputError: The plugin does not run.
        """
        from tiepoint_security.service import SecurityService

        if self.alarm is None:
            raise InputError(
                "the surveillance plugin does not run", hint="Start the host: host.start()."
            )
        return SecurityService(self.alarm, self.workers or self.watch)

    def _watch(self, config: SecurityConfig, host: Host, alarm: Alarm) -> LiveWatch:
        from tiepoint_adapters.clock import SystemClock
        from tiepoint_security.scene.vision import Vision
        from tiepoint_security.watching.live import LiveWatch

        vision = Vision.chosen(config.encoder, host.aligner, host.encoder)
        return LiveWatch(config, vision, alarm, SystemClock())

    def _recorder(
        self, settings: FootageSettings, host: Host, alarm: Alarm, watch: LiveWatch
    ) -> Recorder:
        from tiepoint_adapters.clock import SystemClock
        from tiepoint_security.footage.index import FootageIndex
        from tiepoint_security.footage.listening import recording
        from tiepoint_security.footage.recorder import Recorder
        from tiepoint_security.footage.store import FootageStore

        store = FootageStore(alarm.records.folder / "footage")
        recorder = Recorder(FootageIndex(host, settings.collection, store), settings, SystemClock())
        zones = {name: camera.settings.zones for name, camera in watch.watching.cameras.items()}
        watch.watching.listeners.append(recording(recorder, zones))
        return recorder

    def stop(self) -> None:
        if self._end_metrics is not None:
            self._end_metrics()
            self._end_metrics = None
        if self.frigate is not None:
            self.frigate.stop()
            self.frigate = None
        if self.watch is not None:
            self.watch.stop()
            self.watch = None
        if self.workers is not None:
            self.workers.stop()
            self.workers = None
        if self.recorder is not None:
            self.recorder.stop()
            self.recorder = None
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
        if self.alarm is None:
            return {"status": "stopped"}
        health = self.alarm.health()
        watch = self.workers or self.watch
        if watch is not None:
            watched = watch.health()
            worse = "degraded" if watched["status"] != "ok" else health["status"]
            health |= {**watched, "status": worse}
        if self.frigate is not None:
            heard = self.frigate.health()
            worse = "degraded" if heard["status"] != "ok" else health["status"]
            health |= {"frigate": heard, "status": worse}
        if self.recorder is not None:
            footage = self.recorder.health()
            worse = "degraded" if footage["status"] != "ok" else health["status"]
            health |= {"footage": footage, "status": worse}
        return health

    @property
    def footage_collection(self) -> str | None:
        """The collection in which footage is found; None while none is kept."""
        footage = getattr(self.config, "footage", None)
        return footage.collection if footage is not None and self.alarm is not None else None

    def router(self) -> APIRouter:
        from tiepoint_security.routes import security_router

        return security_router(self)

    def page(self) -> Page:
        title = {"en": "Cameras and alerts", "zh": "监控与告警"}
        return Page(title, Path(__file__).parent / "page", icon="icon.svg")
