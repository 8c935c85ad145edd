"""A Django project in one file, with the service mounted beside it.

    pip install django uvicorn tiepoint
    export TIEPOINT_CONFIG=tiepoint-serve/deployment.yaml
    uvicorn --app-dir examples/host_app django_app:application

Django's own ASGI application passes on no lifespan events, so the outermost one is Starlette's.
"""

from __future__ import annotations

import asyncio
import os
import secrets

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from starlette.applications import Starlette
from starlette.routing import Mount

from tiepoint import Host
from tiepoint.errors import InputError

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost", "testserver"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", secrets.token_hex()),
)
host = Host.from_config(os.environ.get("TIEPOINT_CONFIG", "deploy.yaml"))


async def search(request: HttpRequest) -> JsonResponse:
    """Search in this process, without HTTP."""
    first = next(iter(host.deployment.collections))
    asked = request.GET.get("question", "a cat")
    try:
        hits = await asyncio.to_thread(host.search, text=asked, k=5, collection=first)
    except InputError as error:  # such as a question of blanks
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"found": [hit.id for hit in hits]})


urlpatterns = [path("search", search)]

application = Starlette(
    lifespan=host.lifespan,
    routes=[Mount("/tiepoint", host.asgi()), Mount("/", get_asgi_application())],
)
