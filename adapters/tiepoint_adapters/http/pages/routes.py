"""The routes of the web pages."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from tiepoint.plugin import Plugin
from tiepoint_adapters.http.access import Principal, principal_of
from tiepoint_adapters.http.pages.catalogue import FOLDER, Listed, listed_pages
from tiepoint_adapters.http.pages.shell import render


def add_pages(app: FastAPI, plugins: Mapping[str, Plugin]) -> None:
    """Add the web pages to an application.

    Args:
        app: The service.
        plugins: Whose pages are shown beside those of the core, by name.
    """
    pages = listed_pages(plugins)

    def page(request: Request) -> Response:
        name = request.path_params["name"]
        visitor = principal_of(request)
        shown = _visible(pages, visitor)
        found = pages.get(name)
        query = request.url.query
        if visitor.kind == "anonymous" and name not in shown:
            return _to_sign_in(request, f"/pages/{name}{query and '?'}{query}")
        if found is None or found.name not in shown:
            return render(
                "absent.html.j2",
                request,
                shown.values(),
                status=404 if found is None else 403,
                current=None,
                visitor=visitor,
                needed=found and found.scope,
            )
        return render("page.html.j2", request, shown.values(), current=found, visitor=visitor)

    def first(request: Request) -> Response:
        shown = list(_visible(pages, principal_of(request))) or ["search"]
        return RedirectResponse(f"{request.scope.get('root_path', '')}/pages/{shown[0]}", 303)

    def sign_in(request: Request) -> Response:
        return render("signin.html.j2", request, [])

    app.add_route("/signin", sign_in, include_in_schema=False)
    app.add_route("/", first, include_in_schema=False)
    app.add_route("/pages/{name}", page, include_in_schema=False)
    app.mount("/assets", StaticFiles(directory=FOLDER / "assets"), name="assets")
    for name, listed in pages.items():
        files = StaticFiles(directory=listed.page.folder)
        app.mount(f"/pages/{name}/files", files, name=f"page-{name}")


def _to_sign_in(request: Request, wanted: str) -> Response:
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/signin?{urlencode({'next': wanted})}", 303)


def _visible(pages: Mapping[str, Listed], visitor: Principal) -> dict[str, Listed]:
    return {name: listed for name, listed in pages.items() if visitor.may(listed.scope)}
