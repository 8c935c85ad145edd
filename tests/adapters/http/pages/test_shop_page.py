"""The page Shop, on a small shop whose shoppers have hidden tastes."""

from __future__ import annotations

from pathlib import Path

import pytest

import tiepoint_recommendation.plugin
from tests.adapters.http.conftest import deployment
from tests.adapters.http.pages.conftest import listening
from tests.adapters.http.pages.test_frame import untranslated
from tests.plugins.recommendation.shops import fill
from tiepoint import Host
from tiepoint_recommendation.simulation.shop import simulate

TITLES = ".columns .product .line strong"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    made = simulate(users=60, items=60, days=30, seed=3)
    fill(made, folder / "shop")
    options = {"store": str(folder / "shop")}
    with listening(Host(deployment(folder, plugins={"recommendation": options}))) as address:
        yield address, made.events[0].user


def titles(visitor) -> list[str]:
    visitor.page.locator(".product").first.wait_for()
    return visitor.page.locator(TITLES).all_inner_texts()


def shows(visitor, expected: list[str]) -> None:
    """Wait until the products are these, in this order."""
    from playwright.sync_api import expect

    expect(visitor.page.locator(TITLES)).to_have_text(expected)


def test_what_a_click_would_change_is_seen_and_taken_back(shop, visit):
    address, user = shop
    visitor = visit(f"{address}/pages/recommendation?user={user}")
    before = titles(visitor)
    assert visitor.page.locator(".why").first.inner_text()
    visitor.page.get_by_role("button", name="What if").first.click()
    visitor.sees("As if just looked at:")
    visitor.page.locator(TITLES, has_text=before[0]).wait_for(state="detached")
    visitor.page.get_by_role("button", name="Take").click()
    shows(visitor, before)
    assert visitor.complaints == []


def test_a_rule_is_previewed_applied_and_taken_back(shop, visit):
    address, user = shop
    visitor = visit(f"{address}/pages/recommendation?user={user}")
    third = titles(visitor)[2]
    visitor.page.get_by_role("button", name="Rule for").nth(2).click()
    visitor.page.get_by_role("button", name="Preview").click()
    visitor.sees("It would change this answer:")
    visitor.page.get_by_role("button", name="Apply").click()
    visitor.page.locator(".product .status", has_text="pinned").wait_for()
    assert titles(visitor)[0] == third
    visitor.page.get_by_role("button", name="Take back").click()
    visitor.page.locator(".product .status", has_text="pinned").wait_for(state="detached")


def test_a_dial_changes_the_order_and_nothing_else(shop, visit):
    address, user = shop
    visitor = visit(f"{address}/pages/recommendation?user={user}")
    before = titles(visitor)
    for dial in visitor.page.locator(".dial input").all()[1:]:
        dial.fill("0")
    visitor.page.wait_for_load_state("networkidle")
    visitor.page.get_by_role("button", name="As it is").click()
    visitor.page.get_by_role("button", name="As it is").wait_for(state="detached")
    shows(visitor, before)


def test_what_is_similar_is_shown_beside_what_goes_with_it(shop, visit):
    address, user = shop
    visitor = visit(f"{address}/pages/recommendation?user={user}")
    visitor.page.get_by_role("button", name="Similar to").first.click()
    visitor.page.locator("dialog .product").first.wait_for()
    assert visitor.barriers() == []
    visitor.page.get_by_role("button", name="Goes with it").click()
    visitor.page.wait_for_load_state("networkidle")
    assert visitor.complaints == []


def test_the_page_has_no_barrier_in_chinese_dark_or_on_a_phone(shop, visit):
    address, user = shop
    visitor = visit(
        f"{address}/pages/recommendation?user={user}", language="zh-CN", dark=True, phone=True
    )
    titles(visitor)
    assert visitor.barriers() == []
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_editor_of_a_rule_comes_into_view_and_is_left_by_escape(shop, visit):
    from playwright.sync_api import expect

    address, user = shop
    visitor = visit(f"{address}/pages/recommendation?user={user}", phone=True)
    titles(visitor)
    visitor.page.get_by_role("button", name="Rule for").first.click()
    pin = visitor.page.get_by_role("button", name="pin", exact=True)
    expect(pin).to_be_focused()
    expect(pin).to_be_in_viewport()
    visitor.page.keyboard.press("Escape")
    pin.wait_for(state="detached")


def test_the_reasons_are_said_in_chinese(shop, visit):
    address, user = shop
    visitor = visit(f"{address}/pages/recommendation?user={user}", language="zh-CN")
    titles(visitor)
    assert any(one.startswith("因为您") for one in visitor.page.locator(".why").all_inner_texts())


def test_every_word_is_there_in_chinese():
    page = Path(tiepoint_recommendation.plugin.__file__).parent / "page"
    assert untranslated(page) == []
