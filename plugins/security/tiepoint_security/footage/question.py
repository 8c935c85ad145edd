"""What is asked of footage, and what the answer is: times, with a thumbnail and a clip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tiepoint.errors import QueryError
from tiepoint.types import VIDEO
from tiepoint_adapters.clock import timestamp
from tiepoint_security.alerts.severity import SEVERITIES, Severity
from tiepoint_security.footage.segment import MOVING, THUMBNAIL, severity_rank

MOVING_WEIGHT = 2.0
"""How much what moved counts beside the whole picture, most of which is always the same."""

LookAt: TypeAlias = Literal["scene", "moving", "both"]

_WEIGHTS: Mapping[LookAt, Mapping[str, float]] = {
    "scene": {MOVING: 0.0},
    "moving": {VIDEO: 0.0},
    "both": {MOVING: MOVING_WEIGHT},
}


@dataclass(frozen=True, slots=True)
class FootageQuestion:
    """What is asked; what is None does not matter.

    Attributes:
        text: Words, in English, Chinese or another language of the text encoder.
        image: The path of a picture.
        video: The path of a video, also with a time range (`talk.mp4#t=10,20.5`).
        camera: Seen by this camera.
        since_s: Ended after this time, in seconds since 1970.
        until_s: Begun before.
        zone: Something was in this zone.
        least: An alert at least so bad went on.
        k: How many segments at most, best first.
        look_at: The whole picture, what moved in it, or both; for words both, for pictures and
            clips, which show a scene themselves, the whole picture if not given.

    Raises:
        QueryError: Nothing is asked for, or no time lies between the two.
    """

    text: str | None = None
    image: Path | None = None
    video: str | None = None
    camera: str | None = None
    since_s: float | None = None
    until_s: float | None = None
    zone: str | None = None
    least: Severity | None = None
    k: int = 5
    look_at: LookAt | None = None

    def __post_init__(self) -> None:
        if self.text is None and self.image is None and self.video is None:
            raise QueryError("nothing to search for", hint="Give --text, --image or --video.")
        if self.text is not None and not self.text.strip():
            raise QueryError("the text is empty", where="--text", hint="Describe what is seen.")
        if self.since_s is not None and self.until_s is not None and self.since_s >= self.until_s:
            raise QueryError(
                "no time lies between --from and --to", hint="Give the earlier one as --from."
            )

    @property
    def where(self) -> str | None:
        """The filter on metadata, in the language of `tiepoint search --filter`."""
        conditions = []
        if self.camera is not None:
            conditions.append(f"camera == {_quoted(self.camera)}")
        if self.since_s is not None:
            conditions.append(f"end_s > {self.since_s!r}")
        if self.until_s is not None:
            conditions.append(f"start_s < {self.until_s!r}")
        if self.zone is not None:
            conditions.append(f"zones contains {_quoted(self.zone)}")
        if self.least is not None:
            conditions.append(f"severity >= {severity_rank(self.least)}")
        return " and ".join(conditions) or None

    def asked(self, collection: str, with_moving: bool) -> dict[str, Any]:
        """Return the keyword arguments of `Host.search`.

        Args:
            collection: Of the segments.
            with_moving: Whether it has a field for what moved.

        Raises:
            QueryError: What moved is asked for, and there is no such field.
        """
        question = {
            "text": self.text,
            "image": None if self.image is None else str(self.image.absolute()),
            "video": None if self.video is None else str(Path(self.video).absolute()),
            "where": self.where,
            "k": self.k,
            "collection": collection,
        }
        if not with_moving:
            if self.look_at in ("moving", "both"):
                raise QueryError(
                    "what moved is not kept apart",
                    where=f"collections.{collection}.fields",
                    hint="Add the field `moving: {encoder: clip}`, and index again.",
                )
            return question
        look_at = self.look_at or ("scene" if self.text is None else "both")
        return question | {"weights": _WEIGHTS[look_at]}


@dataclass(frozen=True, slots=True)
class FootageHit:
    """A segment that answers.

    Attributes:
        id: The segment's id.
        score: How well it answers; comparable within one answer only.
        camera: Which camera saw it.
        start_s: When it begins, in seconds since 1970.
        end_s: When it ends.
        zones: The zones in which something was.
        severity: Of the worst alert that went on; None if none did.
        clip: The clip; None if it was removed in the meantime.
        thumbnail: Its thumbnail; None as with the clip.
    """

    id: str
    score: float
    camera: str
    start_s: float
    end_s: float
    zones: tuple[str, ...]
    severity: Severity | None
    clip: Path | None
    thumbnail: Path | None

    @classmethod
    def of(cls, hit: Mapping[str, Any]) -> FootageHit:
        """Return a hit as `Hit.as_dict` gives it.

        Args:
            hit: Of the collection of segments.
        """
        told, clip = hit["metadata"], Path(hit["parts"]["video"])
        thumbnail = clip.with_suffix(THUMBNAIL)
        rank = int(told["severity"])
        return cls(
            id=hit["id"],
            score=float(hit["score"]),
            camera=told["camera"],
            start_s=float(told["start_s"]),
            end_s=float(told["end_s"]),
            zones=tuple(told.get("zones", ())),
            severity=SEVERITIES[rank - 1] if rank else None,
            clip=clip if clip.is_file() else None,
            thumbnail=thumbnail if thumbnail.is_file() else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, in the documented shape of `--json`."""
        return {
            "id": self.id,
            "score": self.score,
            "camera": self.camera,
            "start": timestamp(self.start_s),
            "end": timestamp(self.end_s),
            "zones": list(self.zones),
            "severity": self.severity,
            "clip": None if self.clip is None else str(self.clip),
            "thumbnail": None if self.thumbnail is None else str(self.thumbnail),
        }


def _quoted(text: str) -> str:
    """Return a text as a string of the filter language."""
    return json.dumps(text, ensure_ascii=False)
