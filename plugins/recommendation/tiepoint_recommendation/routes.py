"""The routes of the service under `/v1/recommendation`: answers, events, rules, experiments."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from tiepoint.errors import InputError
from tiepoint_adapters.http.access import Caller
from tiepoint_adapters.http.problems import NotFoundError
from tiepoint_adapters.http.thumbnails import thumbnail
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.live.filters import Filters
from tiepoint_recommendation.live.relations import Relation
from tiepoint_recommendation.rules.rule import Rule
from tiepoint_recommendation.types import Event, Product

if TYPE_CHECKING:
    from tiepoint_recommendation.plugin import RecommendationPlugin
    from tiepoint_recommendation.service import RecommendationService

_Id = Annotated[str, Field(min_length=1, max_length=512)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskBody(_Body):
    """For whom, and what is wanted."""

    user: _Id | None = Field(default=None, description="Whose profile is taken.")
    session: _Id | None = Field(default=None, description="Whose events belong to it, too.")
    items: list[_Id] = Field(default=[], max_length=200, description="Looked at just now.")
    text: str | None = Field(default=None, min_length=1, max_length=2000, description="A sentence.")
    k: int = Field(default=10, ge=1, le=200, description="How many items.")
    filters: Filters = Field(default_factory=Filters, description="What they have to be like.")
    diversity: float | None = Field(default=None, ge=0, lt=1, description="How unlike each other.")
    explain: bool = Field(default=False, description="Say why, for each item.")
    request: str | None = Field(default=None, min_length=1, max_length=128, description="An id.")

    def ask(self) -> Ask:
        """Return the question."""
        return Ask.model_validate({**dict(self), "items": tuple(self.items)})


class EventBody(_Body):
    """Something that a user did with an item."""

    user: _Id
    item: _Id
    kind: str = Field(min_length=1, max_length=64, examples=["click", "purchase"])
    time_s: float = Field(allow_inf_nan=False, description="Seconds since 1970.")
    session: str = Field(default="", max_length=512)
    value: float | None = Field(default=None, allow_inf_nan=False)


class EventsBody(_Body):
    """Events, in any order."""

    events: list[EventBody] = Field(min_length=1, max_length=10_000)


class PreviewBody(_Body):
    """A rule, and the answer that it is tried on."""

    rule: Rule
    ask: AskBody


def recommendation_router(plugin: RecommendationPlugin) -> APIRouter:
    """Return the routes of a plugin that runs.

    Args:
        plugin: The plugin.
    """
    router = APIRouter()

    def service() -> RecommendationService:
        if plugin.service is None:
            raise InputError("the plugin does not run", hint="Look at its health.")
        return plugin.service

    @router.post("/recommend", summary="What is recommended?")
    def recommend(body: AskBody) -> dict[str, Any]:
        """Answer for a user, a session, items, a sentence, or several of them."""
        return _with_products(service(), service().recommend(body.ask()).as_dict())

    @router.get("/similar/{item:path}", summary="What is like an item, or goes with it?")
    def similar(
        item: str, relation: Relation = "similar", k: Annotated[int, Query(ge=1, le=200)] = 12
    ) -> dict[str, Any]:
        """Return items that are like an item, or go with it."""
        found = service().similar(item, relation=relation, k=k)
        return _with_products(service(), found.as_dict())

    @router.get("/explain", summary="Why would a user see an item?")
    def explain(user: str, item: str) -> dict[str, Any]:
        """Say where an item stands for a user, and why."""
        return service().explain(user, item).as_dict()

    @router.post("/events", summary="Tell what users did")
    def events(body: EventsBody) -> dict[str, int]:
        """Take in events; they are durable when this answers, and the next answer knows them."""
        return asdict(service().record_events([Event(**dict(one)) for one in body.events]))

    @router.get("/picture", summary="The picture of a product", response_class=Response)
    def picture(
        item: Annotated[str, Query(alias="id", min_length=1, max_length=512)],
        size: Annotated[int, Query(ge=16, le=2048)] = 320,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Return a product's picture as WebP, at most so large."""
        product = service().catalogue.get([item]).get(item)
        if product is None or not product.image or not Path(product.image).is_file():
            raise NotFoundError("the product has no picture", where=item)
        return thumbnail(product.image, size, if_none_match)

    @router.get("/rules", summary="The rules that hold")
    def rules(undone: bool = False) -> list[dict[str, Any]]:
        """Return the rules; with `undone`, also those taken back."""
        return [one.as_dict() for one in service().rules(undone=undone)]

    @router.post("/rules/preview", summary="What would a rule do?")
    def preview(body: PreviewBody) -> dict[str, Any]:
        """Return an answer without and with a rule, which is not applied."""
        found = service().preview_rule(body.rule, body.ask.ask())
        return {
            "before": _with_products(service(), found.before.as_dict()),
            "after": _with_products(service(), found.after.as_dict()),
            "entered": found.entered,
            "left": found.left,
            "moved": found.moved,
        }

    @router.post("/rules", summary="Apply a rule")
    def apply(rule: Rule, caller: Caller) -> dict[str, int]:
        """Write a rule into the book; it holds at once."""
        return {"number": service().apply_rule(rule, caller.name)}

    @router.delete("/rules/{number}", summary="Take a rule back")
    def undo(number: Annotated[int, InPath(ge=1, lt=2**63)], caller: Caller) -> dict[str, int]:
        """Take a rule back; its entry stays, with who did it."""
        return {"number": service().undo_rule(caller.name, number)}

    @router.get("/experiment", summary="How do the arms of the experiment compare?")
    def experiment() -> dict[str, Any]:
        """Return each arm's click-through with its interval; no arms where none runs."""
        running = service().live.experiment
        if running is None:
            return {"name": None, "arms": []}
        found = service().experiment_results()
        return {"name": running.name, "arms": [one.as_dict() for one in found]}

    return router


def _with_products(service: RecommendationService, answer: dict[str, Any]) -> dict[str, Any]:
    """Add what pages show of the products of an answer."""
    products = service.catalogue.get([one["id"] for one in answer["items"]])
    for one in answer["items"]:
        one["product"] = _shown(products[one["id"]]) if one["id"] in products else None
    return answer


def _shown(product: Product) -> dict[str, Any]:
    return {
        "price": product.price,
        "stock": product.stock,
        "brand": product.brand,
        "category": product.category,
        "picture": bool(product.image),
    }
