"""What a search may ask for beyond its parts."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tiepoint.config.ranking import BoostSection
from tiepoint.errors import QueryError
from tiepoint.types import TEXT, Modality

Number = Annotated[float, Field(allow_inf_nan=False)]
Ids = Annotated[tuple[str, ...], Field(max_length=1000)]


class SearchOptions(BaseModel):
    """Options of a search; each changes nothing as long as it is not given.

    Attributes:
        negative: What is not wanted, as parts by modality.
        like: Ids of items to find more of; they are not among the hits.
        unlike: Ids of items to find less of; they are not among the hits.
        weights: How much a field (all of its routes) or a single route counts; 1 if not named.
        boosts: Bonuses by metadata, by name.
        minimum: The least score of a hit; or the least similarity by field or route.
        group_by: A metadata field of which each value gets at most `group_size` hits.
        group_size: How many hits a value gets. Items without a value are not grouped.
        offset: How many hits to pass over.
        after: The id of a hit, after which to go on.
        diversity: From 0 to below 1: how much likeness to a better hit counts against a hit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    negative: dict[Modality, Any] = Field(default_factory=dict)
    like: Ids = ()
    unlike: Ids = ()
    weights: dict[str, Annotated[Number, Field(ge=0)]] = Field(default_factory=dict)
    boosts: dict[str, BoostSection] = Field(default_factory=dict)
    minimum: Number | dict[str, Number] | None = None
    group_by: str | None = None
    group_size: int = Field(default=1, ge=1)
    offset: int = Field(default=0, ge=0)
    after: str | None = None
    diversity: float = Field(default=0.0, ge=0, lt=1)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return options as they are given to a search.

        Raises:
            QueryError: An unknown option, or a value of another type or out of range.
        """
        typed = {name: _typed(name, value) for name, value in given.items() if value is not None}
        try:
            options = cls.model_validate(typed)
        except ValidationError as error:
            raise _refusal(error) from error
        if options.after is not None and options.offset:
            raise QueryError("both offset and after are given", hint="Give one of them.")
        return options


def _typed(name: str, value: Any) -> Any:
    if name == "negative" and isinstance(value, str):
        return {TEXT: value}
    if name in ("like", "unlike") and isinstance(value, list | set | frozenset):
        return tuple(value)
    if name == "boosts" and isinstance(value, Mapping):
        return {key: _boost(key, boost) for key, boost in value.items()}
    return dict(value) if isinstance(value, Mapping) else value


def _boost(name: str, given: Any) -> BoostSection:
    if isinstance(given, BoostSection):
        return given
    try:
        return BoostSection.model_validate(given)
    except ValidationError as error:
        raise _refusal(error, f"boosts.{name}") from error


def _refusal(error: ValidationError, place: str = "") -> QueryError:
    first = error.errors(include_url=False)[0]
    where = ".".join(filter(None, [place, *map(str, first["loc"])]))
    hint = "Correct the value."
    if first["type"] == "extra_forbidden":
        near = get_close_matches(str(first["loc"][-1]), SearchOptions.model_fields, 1)
        hint = f"Did you mean {near[0]!r}?" if near else "Remove it."
        return QueryError("there is no such option", where=where, hint=hint)
    message = first["msg"].removeprefix("Input should be ")
    if first["loc"] and first["loc"][-1] in ("like", "unlike") and isinstance(first["input"], str):
        return QueryError(f"{where} is one string", hint="Give a list of ids.")
    return QueryError(
        f"{first['input']!r:.60} is not usable: it should be {message}", where=where, hint=hint
    )
