"""The page Search, used as a visitor uses it."""

from __future__ import annotations

import pytest


def hits(visitor) -> list[str]:
    visitor.page.locator(".hit").first.wait_for()
    return visitor.page.locator(".hit strong").all_inner_texts()


def test_words_are_typed_and_hits_shown_with_the_keyboard_alone(service, visit):
    visitor = visit(f"{service}/pages/search")
    visitor.page.get_by_role("searchbox").wait_for()
    visitor.page.keyboard.type("something green")
    visitor.page.keyboard.press("Enter")
    assert hits(visitor)[0] == "green"
    assert "text=something+green" in visitor.page.url
    visitor.page.locator(".hit button").first.focus()
    visitor.page.keyboard.press("Enter")
    visitor.sees("Why this hit?")
    visitor.page.keyboard.press("Escape")
    visitor.page.get_by_text("Why this hit?").wait_for(state="detached")
    assert visitor.complaints == []


def test_the_first_hits_picture_is_shown(service, visit):
    visitor = visit(f"{service}/pages/search?text=blue")
    picture = visitor.page.locator(".hit img").first
    picture.wait_for()
    visitor.page.wait_for_load_state("networkidle")
    assert picture.evaluate("picture => picture.naturalWidth") > 0
    assert picture.get_attribute("alt") == "a blue thing"


def test_the_hits_of_a_picture_that_is_given(service, visit, pictures):
    visitor = visit(f"{service}/pages/search")
    visitor.page.locator("#picture").set_input_files(pictures["red"])
    assert hits(visitor)[0] == "red"
    visitor.page.get_by_role("button", name="Remove red.png").click()
    visitor.sees("Search 3 items")


def test_more_like_a_hit_asks_again_and_can_be_taken_back(service, visit):
    visitor = visit(f"{service}/pages/search?text=red")
    visitor.page.get_by_role("button", name="More like red").click()
    visitor.page.locator(".chip.plus").wait_for()
    red = visitor.page.locator(".hit strong", has_text="red")
    red.wait_for(state="detached")
    visitor.page.go_back()
    red.wait_for()
    assert visitor.page.locator(".chip").count() == 0


def test_a_filter_that_is_wrong_says_what_to_do_and_one_that_is_right_filters(service, visit):
    visitor = visit(f"{service}/pages/search?text=thing&where=cost+<+4")
    visitor.page.get_by_role("alert").wait_for()
    assert "cost" in visitor.page.get_by_role("alert").inner_text()
    visitor.page.get_by_label("For example").fill("price < 4")
    visitor.page.get_by_role("button", name="Search", exact=True).click()
    assert hits(visitor) == ["red"]


def test_a_service_that_is_down_is_told_with_a_way_to_try_again(service, visit):
    visitor = visit(f"{service}/pages/search")
    visitor.sees("Search 3 items")
    visitor.page.route("**/v1/search", lambda route: route.abort())
    visitor.page.get_by_role("searchbox").fill("red")
    visitor.page.keyboard.press("Enter")
    visitor.sees("The service does not answer")
    visitor.page.unroute("**/v1/search")
    visitor.page.get_by_role("button", name="Try again").click()
    assert hits(visitor)[0] == "red"


def test_an_id_is_shown_as_text_whatever_it_holds(service, visit):
    visitor = visit(f"{service}/pages/search?like=<img src=x onerror=alert(1)>")
    visitor.page.locator(".chip").wait_for()
    assert "<img src=x" in visitor.page.locator(".chip").inner_text()


@pytest.mark.parametrize(("language", "dark"), [("en-GB", True), ("zh-CN", False)])
@pytest.mark.parametrize("path", ["search", "search?text=red&like=blue", "system"])
def test_no_page_has_a_barrier_or_a_complaint(service, visit, path, language, dark):
    visitor = visit(f"{service}/pages/{path}", language=language, dark=dark)
    visitor.page.wait_for_load_state("networkidle")
    assert visitor.page.locator("html").get_attribute("lang") == language.replace("en-GB", "en")
    assert visitor.barriers() == []
    assert visitor.complaints == []


def test_the_details_of_a_hit_have_no_barrier(service, visit):
    visitor = visit(f"{service}/pages/search?text=red")
    visitor.page.locator(".hit button").first.click()
    visitor.sees("Why this hit?")
    assert visitor.barriers() == []


def test_on_a_phone_nothing_is_wider_than_the_screen(service, visit):
    for path in ("search?text=red", "system"):
        visitor = visit(f"{service}/pages/{path}", phone=True)
        visitor.page.wait_for_load_state("networkidle")
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_language_that_was_chosen_is_kept(service, visit):
    visitor = visit(f"{service}/pages/search")
    visitor.page.get_by_role("link", name="中文").click()
    visitor.sees("按内容搜索 3 个条目")
    visitor.page.goto(f"{service}/pages/system")
    visitor.sees("集合")


def test_another_language_keeps_what_is_searched_for(service, visit):
    visitor = visit(f"{service}/pages/search")
    visitor.page.get_by_role("searchbox").fill("red")
    visitor.page.keyboard.press("Enter")
    assert hits(visitor)[0] == "red"
    visitor.page.get_by_role("link", name="中文").click()
    visitor.sees("最佳的 3 个结果")
    assert visitor.page.get_by_role("searchbox").input_value() == "red"


def test_a_file_that_is_no_picture_is_refused_where_it_is_dropped(service, visit):
    visitor = visit(f"{service}/pages/search")
    visitor.sees("Search 3 items")
    visitor.page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["hello"], "a.txt", { type: "text/plain" }));
          const options = { dataTransfer, bubbles: true, cancelable: true };
          document.querySelector(".searching").dispatchEvent(new DragEvent("drop", options));
        }"""
    )
    visitor.sees("This is no picture")
    assert visitor.complaints == []


def test_what_the_service_refuses_is_said_in_the_visitors_language(service, visit):
    visitor = visit(f"{service}/pages/search?text=thing&where=cost+<+4", language="zh-CN")
    visitor.page.get_by_role("alert").wait_for()
    said = visitor.page.get_by_role("alert").inner_text()
    assert said.startswith("内容有误")
    assert "没有字段 cost" in said


def test_light_or_dark_is_chosen_and_kept(service, visit):
    visitor = visit(f"{service}/pages/search")
    visitor.page.get_by_role("button", name="Light or dark").click()
    assert visitor.page.locator("html").get_attribute("data-theme") == "dark"
    visitor.page.goto(f"{service}/pages/system")
    assert visitor.page.locator("html").get_attribute("data-theme") == "dark"
