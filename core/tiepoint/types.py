"""The nouns of the suite: items with parts, queries, and hits that explain themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from tiepoint.errors import SchemaError

Modality: TypeAlias = str
"""A kind of part: `image`, `text`, `audio`, ...; open, any encoder may bring a new one."""

IMAGE: Modality = "image"
TEXT: Modality = "text"
AUDIO: Modality = "audio"
VIDEO: Modality = "video"
VOLUME: Modality = "volume"

MetadataValue: TypeAlias = str | int | float | bool | list[str] | list[int] | list[float]
"""What a metadata field may hold; a missing value is an absent key, never a null."""

MAX_ID_BYTES = 512

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def checked_id(id: Any) -> str:
    """Return an item's id.

    Raises:
        SchemaError: It is no string of 1 to 512 bytes of UTF-8, or it has a control character
            such as a line break or NUL, which tears lists, logs and C strings apart.
    """
    try:
        usable = isinstance(id, str) and 0 < len(id.encode()) <= MAX_ID_BYTES
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise SchemaError(
            f"an item id must be a string of 1 to {MAX_ID_BYTES} bytes of UTF-8, not {id!a:.80}",
            hint="Give every item its own short id.",
        )
    if _CONTROL.search(id):
        raise SchemaError(
            f"the item id {id!a:.80} has a control character",
            hint="Leave out line breaks, tabs, NUL and the like.",
        )
    return str(id)


class Item:
    """One thing to find: an id, parts, and typed metadata.

    A part is given under the name of the collection's field that takes it. The common
    fields have keywords; any other goes through `parts`. A part may be a path, bytes, a PIL
    image, an array, or a string; a missing part is normal.

    Args:
        id: Unique in its collection, 1 to 512 bytes of UTF-8 without control characters.
        image: Path, bytes, PIL image or uint8 array (h, w), (h, w, 3) or (h, w, 4).
        text: A string.
        audio: Path, bytes, or float32 mono samples (n,) at the encoder's rate.
        video: Path, also with a time range (`talk.mp4#t=10,20.5`), bytes, or frames (n, h, w, 3).
        metadata: Values by field name, of the types that the collection declares.
        parts: Further parts by field name.

    Raises:
        SchemaError: No usable id, or no part at all.

    >>> Item(id="a", text="a red bicycle", metadata={"price": 120.0}).parts
    {'text': 'a red bicycle'}
    """

    __slots__ = ("id", "metadata", "parts")

    def __init__(
        self,
        id: str,
        image: Any = None,
        text: str | None = None,
        audio: Any = None,
        video: Any = None,
        metadata: Mapping[str, MetadataValue] | None = None,
        parts: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = checked_id(id)
        for name, given in {"metadata": metadata, "parts": parts}.items():
            if given is not None and not isinstance(given, Mapping):
                raise SchemaError(
                    f"{name} is a {type(given).__name__}",
                    where=id,
                    hint="Give a dictionary of values by name.",
                )
        named = {"image": image, "text": text, "audio": audio, "video": video, **(parts or {})}
        self.parts: dict[str, Any] = {name: p for name, p in named.items() if p is not None}
        self.metadata: dict[str, MetadataValue] = dict(metadata or {})
        if not self.parts:
            raise SchemaError(
                "the item has no part", where=id, hint="Give it an image, a text or another part."
            )

    def __repr__(self) -> str:
        return f"Item(id={self.id!r}, parts={sorted(self.parts)}, metadata={self.metadata!r})"


class Contribution(NamedTuple):
    """What one route added to a hit.

    Attributes:
        route: The route's name, such as `text->image`.
        similarity: The route's own score, before any scaling (cosine in [-1, 1], BM25 >= 0).
        standardised: The similarity in units that routes share; the same as `similarity`
            where a single route answered.
        weight: The route's weight in the fusion.
        value: What was added to the hit's score; these sum to `hit.score`.
    """

    route: str
    similarity: float
    standardised: float
    weight: float
    value: float


@dataclass(slots=True, eq=False)  # freezing would triple the cost, and a search makes k of them
class Hit:
    """One answer of a search.

    Attributes:
        id: The item's id.
        score: The sum of the contributions' values; higher is better.
        probability: The calibrated probability that a first hit of this similarity is right, in
            a gallery of the collection's size; None unless the fusion, or every route that scored
            the item, was calibrated.
        contributions: What each route added; always there, in the order of the routes.
        metadata: The item's metadata.
        parts: What is stored of the item's parts: the text itself, or the path of a file.
        explanation: The contributions in words, where the search was asked to explain.
    """

    id: str
    score: float
    probability: float | None = None
    contributions: tuple[Contribution, ...] = ()
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    explanation: str | None = None

    def __eq__(self, other: object) -> bool:
        return self.as_dict() == other.as_dict() if isinstance(other, Hit) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def as_dict(self) -> dict[str, Any]:
        """Return the hit as plain data, in the documented shape of `--json`."""
        return {
            "id": self.id,
            "score": self.score,
            "probability": self.probability,
            "contributions": [c._asdict() for c in self.contributions],
            "metadata": dict(self.metadata),
            "parts": dict(self.parts),
            "explanation": self.explanation,
        }


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input that could not be used: where it was, and why."""

    where: str
    reason: str


@dataclass(slots=True)
class AddReport:
    """What `Host.add` did.

    Attributes:
        added: Items written (new, or replacing one of the same id).
        unchanged: Items that were stored already, exactly so.
        encoded: Parts that went through an encoder.
        cached: Parts whose vector came from the embedding cache.
        skipped: Items left out, with reasons; empty in strict mode, which raises instead.
    """

    added: int = 0
    unchanged: int = 0
    encoded: int = 0
    cached: int = 0
    skipped: list[Skipped] = field(default_factory=list)
