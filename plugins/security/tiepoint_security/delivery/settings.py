"""How messages are tried, and for how long."""

from __future__ import annotations

from pydantic import Field

from tiepoint.config.sections import Section

LONGEST_WAIT_S = 300.0
"""The longest wait before a message is tried again; a later time is the work of a clock."""


class DeliverySettings(Section):
    """How messages are tried, and for how long."""

    timeout_s: float = Field(
        default=10.0, gt=0, le=120, title="Timeout", description="Seconds that a try may take."
    )
    max_age_s: float = Field(
        default=86_400.0,
        gt=0,
        le=30 * 86_400,
        title="Maximum age",
        description="Seconds after which a message is no longer sent but kept as a dead letter.",
    )
    first_wait_s: float = Field(
        default=1.0,
        gt=0,
        le=LONGEST_WAIT_S,
        title="First wait",
        description="Seconds before the second try; doubled for each further one.",
    )
    longest_wait_s: float = Field(
        default=60.0,
        gt=0,
        le=LONGEST_WAIT_S,
        title="Longest wait",
        description="The longest wait between two tries.",
    )
