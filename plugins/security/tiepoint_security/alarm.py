"""The alarm: desk, ledger, outbox and dispatcher put together, and ticking."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiepoint.errors import ConfigError, StoreError
from tiepoint_adapters.background import Background
from tiepoint_adapters.clock import Clock, SystemClock
from tiepoint_adapters.sinks.base import Sink
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.alerts.live import LiveJournal
from tiepoint_security.alerts.policy import AlertPolicy
from tiepoint_security.delivery.dispatcher import Dispatcher
from tiepoint_security.delivery.outbox import Outbox
from tiepoint_security.records.archive import Archive
from tiepoint_security.records.audit import audit_log
from tiepoint_security.records.database import Database
from tiepoint_security.records.evidence import EvidenceStore
from tiepoint_security.records.ledger import Ledger
from tiepoint_security.records.retention import Retention
from tiepoint_security.settings import AlarmSettings, RecordSettings

logger = logging.getLogger(__name__)

_TICK_S = 1.0
_RETENTION_EVERY_S = 3600.0


class Records:
    """What is kept, opened where the settings say: for commands, and for the alarm.

    Nothing is read or made before the first use.

    Args:
        settings: Where and how long.
        store: The URI of the deployment's store.
        clock: The clocks.

    Raises:
        ConfigError: Nothing says where, or the database's URL cannot be used.
    """

    def __init__(self, settings: RecordSettings, store: str, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        self.folder = settings.folder_beside(store)
        url, key = settings.database, settings.audit_key
        self.database = Database.at(
            None if url is None else url.get_secret_value(), self.folder / "alerts.sqlite3"
        )
        self.audit = audit_log(
            self.database, clock, None if key is None else key.get_secret_value().encode()
        )
        self.archive = Archive(self.audit, clock)
        self.evidence = EvidenceStore(self.folder / "evidence", self.database, clock)
        self.retention = Retention(settings.retention, self.evidence, self.audit)
        self.clock = clock

    def close(self) -> None:
        """Close the database."""
        self.database.close()


class Alarm:
    """Takes observations through its `desk`, and delivers what comes of them.

    Args:
        settings: Of the deployment.
        sinks: Where messages go, by name.
        store: The URI of the deployment's store.
        worker: The name of this process among those that share the database.
        clock: The clocks.

    Raises:
        ConfigError: A policy names a sink that there is not, or see `Records`.
    """

    def __init__(
        self,
        settings: AlarmSettings,
        sinks: Mapping[str, Sink],
        store: str,
        worker: str,
        clock: Clock | None = None,
    ) -> None:
        _check_sinks(settings, sinks)
        clock = clock or SystemClock()
        self.worker = worker
        self.records = Records(settings.records, store, clock)
        database = self.records.database
        self.dispatcher = Dispatcher(
            Outbox(database, worker, clock), sinks, clock, settings.delivery
        )
        self.live = LiveJournal(Ledger(database, clock, self.dispatcher.wake))
        self.desk = AlertDesk(
            self.live,
            tuple(sinks),
            clock,
            settings.alerts.policies(),
            settings.alerts.rate,
        )
        self._background = Background("alarm", self._run)

    def start(self, *, restores: bool = True) -> None:
        """Take up what an earlier process left, and begin to tick and to deliver.

        Args:
            restores: Whether all alerts are taken up now; where workers share cameras, each
                takes up those of a camera with the camera.

        Raises:
            StoreError: The database cannot be opened.
        """
        self.records.database.engine()
        if restores:
            self.desk.restore()
        self.dispatcher.start()
        self._background.start()

    def stop(self) -> None:
        """End; what was not delivered stays in the outbox."""
        if self._background.started:
            self._background.stop()
            self.dispatcher.stop()
        self.records.close()

    def add_evidence(self, alert_id: str, kind: str, file: Path) -> None:
        """Add a file below `records.evidence.folder` to an alert, and tell of it.

        Raises:
            InputError: The file is elsewhere.
            StoreError: The database refused.
        """
        self.desk.attach(alert_id, kind, self.records.evidence.add(alert_id, kind, file))

    def health(self) -> dict[str, Any]:
        """Return plain data: the desk's health and that of each sink."""
        desk = self.desk.health()
        try:
            sinks = self.dispatcher.health()
        except StoreError as error:
            return {"status": "degraded", "desk": desk, "sinks": {}, "error": str(error)}
        well = desk["status"] == "ok" and all(sink["status"] == "ok" for sink in sinks.values())
        return {"status": "ok" if well else "degraded", "desk": desk, "sinks": sinks}

    def _run(self) -> None:
        cleaned_s = self.records.clock.monotonic() - _RETENTION_EVERY_S
        while not self._background.ended.wait(_TICK_S):
            self.desk.tick()
            now_s = self.records.clock.monotonic()
            if now_s - cleaned_s >= _RETENTION_EVERY_S:
                cleaned_s = now_s
                try:
                    self.dispatcher.outbox.expire(self.dispatcher.settings.max_age_s)
                    self.records.retention.run()
                except (StoreError, OSError) as error:
                    logger.error("old alerts cannot be removed: %s", error)


def _check_sinks(settings: AlarmSettings, sinks: Mapping[str, Sink]) -> None:
    alerts, place = settings.alerts, "plugins.security.alerts"
    policies: dict[str, AlertPolicy] = {f"{place}.default": alerts.default}
    policies |= {f"{place}.rules.{rule}": policy for rule, policy in alerts.rules.items()}
    for camera, rules in alerts.cameras.items():
        policies |= {f"{place}.cameras.{camera}.{rule}": one for rule, one in rules.items()}
    for where, policy in policies.items():
        named = [*policy.sinks, *(name for step in policy.escalation.steps for name in step.sinks)]
        for name in named:
            if name not in sinks:
                raise ConfigError(
                    f"there is no sink {name!r}",
                    where=where,
                    hint=f"Define it under `sinks`. There are: {', '.join(sinks) or 'none'}.",
                )
