"""What requests and answers hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tiepoint.config.ranking import BoostSection
from tiepoint.types import MetadataValue
from tiepoint_adapters.http.given_parts import GivenFile, GivenPart

Id = Annotated[str, Field(min_length=1, max_length=512)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


FILES = frozenset({"image", "audio", "video"})
"""The parts of a query that are files."""

SHOWN_PARTS = "By field: the text, or the address or the name of the file."


class Body(BaseModel):
    """What a request holds; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class SearchRequest(Body):
    """What is searched for; see `Host.search`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"text": "a red bicycle", "k": 5, "where": 'place == "Lisbon"', "explain": True}
            ]
        },
    )

    text: str | None = Field(default=None, max_length=10_000, description="Words to match.")
    image: GivenFile | None = Field(default=None, description="A picture to search by.")
    audio: GivenFile | None = Field(default=None, description="A sound to search by.")
    video: GivenFile | None = Field(default=None, description="A video to search by.")
    vector: list[Finite] | dict[str, list[Finite]] | None = Field(
        default=None, description="A vector of the joint space, or vectors by field."
    )
    negative: str | None = Field(default=None, max_length=10_000, description="What is not wanted.")
    like: list[Id] = Field(default=[], max_length=1000, description="Find more like these items.")
    unlike: list[Id] = Field(default=[], max_length=1000, description="Find less like these.")
    where: str | None = Field(default=None, max_length=10_000, description="A filter.")
    exclude: list[Id] = Field(default=[], max_length=10_000, description="Ids not wanted.")
    k: int = Field(default=10, ge=1, le=1000, description="How many hits.")
    collection: str | None = Field(default=None, description="May be left out where there is one.")
    explain: bool = Field(default=False, description="Say in words what made each score.")
    session: str | None = Field(
        default=None, max_length=40, description="A session of the caller that this is a turn of."
    )
    weights: dict[str, Annotated[Finite, Field(ge=0)]] = Field(default={})
    boosts: dict[str, BoostSection] = Field(default={})
    minimum: Finite | dict[str, Finite] | None = None
    group_by: str | None = None
    group_size: int | None = Field(default=None, ge=1)
    offset: int | None = Field(default=None, ge=0)
    after: Id | None = None
    diversity: float | None = Field(default=None, ge=0, lt=1)

    def question(self) -> dict[str, Any]:
        """Return the keyword arguments of `Host.search` that were given, but for files."""
        given = {name: getattr(self, name) for name in self.model_fields_set - FILES}
        return {name: value for name, value in given.items() if value not in (None, [], {})}

    def files(self) -> dict[str, GivenFile]:
        """Return the files that were given, by modality."""
        return {
            name: getattr(self, name) for name in FILES if getattr(self, name, None) is not None
        }


class Share(BaseModel):
    """What one route added to a hit."""

    route: str
    similarity: float
    standardised: float
    weight: float
    value: float


class Found(BaseModel):
    """One hit."""

    id: str
    score: float
    probability: float | None
    contributions: list[Share]
    metadata: dict[str, MetadataValue]
    parts: dict[str, str] = Field(description=SHOWN_PARTS)
    explanation: str | None


class SearchAnswer(BaseModel):
    """The hits, best first."""

    hits: list[Found]
    took_ms: float


class ItemBody(Body):
    """An item to add: its parts by field, and its metadata."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"id": "bicycle-1", "parts": {"text": "a red bicycle"}, "metadata": {"price": 120}}
            ]
        },
    )

    id: Id
    parts: dict[str, GivenPart] = Field(
        min_length=1, max_length=64, description="By field: a text, a vector, or a file."
    )
    metadata: dict[str, MetadataValue] = Field(default={})


class ItemsBody(Body):
    """Items to add."""

    items: list[ItemBody] = Field(min_length=1, max_length=10_000)
    skip: bool = Field(
        default=False,
        description="Leave out what cannot be used, and say so, instead of adding nothing.",
    )


class Skipping(BaseModel):
    """What was left out, and why."""

    where: str
    reason: str


class Added(BaseModel):
    """What adding did."""

    added: int
    unchanged: int
    skipped: list[Skipping]


class Deleted(BaseModel):
    """How many items were deleted."""

    deleted: int


class StoredItem(BaseModel):
    """An item as it is stored."""

    id: str
    metadata: dict[str, MetadataValue]
    parts: dict[str, str] = Field(description=SHOWN_PARTS)


class ItemPage(BaseModel):
    """Some items, and where the next page begins."""

    items: list[StoredItem]
    next: str | None = Field(description="To be given as `after`; null at the end.")


class JobAnswer(BaseModel):
    """A job; times are seconds since 1970."""

    id: str
    kind: str
    parameters: dict[str, Any]
    status: Literal["waiting", "running", "done", "failed", "cancelled"]
    caller: str
    created: float
    started: float | None
    ended: float | None
    done: int | None
    total: int | None
    result: dict[str, Any] | None
    error: str | None
