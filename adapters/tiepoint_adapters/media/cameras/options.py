"""What a camera is: its address, how often it is looked at, and what must never be seen."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from tiepoint.config.sections import Section

Coordinate = Annotated[float, Field(ge=0, le=1)]
Polygon = Annotated[tuple[tuple[Coordinate, Coordinate], ...], Field(min_length=3, max_length=200)]
"""Corners as parts of the picture's width and height, in [0, 1]."""

Kind = Literal["stream", "file", "folder", "webcam"]

STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")
_DEVICE_PREFIXES = ("/dev/video", "webcam:")


class CameraOptions(Section):
    """One camera."""

    address: str = Field(
        min_length=1,
        title="Address",
        description="`rtsp://...`, `http://...` (MJPEG or another stream), the path of a video"
        " file or of a folder of frames, or a webcam as `/dev/video0`.",
    )
    fps: float = Field(
        default=5.0, gt=0, le=60, title="Frames", description="Analysed frames per second."
    )
    short_side: int = Field(
        default=720,
        ge=64,
        le=4320,
        title="Short side",
        description="The most pixels that the shorter side of a frame keeps.",
    )
    masks: tuple[Polygon, ...] = Field(
        default=(),
        title="Privacy masks",
        description="Polygons that are made black before anything sees or stores a frame.",
        examples=[[[[0, 0], [0.3, 0], [0.3, 0.2], [0, 0.2]]]],
    )
    folder_fps: float = Field(
        default=10.0,
        gt=0,
        le=240,
        title="Folder rate",
        description="Frames per second of a folder of frames, which does not say it itself.",
    )
    loop: bool = Field(
        default=False, title="Loop", description="Whether a file or folder begins again."
    )
    connect_timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=120,
        title="Connection timeout",
        description="Seconds in which a stream has to open.",
    )
    read_timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=120,
        title="Read timeout",
        description="Seconds without a frame after which a stream is opened anew.",
    )
    first_wait_s: float = Field(
        default=1.0, gt=0, le=60, title="First wait", description="Seconds before the second try."
    )
    longest_wait_s: float = Field(
        default=30.0, gt=0, le=600, title="Longest wait", description="Seconds between two tries."
    )

    @field_validator("address")
    @classmethod
    def _usable(cls, address: str) -> str:
        scheme = urlsplit(address).scheme if "://" in address else ""
        if scheme and (scheme not in STREAM_SCHEMES or not urlsplit(address).hostname):
            raise ValueError(f"a camera's address begins with one of {', '.join(STREAM_SCHEMES)}")
        return address

    @field_validator("masks")
    @classmethod
    def _cover_something(cls, masks: tuple[Polygon, ...]) -> tuple[Polygon, ...]:
        for polygon in masks:
            if not _area(polygon):
                raise ValueError("a privacy mask covers nothing: its corners lie on one line")
        return masks

    @property
    def live(self) -> bool:
        """Whether it goes on whether it is read or not."""
        return self.address.startswith(_DEVICE_PREFIXES) or "://" in self.address

    @property
    def shown(self) -> str:
        """The address without its password."""
        if "://" not in self.address:
            return self.address
        parts = urlsplit(self.address)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _area(polygon: Polygon) -> float:
    """Return twice the signed area (the shoelace formula)."""
    following = (*polygon[1:], polygon[0])
    return sum(x * b - a * y for (x, y), (a, b) in zip(polygon, following, strict=True))
