"""What requests and answers hold."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tiepoint.config.models import BoostSection
from tiepoint.types import Hit, MetadataValue

Id = Annotated[str, Field(min_length=1, max_length=512)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


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
    session: str | None = Field(default=None, description="A session that this is a turn of.")
    weights: dict[str, Annotated[Finite, Field(ge=0)]] = Field(default={})
    boosts: dict[str, BoostSection] = Field(default={})
    minimum: Finite | dict[str, Finite] | None = None
    group_by: str | None = None
    group_size: int | None = Field(default=None, ge=1)
    offset: int | None = Field(default=None, ge=0)
    after: Id | None = None
    diversity: float | None = Field(default=None, ge=0, lt=1)

    def question(self) -> dict[str, Any]:
        """Return the keyword arguments of `Host.search` that were given."""
        return {
            name: getattr(self, name)
            for name in type(self).model_fields
            if getattr(self, name) not in (None, [], {})
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
    parts: dict[str, str]
    explanation: str | None

    @classmethod
    def of(cls, hit: Hit) -> Found:
        """Return a hit as it is answered."""
        return cls.model_validate(hit.as_dict())


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
    parts: dict[str, str | list[Finite]] = Field(
        min_length=1, description="A text, or a vector, by field."
    )
    metadata: dict[str, MetadataValue] = Field(default={})


class ItemsBody(Body):
    """Items to add."""

    items: list[ItemBody] = Field(min_length=1, max_length=10_000)


class Added(BaseModel):
    """What adding did."""

    added: int
    unchanged: int
    skipped: list[dict[str, str]]


class StoredItem(BaseModel):
    """An item as it is stored."""

    id: str
    metadata: dict[str, MetadataValue]
    parts: dict[str, str]
