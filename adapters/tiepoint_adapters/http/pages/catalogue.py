"""Which pages there are: those of the core, and those that plugins bring."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tiepoint.plugin import Page, Plugin

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent

_SEARCH = Page(
    title={"en": "Search", "zh": "搜索"},
    folder=FOLDER / "search",
    icon="icon.svg",
    scope="search",
)
_SYSTEM = Page(
    title={"en": "System", "zh": "系统"},
    folder=FOLDER / "system",
    icon="icon.svg",
    scope="system:read",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page in the menu.

    Attributes:
        name: Its part of the URL: `search`, `system`, or the plugin's name.
        page: The page.
        scope: What its visitors must be allowed to do.
        icon: Its icon as SVG; empty for none.
        style: Whether its folder has a `page.css`.
        languages: The languages, beside English, of which its folder has the words.
    """

    name: str
    page: Page
    scope: str
    icon: str
    style: bool
    languages: tuple[str, ...]

    def title(self, language: str) -> str:
        """Return its title in a language; in English, or its name, where it has none."""
        return self.page.title.get(language) or self.page.title.get("en") or self.name


def listed_pages(plugins: Mapping[str, Plugin]) -> dict[str, Listed]:
    """Return the pages by name, in the order of the menu.

    A plugin whose page cannot be had is left out and logged.
    """
    pages = [("search", _SEARCH), *_plugin_pages(plugins), ("system", _SYSTEM)]
    return {name: _listed(name, page) for name, page in pages}


def _listed(name: str, page: Page) -> Listed:
    return Listed(
        name,
        page,
        page.scope or f"{name}:read",
        (page.folder / page.icon).read_text("utf-8") if page.icon else "",
        (page.folder / "page.css").is_file(),
        tuple(file.stem for file in page.folder.glob("??.json")),
    )


def _plugin_pages(plugins: Mapping[str, Plugin]) -> Iterator[tuple[str, Page]]:
    for name, plugin in plugins.items():
        try:
            page = plugin.page()
            problem = None if page is None else _problem(page)
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything
            page, problem = None, f"{type(error).__name__}: {error}"
        if problem is not None:
            log.error("plugin %s shows no page: %s", name, problem)
        elif page is not None:
            yield name, page


def _problem(page: Page) -> str | None:
    missing = [
        name for name in (page.module, page.icon) if name and not (page.folder / name).is_file()
    ]
    return f"{', '.join(missing)} is not in {page.folder}" if missing else None
