"""The application: the core's routes, the plugins' under `/v1/<plugin>`, errors as problems."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from fastapi import APIRouter, Depends, FastAPI

from tiepoint import __version__
from tiepoint.plugin import Plugin
from tiepoint_adapters.http import openapi, problems
from tiepoint_adapters.http.access import plugin_access
from tiepoint_adapters.http.pages.routes import add_pages
from tiepoint_adapters.http.routes import (
    about,
    collections,
    health,
    items,
    jobs,
    operation,
    parts,
    pictures,
    search,
    signing_in,
)
from tiepoint_adapters.http.service import Service

log = logging.getLogger(__name__)


def build_app(service: Service, plugins: Mapping[str, Plugin]) -> FastAPI:
    """Return the application of a service.

    Args:
        service: What the routes work on.
        plugins: The plugins whose routes are shown, by name.
    """
    app = FastAPI(
        title="tiepoint",
        version=__version__,
        summary="Images, text, video and DICOM studies in one space by similarity search",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    problems.add_handlers(app)
    openapi.describe(app, service.section.root_path)
    for router in core_routes():
        app.include_router(router)
    for name, plugin in plugins.items():
        _add_plugin(app, name, plugin)
    if service.section.pages:
        add_pages(app, plugins)
    return app


def core_routes() -> Iterator[APIRouter]:
    """Yield the routes that every service has; the greedy ones of items come last."""
    core = (
        health,
        search,
        signing_in,
        operation,
        jobs,
        about,
        parts,
        collections,
        pictures,
        items,
    )
    for routes in core:
        yield routes.router


def _add_plugin(app: FastAPI, name: str, plugin: Plugin) -> None:
    try:
        router = plugin.router()
    except Exception as error:  # noqa: BLE001 - foreign code may raise anything
        log.error("plugin %s shows no routes: %s: %s", name, type(error).__name__, error)
        return
    if router is not None:
        access = [Depends(plugin_access(name))]
        app.include_router(router, prefix=f"/v1/{name}", dependencies=access, tags=[name])
