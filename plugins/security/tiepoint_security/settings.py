"""What of the deployment file is about alerts, their delivery, and what is kept."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from tiepoint.config.sections import Name, Section
from tiepoint.errors import ConfigError
from tiepoint_security.alerts.limits import RateSettings
from tiepoint_security.alerts.policy import AlertPolicy
from tiepoint_security.alerts.telling import Policies
from tiepoint_security.delivery.settings import DeliverySettings
from tiepoint_security.records.limits import RetentionSettings


class AlertSettings(Section):
    """What becomes of alerts: a policy for all rules, and those of rules and cameras."""

    default: AlertPolicy = Field(
        default_factory=AlertPolicy,
        title="Default",
        description="The policy of rules that have none of their own.",
    )
    rules: dict[Name, AlertPolicy] = Field(
        default_factory=dict, title="Rules", description="Policies of single rules, by name."
    )
    cameras: dict[str, dict[Name, AlertPolicy]] = Field(
        default_factory=dict,
        title="Cameras",
        description="Policies of rules on single cameras, by camera and rule.",
    )
    rate: RateSettings | None = Field(
        default=None, title="Rate", description="The most new alerts of all rules and cameras."
    )

    def policies(self) -> Policies:
        """Return the policies, to be asked for by camera and rule."""
        by_camera = {
            (camera, rule): policy
            for camera, rules in self.cameras.items()
            for rule, policy in rules.items()
        }
        return Policies(self.default, self.rules, by_camera)


class RecordSettings(Section):
    """Where alerts and evidence are kept, and for how long."""

    folder: Path | None = Field(
        default=None,
        title="Folder",
        description="The folder of evidence and of the SQLite database; beside an embedded store,"
        " with `-security` added to its name, if not given.",
    )
    database: SecretStr | None = Field(
        default=None,
        title="Database",
        description="`postgresql://user:password@host/name`; SQLite in the folder if not given.",
    )
    audit_key: SecretStr | None = Field(
        default=None,
        title="Audit key",
        description="A secret that the audit log is keyed with; best as ${TIEPOINT_AUDIT_KEY}.",
    )
    retention: RetentionSettings = Field(
        default_factory=RetentionSettings,
        title="Retention",
        description="How long things are kept.",
    )

    def folder_beside(self, store: str) -> Path:
        """Return the folder, by the URI of the deployment's store.

        Raises:
            ConfigError: None is given, and the store is a server.
        """
        if self.folder is not None:
            return self.folder
        if "://" in store:
            raise ConfigError(
                "nothing says where evidence is kept",
                where="plugins.security.records.folder",
                hint="Name a folder; beside a server there is none.",
            )
        path = Path(store)
        return path.with_name(f"{path.name}-security")


class AlarmSettings(Section):
    """Alerts, their delivery, and what is kept."""

    alerts: AlertSettings = Field(
        default_factory=AlertSettings, title="Alerts", description="What becomes of alerts."
    )
    delivery: DeliverySettings = Field(
        default_factory=DeliverySettings,
        title="Delivery",
        description="How messages are tried, and for how long.",
    )
    records: RecordSettings = Field(
        default_factory=RecordSettings, title="Records", description="What is kept, and where."
    )
