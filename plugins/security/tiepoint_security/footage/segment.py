"""A segment: some seconds of a camera, as a clip, a thumbnail, and a note of both."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from tiepoint.errors import DecodeError
from tiepoint.types import Item, MetadataValue
from tiepoint_security.alerts.severity import SEVERITIES, Severity

METADATA = {
    "camera": "string",
    "start_s": "float",
    "end_s": "float",
    "zones": "strings",
    "severity": "int",
}
"""What the collection of segments declares, with its types."""

CLIP, THUMBNAIL, NOTE, MOVING_CLIP = ".mp4", ".jpg", ".json", "-moving.mp4"
"""How the names of a segment's files end."""

MOVING = "moving"
"""The field of the collection that takes what moved, where there is such a field."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What is known of a segment.

    Attributes:
        camera: The camera's name.
        start_s: When it begins, in seconds since 1970.
        end_s: When it ends.
        zones: The zones in which something was seen.
        severity: Of the worst alert that went on; None if none did.
    """

    camera: str
    start_s: float
    end_s: float
    zones: tuple[str, ...] = ()
    severity: Severity | None = None

    @property
    def id(self) -> str:
        """Camera and beginning to the millisecond, such as `gate/20260501T120000.000Z`."""
        return f"{self.camera}/{_moment(self.start_s)}"

    @property
    def stem(self) -> str:
        """The path of its files below the folder of footage, without their suffix."""
        moment = _moment(self.start_s)
        return f"{folder_name(self.camera)}/{moment[:8]}/{moment}"

    def item(self, folder: Path, with_moving: bool) -> Item:
        """Return it as an item of the collection.

        Args:
            folder: The folder of footage.
            with_moving: Whether the collection has a field for what moved.
        """
        rank = 0 if self.severity is None else severity_rank(self.severity)
        metadata: dict[str, MetadataValue] = {
            "camera": self.camera,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "zones": list(self.zones),
            "severity": rank,
        }
        files = folder.absolute() / self.stem
        parts = {"video": f"{files}{CLIP}"}
        if with_moving and Path(f"{files}{MOVING_CLIP}").is_file():
            parts[MOVING] = f"{files}{MOVING_CLIP}"
        return Item(self.id, parts=parts, metadata=metadata)

    def note(self) -> str:
        """Return it as JSON, which `from_note` reads."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"

    @classmethod
    def from_note(cls, text: str) -> Segment:
        """Return the segment that a note tells of.

        Raises:
            DecodeError: It is no such note.
        """
        try:
            told = json.loads(text)
            severity = told["severity"]
            if severity is not None and severity not in SEVERITIES:
                raise ValueError(severity)
            return cls(
                camera=str(told["camera"]),
                start_s=float(told["start_s"]),
                end_s=float(told["end_s"]),
                zones=tuple(map(str, told["zones"])),
                severity=severity,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DecodeError(
                f"this is no note of a segment ({type(error).__name__})", hint="Remove the file."
            ) from error


def severity_rank(severity: Severity) -> int:
    """Return how bad it is, from 1; 0 stands for none.

    >>> severity_rank("info"), severity_rank("critical")
    (1, 3)
    """
    return SEVERITIES.index(severity) + 1


def folder_name(camera: str) -> str:
    """Return a camera's name as that of a folder.

    >>> folder_name("gate"), folder_name("../yard")
    ('gate', '%2E%2E%2Fyard')
    """
    return quote(camera, safe="").replace(".", "%2E")


def _moment(seconds: float) -> str:
    """Return a time as it stands in ids and names of files."""
    whole = datetime.fromtimestamp(round(seconds, 3), UTC)
    return f"{whole:%Y%m%dT%H%M%S}.{whole.microsecond // 1000:03d}Z"
