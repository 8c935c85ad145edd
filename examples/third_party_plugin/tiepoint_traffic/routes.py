"""The routes of the service under `/v1/traffic`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

if TYPE_CHECKING:
    from tiepoint_traffic.plugin import TrafficPlugin


def router(plugin: TrafficPlugin) -> APIRouter:
    """Return the routes of a plugin."""
    routes = APIRouter()

    @routes.get("/sightings", summary="Vehicles by a description")
    def find(
        text: Annotated[str, Query(min_length=1, max_length=1000)],
        k: Annotated[int, Query(ge=1, le=100)] = 12,
    ) -> list[dict[str, Any]]:
        """Return the stretches of footage that fit a description best, best first."""
        return [one.as_dict() for one in plugin.find(text, k)]

    @routes.get("/log", summary="Which kind of vehicle was where")
    def log(
        where: Annotated[str | None, Query(max_length=10_000, description="A filter.")] = None,
    ) -> list[dict[str, Any]]:
        """Return every stretch that shows a kind of vehicle, in the order of footage and time."""
        return [one.as_dict() for one in plugin.log(where)]

    @routes.get("/footage", summary="Where the footage is")
    def footage() -> dict[str, str]:
        """Return the collection with the footage, and its field with the video."""
        return {"collection": plugin.collection, "field": plugin.config.field}

    return routes
