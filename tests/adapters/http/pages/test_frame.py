"""What all pages stand in: the menu, plugins' pages, signing in, and the words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import ClassVar

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.adapters.http.conftest import deployment
from tests.adapters.http.pages.conftest import listening
from tiepoint import Host, registry
from tiepoint.plugin import Page, Plugin
from tiepoint_adapters.http.keys import KeyFile
from tiepoint_adapters.http.pages.catalogue import FOLDER

MODULE = """
import { html, t } from "../../../assets/tiepoint.js";
export default ({ may }) => {
  if (new URLSearchParams(location.search).has("broken")) throw new Error("on purpose");
  return html`<p>${t("Weighed")} ${String(may("scales:write"))}</p>`;
};
"""


class Scales(Plugin):
    """A plugin with a page."""

    name: ClassVar[str] = "scales"
    version: ClassVar[str] = "1.0.0"
    api_version: ClassVar[int] = 1
    folder: ClassVar[Path]

    def page(self) -> Page | None:
        return Page({"en": "Scales", "zh": "秤"}, self.folder)


class Unpaged(Scales):
    """A plugin whose page is not there."""

    name: ClassVar[str] = "unpaged"

    def page(self) -> Page | None:
        return Page({"en": "Absent"}, self.folder / "absent")


@pytest.fixture
def scales(tmp_path):
    Scales.folder = tmp_path / "scales"
    Scales.folder.mkdir()
    (Scales.folder / "page.js").write_text(MODULE, "utf-8")
    (Scales.folder / "zh.json").write_text(json.dumps({"Weighed": "称过了"}), "utf-8")
    undone = [registry.register(registry.PLUGINS, one.name, one) for one in (Scales, Unpaged)]
    yield {"scales": {}, "unpaged": {}}
    for undo in undone:
        undo()


def test_a_plugins_page_is_in_the_menu_and_speaks_the_visitors_language(scales, tmp_path, visit):
    with listening(Host(deployment(tmp_path, plugins=scales))) as address:
        visitor = visit(f"{address}/pages/search")
        visitor.page.get_by_role("link", name="Scales").click()
        visitor.sees("Weighed true")
        chinese = visit(f"{address}/pages/scales", language="zh-CN")
        chinese.sees("称过了 true")
        assert visitor.complaints == chinese.complaints == []


def test_a_page_that_fails_says_so_and_leaves_the_menu(scales, tmp_path, visit):
    with listening(Host(deployment(tmp_path, plugins=scales))) as address:
        visitor = visit(f"{address}/pages/scales?broken")
        visitor.sees("This page met a mistake of its own")
        visitor.page.get_by_role("link", name="Search").click()
        visitor.sees("Nothing is indexed yet")


def test_a_plugin_whose_page_is_not_there_is_left_out(scales, tmp_path, visit):
    with listening(Host(deployment(tmp_path, plugins=scales))) as address:
        visitor = visit(f"{address}/pages/unpaged")
        visitor.sees("There is no such page")
        assert visitor.page.get_by_role("link", name="Absent").count() == 0


def test_pages_work_below_a_path_of_a_host_application(tmp_path, visit):
    inner = Host(deployment(tmp_path))
    outer = Starlette(routes=[Mount("/tiepoint", inner.asgi())], lifespan=inner.lifespan)

    class Mounted:
        lifespan = inner.lifespan

        def asgi(self):
            return outer

    with listening(Mounted()) as address:
        visitor = visit(f"{address}/tiepoint/")
        visitor.sees("Nothing is indexed yet")
        visitor.page.get_by_role("link", name="System").click()
        visitor.sees("all parts work")
        assert visitor.complaints == []


@pytest.fixture
def guarded(tmp_path):
    keys = KeyFile(tmp_path / "keys.json")
    _, text = keys.create("front-desk", ["search", "items:read"])
    host = Host(deployment(tmp_path, auth={"keys": str(keys.path)}))
    with listening(host) as address:
        yield address, text


def sign_in(visitor, key: str) -> None:
    visitor.page.get_by_label("Key").fill(key)
    visitor.page.get_by_role("button", name="Sign in").click()


def test_a_key_is_never_in_an_address_though_the_script_has_not_come(guarded, visit):
    address, key = guarded
    visitor = visit("about:blank")
    visitor.page.route("**/signin.js", lambda route: route.abort())
    visitor.page.goto(f"{address}/signin")
    visitor.page.get_by_label("Key").fill(key)
    visitor.page.keyboard.press("Enter")
    assert visitor.page.get_by_role("button", name="Sign in").is_disabled()
    assert visitor.page.url == f"{address}/signin"


def test_a_visitor_signs_in_with_a_key_sees_only_what_it_allows_and_signs_out(guarded, visit):
    address, key = guarded
    visitor = visit(f"{address}/pages/search?text=red")
    sign_in(visitor, "tp_wrong")
    visitor.sees("This key is not known here")
    sign_in(visitor, key)
    visitor.sees("Nothing is indexed yet")
    assert visitor.page.get_by_role("link", name="System").count() == 0
    visitor.page.goto(f"{address}/pages/system")
    visitor.sees("You may not see this page")
    visitor.page.goto(f"{address}/pages/search")
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.get_by_label("Key").wait_for()
    assert visitor.barriers() == []


def test_a_session_that_has_ended_leads_to_signing_in_and_back(guarded, visit):
    address, key = guarded
    visitor = visit(f"{address}/signin")
    sign_in(visitor, key)
    visitor.sees("Nothing is indexed yet")
    visitor.page.context.clear_cookies()
    visitor.page.goto(f"{address}/pages/search?text=red")
    sign_in(visitor, key)
    visitor.page.wait_for_url("**/pages/search?text=red")


def test_signing_in_never_leads_to_another_host(guarded, visit):
    address, key = guarded
    visitor = visit(f"{address}/signin?next=//evil.example/pages/search")
    sign_in(visitor, key)
    visitor.sees("Nothing is indexed yet")
    assert visitor.page.url.startswith(address)


@pytest.mark.parametrize("folder", ["search", "system"])
def test_every_word_of_a_page_is_there_in_chinese(folder):
    assert untranslated(FOLDER / folder) == []


def test_what_is_translated_of_the_service_is_what_it_says():
    said = json.loads((FOLDER / "assets" / "said.zh.json").read_text("utf-8"))
    sources = "".join(
        file.read_text("utf-8")
        for part in ("core", "adapters", "plugins")
        for file in (Path(__file__).parents[4] / part).rglob("*.py")
    )
    texts = re.sub(r'"\s+f?"', "", sources).replace('\\"', '"')
    for english, chinese in said.items():
        wording = r"\{[^{}]+\}".join(map(re.escape, re.split(r"\{\w+\}", english)))
        assert re.search(f"[\"']{wording}[\"']", texts), english
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese))


def untranslated(folder: Path) -> list[str]:
    """Return the texts of a page's modules that its `zh.json`, or the shared one, lacks."""
    known = set()
    for file in (folder / "zh.json", FOLDER / "assets" / "zh.json"):
        known |= json.loads(file.read_text("utf-8")).keys()
    sources = [*folder.glob("*.js"), *(FOLDER / "assets").glob("*.js")]
    used = {
        text for file in sources for text in re.findall(r'\bt\("([^"]+)"', file.read_text("utf-8"))
    }
    return sorted(used - known)
