"""The plugin class by which a host finds this distribution."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tiepoint.plugin import Page, Plugin
from tiepoint_medical.settings import MedicalConfig

if TYPE_CHECKING:
    from fastapi import APIRouter

    from tiepoint.host import Host
    from tiepoint_medical.archive.inbox import InboxIntake
    from tiepoint_medical.service import MedicalService


class MedicalPlugin(Plugin):
    """Radiology: images and reports that find each other.

    Attributes:
        service: What answers, while the plugin runs; None before.
    """

    name: ClassVar[str] = "medical"
    version: ClassVar[str] = "0.1.0"
    api_version: ClassVar[int] = 1
    Config: ClassVar[type[MedicalConfig]] = MedicalConfig
    config: MedicalConfig
    service: MedicalService | None = None
    _inbox: InboxIntake | None = None

    def files(self, store: str) -> Sequence[Path]:
        return [self.config.state.expanduser()]

    def databases(self) -> Sequence[str]:
        url = self.config.database
        return () if url is None else [url.get_secret_value()]

    def start(self, host: Host) -> None:
        from tiepoint_medical.service import MedicalService

        self.service = MedicalService(host, self.config)
        if self.config.inbox is not None:
            from tiepoint_medical.archive.inbox import InboxIntake

            folder = self.config.inbox.expanduser()
            self._inbox = InboxIntake(self.service, folder, self.config.inbox_every_s)
            self._inbox.start()

    def stop(self) -> None:
        if self._inbox is not None:
            self._inbox.stop()
            self._inbox = None
        if self.service is not None:
            self.service.close()
            self.service = None

    def health(self) -> dict[str, Any]:
        if self.service is None:
            return {"status": "stopped"}
        health = self.service.health()
        if self._inbox is not None:
            inbox = self._inbox
            health["inbox"] = {
                "problem": inbox.problem,
                "left_out": inbox.left_out,
                "warnings": inbox.warnings,
            }
        return health

    def router(self) -> APIRouter:
        from tiepoint_medical.routes import medical_router

        return medical_router(self)

    def page(self) -> Page:
        title = {"en": "Reading room", "zh": "阅片室"}
        return Page(title, Path(__file__).parent / "page", icon="icon.svg")
