"""How long alerts, evidence and messages are kept."""

from __future__ import annotations

from pydantic import Field

from tiepoint.config.sections import Section
from tiepoint_security.alerts.severity import Severity


class RetentionSettings(Section):
    """How long alerts and their evidence are kept."""

    days: dict[Severity, float] = Field(
        default={"info": 7.0, "warning": 30.0, "critical": 180.0},
        title="Days",
        description="Days that an alert is kept, by severity; for ever where none is given.",
    )
    most_gib: float = Field(
        default=50.0,
        gt=0,
        title="Most",
        description="The most GiB of evidence; beyond it the mildest and oldest goes first.",
    )
    delivered_days: float = Field(
        default=7.0,
        gt=0,
        title="Delivered days",
        description="Days that delivered messages and dead letters are kept.",
    )
