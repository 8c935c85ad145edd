"""What can be asked, and what is answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from tiepoint.config.sections import Section
from tiepoint_recommendation.live.filters import Filters


class Ask(Section):
    """A question: for a user, a session, items, a sentence, a picture, or several of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    user: str | None = Field(default=None, title="User", description="Whose profile is taken.")
    session: str | None = Field(
        default=None, title="Session", description="Whose events belong to the profile too."
    )
    items: tuple[str, ...] = Field(
        default=(),
        max_length=200,
        title="Items",
        description="Taken as looked at just now, the last one last; for sessions of which the"
        " events were not told.",
    )
    text: str | None = Field(
        default=None, min_length=1, max_length=2000, title="Text", description="A sentence."
    )
    image: Any = Field(
        default=None, title="Image", description="A picture: a path, bytes, or a PIL image."
    )
    k: int = Field(default=10, ge=1, le=1000, title="k", description="How many items.")
    filters: Filters = Field(
        default_factory=Filters, title="Filters", description="What they have to be like."
    )
    diversity: float | None = Field(
        default=None, ge=0, lt=1, title="Diversity", description="See `live.diversity`."
    )
    explain: bool = Field(default=False, title="Explain", description="Say why, for each item.")
    request: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        title="Request",
        description="An id of your own for the answer; it also decides what is drawn by chance.",
    )

    @model_validator(mode="after")
    def _something(self) -> Ask:
        for name in ("user", "session"):
            if getattr(self, name) == "":
                raise ValueError(f"the id of the {name} is empty")
        return self

    @property
    def somebody(self) -> str:
        """Whose answer it is: the user, else the session, else nobody."""
        return self.user or self.session or ""


@dataclass(frozen=True, slots=True)
class Because:
    """One thing that somebody did, and that speaks for an item.

    Attributes:
        item: What it was done with.
        title: What that is called.
        did: What was done, such as `looked at`.
        credit: What it gave to the score.
    """

    item: str
    title: str
    did: str
    credit: float


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why an item is in an answer.

    Attributes:
        words: In one sentence.
        because: What the user did that speaks for it, the strongest first.
        why: What else speaks for it, such as `similar title`, the strongest first.
    """

    words: str
    because: tuple[Because, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recommended:
    """An item of an answer.

    Attributes:
        id: The item's id.
        title: What it is called.
        rank: Its place, from 1.
        score: What it is worth: the sum of the parts.
        parts: What each ranker, rule or query gave to the score.
        policy: `none`, or the policy that tried it.
        propensity: How likely it was to be chosen for this place.
        pinned: Whether a rule put it there.
        reasons: Why, where that was asked.
    """

    id: str
    title: str
    rank: int
    score: float
    parts: dict[str, float]
    policy: str = "none"
    propensity: float = 1.0
    pinned: bool = False
    reasons: Reasons | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer.

    Attributes:
        request: Its id, by which its items are logged.
        items: The items, best first; fewer than asked for where no more pass the filters.
        known: Whether anything was known of the user, session or items.
        model: The generation of the model that answered.
        arm: The user's arm; empty without an experiment.
        rules: Names of the rules that held.
        left: How many items were left after each filter, in their order.
        empty_because: Which filter left nothing; None where there are items.
        unknown_items: Items of the question that the model does not know.
    """

    request: str
    items: tuple[Recommended, ...]
    known: bool
    model: str
    arm: str = ""
    rules: tuple[str, ...] = ()
    left: dict[str, int] = field(default_factory=dict)
    empty_because: str | None = None
    unknown_items: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Explained:
    """Where an item stands for a user, and why.

    Attributes:
        item: The item's id.
        title: What it is called.
        rank: Its place by score among all that may be recommended; None where it may not.
        score: What it is worth.
        parts: What each ranker gave to the score.
        reasons: Why.
        left_out_by: The filter that keeps it out; None where none does.
        known: Whether anything is known of the user.
    """

    item: str
    title: str
    rank: int | None
    score: float
    parts: dict[str, float]
    reasons: Reasons
    left_out_by: str | None
    known: bool

    def as_dict(self) -> dict[str, Any]:
        """Return this as plain data."""
        return asdict(self)
