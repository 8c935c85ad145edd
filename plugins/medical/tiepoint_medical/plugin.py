"""The plugin class by which a host finds this distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tiepoint.plugin import Plugin
from tiepoint_medical.settings import MedicalConfig

if TYPE_CHECKING:
    from tiepoint.host import Host
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

    def start(self, host: Host) -> None:
        from tiepoint_medical.service import MedicalService

        self.service = MedicalService(host, self.config)

    def stop(self) -> None:
        if self.service is not None:
            self.service.close()
            self.service = None

    def health(self) -> dict[str, Any]:
        if self.service is None:
            return {"status": "stopped"}
        return self.service.health()
