"""When alerts are delivered: hours of weekdays, and quiet hours. Evaluation never stops."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from tiepoint.config.sections import Section
from tiepoint_security.alerts.severity import Severity, at_least

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Time = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
"""A time of day, `HH:MM`; `24:00` is the day's end."""

_MINUTES_A_DAY = 24 * 60


class Window(Section):
    """Hours of some days of the week."""

    days: tuple[Day, ...] = Field(
        default=DAYS,
        min_length=1,
        title="Days",
        description="The days on which it begins; all if not given.",
        examples=[["sat", "sun"]],
    )
    start: Time = Field(default="00:00", title="Start", description="When it begins, `HH:MM`.")
    end: Time = Field(
        default="24:00",
        title="End",
        description="When it ends; at or before `start`, it ends on the following day.",
    )

    def holds(self, local: datetime) -> bool:
        """Return whether a local time lies in it."""
        start, end = _minutes(self.start), _minutes(self.end)
        now = local.hour * 60 + local.minute
        today = DAYS[local.weekday()] in self.days
        if end > start:
            return today and start <= now < end
        yesterday = DAYS[(local - timedelta(days=1)).weekday()] in self.days
        return (today and now >= start) or (yesterday and now < end)


class QuietWindow(Window):
    """Hours in which alerts are recorded and not delivered."""

    up_to: Severity = Field(
        default="warning",
        title="Up to",
        description="The worst severity that is held back; what is worse is delivered.",
    )


class Schedule(Section):
    """When alerts are delivered."""

    timezone: str = Field(
        default="UTC",
        title="Time zone",
        description="The zone of the hours, by its IANA name, such as Europe/Berlin.",
    )
    deliver: tuple[Window, ...] = Field(
        default=(), title="Deliver", description="The hours of delivery; always if none is given."
    )
    quiet: tuple[QuietWindow, ...] = Field(
        default=(), title="Quiet", description="Hours without delivery, taken from the others."
    )

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        zone_of(name)
        return name

    @model_validator(mode="after")
    def _reachable(self) -> Schedule:
        for window in (*self.deliver, *self.quiet):
            if window.start == "24:00":
                raise ValueError("a window cannot start at 24:00; write 00:00 of the next day")
        return self

    def delivers(self, severity: Severity, wall_s: float) -> bool:
        """Return whether an alert is delivered at a time.

        Args:
            severity: The alert's.
            wall_s: Seconds since 1970.
        """
        local = datetime.fromtimestamp(wall_s, UTC).astimezone(zone_of(self.timezone))
        if self.deliver and not any(window.holds(local) for window in self.deliver):
            return False
        return not any(
            at_least(window.up_to, severity) and window.holds(local) for window in self.quiet
        )


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name.

    Raises:
        ValueError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return min(int(hours) * 60 + int(minutes), _MINUTES_A_DAY)
