"""Whether footage is kept for search, in what pieces, and for how long."""

from __future__ import annotations

from pydantic import Field, model_validator

from tiepoint.config.sections import Name, Section


class FootageSettings(Section):
    """Footage that is kept for search, and for how long."""

    collection: Name = Field(
        default="footage",
        title="Collection",
        description="The collection of the deployment that takes the segments: with a field"
        " `video`, perhaps a field `moving` for what moved in them, and the metadata camera,"
        " start_s, end_s, zones and severity.",
    )
    segment_s: float = Field(
        default=10.0,
        ge=1,
        le=300,
        title="Segment",
        description="Seconds of a segment in which something moves.",
    )
    still_s: float = Field(
        default=60.0,
        ge=1,
        le=3600,
        title="Still segment",
        description="Seconds of a segment in which nothing moves; it ends when something does.",
    )
    quality: int = Field(
        default=26,
        ge=10,
        le=40,
        title="Quality",
        description="Of the clips, as x264's constant rate factor: more is smaller and worse.",
    )
    days: float = Field(
        default=14.0, gt=0, title="Days", description="Days that segments are kept."
    )
    alert_days: float = Field(
        default=60.0,
        gt=0,
        title="Days with alerts",
        description="Days that segments in which an alert went on are kept.",
    )
    most_gib: float = Field(
        default=20.0,
        gt=0,
        title="Most",
        description="The most GiB of clips; beyond it the oldest without alerts goes first.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> FootageSettings:
        if self.still_s < self.segment_s:
            raise ValueError("still_s is below segment_s")
        return self
