"""Which events of a Frigate installation become alerts."""

from __future__ import annotations

from pydantic import Field, SecretStr

from tiepoint.config.sections import Name, Section
from tiepoint_security.alerts.severity import Severity

RULE = "frigate"
"""The rule of alerts about Frigate itself: that it, or its broker, is gone."""


class FrigateRule(Section):
    """Events that raise an alert."""

    labels: tuple[str, ...] = Field(
        default=(), title="Labels", description="What it has to be; anything if none is given."
    )
    cameras: tuple[str, ...] = Field(
        default=(), title="Cameras", description="Frigate's cameras; all if none is given."
    )
    zones: tuple[str, ...] = Field(
        default=(),
        title="Zones",
        description="Frigate's zones, of which it has to be in one; anywhere if none is given.",
    )
    least: float = Field(
        default=0.5,
        ge=0,
        le=1,
        title="Least",
        description="Frigate's score from which it counts.",
    )
    severity: Severity = Field(default="warning", title="Severity", description="How bad it is.")


class FrigateSettings(Section):
    """A Frigate installation."""

    url: SecretStr = Field(
        title="URL",
        description="Its MQTT broker, as `mqtt://user:password@host:1883` (or `mqtts`).",
    )
    topic: str = Field(
        default="frigate",
        pattern=r"^[^+#/$][^+#]*$",
        title="Topic",
        description="Frigate's `mqtt.topic_prefix`.",
    )
    rules: dict[Name, FrigateRule] = Field(
        min_length=1, title="Rules", description="What raises alerts, by name."
    )
