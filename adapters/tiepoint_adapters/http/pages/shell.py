"""What every page stands in: its head, the menu, and the visitor's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tiepoint import __version__
from tiepoint_adapters.http.pages.catalogue import FOLDER, Listed
from tiepoint_adapters.http.signins import Signin

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
LANGUAGE_COOKIE = "tiepoint_language"

WORDS: Mapping[str, str] = {
    "Skip to the page": "跳到正文",
    "Pages": "页面",
    "Language": "语言",
    "Light or dark": "浅色或深色",
    "Sign out": "退出登录",
    "On this machine": "本机用户",
    "These pages need JavaScript.": "这些页面需要 JavaScript。",
    "Loading …": "正在载入……",
    "There is no such page": "没有这个页面",
    "You may not see this page": "您无权查看此页面",
    "Go to a page in the menu.": "请从菜单中选择一个页面。",
    "Ask for a key that has the scope": "请申请具有以下权限的密钥：",
    "Sign in": "登录",
    "Key": "密钥",
    "Whoever runs this service makes keys with": "服务的管理者用以下命令创建密钥：",
}
"""The words of the shell in Chinese."""


def language_of(request: Request) -> str:
    """Return the visitor's language: as chosen, or as the browser prefers."""
    chosen = request.query_params.get("language") or request.cookies.get(LANGUAGE_COOKIE)
    if chosen is not None and chosen in LANGUAGES:
        return chosen
    wanted = request.headers.get("accept-language", "").split(",")
    tags = (part.partition(";")[0].strip().partition("-")[0].lower() for part in wanted)
    return next((tag for tag in tags if tag in LANGUAGES), "en")


def render(
    template: str, request: Request, pages: Iterable[Listed], *, status: int = 200, **values: Any
) -> Response:
    """Return a page.

    Args:
        template: The file of its template.
        request: Who asks, in which language, and under which root path.
        pages: The pages of the menu.
        status: The status of the answer.
        values: What else the template shows.
    """
    language = language_of(request)
    signin = request.scope.get("tiepoint.signin")
    content = (
        _environment()
        .get_template(template)
        .render(
            root=request.scope.get("root_path", ""),
            language=language,
            languages=LANGUAGES,
            pages=list(pages),
            version=__version__,
            csrf=signin.csrf if isinstance(signin, Signin) else None,
            t=lambda text: WORDS[text] if language == "zh" else text,
            **values,
        )
    )
    response = HTMLResponse(content, status)
    response.headers["Cache-Control"] = "no-store"
    if request.query_params.get("language") in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=365 * 24 * 3600,
            path=request.scope.get("root_path") or "/",
            samesite="lax",
        )
    return response


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
