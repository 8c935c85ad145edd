"""A host application that uses tiepoint: its own pages and data, with the service mounted.

    pip install tiepoint tiepoint-security tiepoint-recommendation tiepoint-medical
    python examples/serve_demo.py tiepoint-serve
    TIEPOINT_CONFIG=tiepoint-serve/deployment.yaml uvicorn --app-dir examples/host_app app:app

Then http://127.0.0.1:8000 is the application, and http://127.0.0.1:8000/tiepoint the service.
"""

from __future__ import annotations

import asyncio
import os
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from tiepoint import Host
from tiepoint.errors import InputError
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.plugin import RecommendationPlugin
from tiepoint_security.plugin import SecurityPlugin

host = Host.from_config(os.environ.get("TIEPOINT_CONFIG", "deploy.yaml"))
app = FastAPI(title="A host application", lifespan=host.lifespan)
app.mount("/tiepoint", host.asgi())


@app.get("/", response_class=HTMLResponse)
async def home(question: str = "a cat") -> str:
    """Search in this process, without HTTP, and link to the service's pages."""
    try:
        hits = await asyncio.to_thread(host.search, text=question, k=5, collection=_first())
        found = "".join(f"<li>{escape(hit.id)}: {hit.score:.2f}</li>" for hit in hits)
    except InputError as error:  # such as a question of blanks
        found = f"<p>{escape(str(error))}</p>"
    return (
        f"<h1>A host application</h1><form><input name=question value='{escape(question)}'>"
        f"</form><ol>{found}</ol><p><a href='/tiepoint/'>The pages of tiepoint</a></p>"
    )


@app.get("/state")
async def state() -> dict[str, Any]:
    """Tell what each plugin has to say, from the plugins' own services."""
    told: dict[str, Any] = {}
    plugins = host.plugins
    security = plugins.get("security")
    if isinstance(security, SecurityPlugin):
        told["alerts"] = len(await asyncio.to_thread(security.service.alerts))
    shop = plugins.get("recommendation")
    if isinstance(shop, RecommendationPlugin) and shop.service is not None:
        answered = await asyncio.to_thread(shop.service.recommend, Ask(k=3))
        told["recommended"] = [one.id for one in answered.items]
    if "medical" in plugins:
        told["medical"] = plugins["medical"].health()
    return told


def _first() -> str:
    return next(iter(host.deployment.collections))
