"""The page Cameras and alerts, on a camera that sees a square come into a zone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import tiepoint_security.plugin
from tests.adapters.http.conftest import deployment
from tests.adapters.http.pages.conftest import listening
from tests.adapters.http.pages.test_frame import untranslated
from tests.footage import scene, write_video
from tiepoint import Host

ALL = [[0, 0], [1, 0], [1, 1], [0, 1]]


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watched")
    file = write_video(folder / "square.mp4", [scene(n) for n in range(200)])
    security = {
        "cameras": {"gate": {"address": str(file), "loop": True, "fps": 10, "zones": {"all": ALL}}},
        "rules": {"inside": {"when": {"intrusion": {"zones": ["all"]}}, "severity": "critical"}},
        "evidence": {"before_s": 1, "after_s": 1},
    }
    host = Host(deployment(folder, plugins={"security": security}))
    with listening(host) as address:
        service = host.plugin("security").service
        ends = time.monotonic() + 40
        while time.monotonic() < ends:
            if any("clip" in service.evidence(one["id"]) for one in service.alerts()):
                break
            time.sleep(0.1)
        yield address


def test_an_alert_is_opened_with_its_clip_and_marked_as_false(watched, visit):
    visitor = visit(f"{watched}/pages/security")
    visitor.page.locator(".alert .look").last.click()
    visitor.page.locator("dialog video").wait_for()
    visitor.page.wait_for_timeout(500)
    assert visitor.page.locator("dialog video").evaluate("film => film.videoWidth") > 0
    assert visitor.barriers() == []
    visitor.page.locator("dialog").get_by_alt_text("Snapshot").wait_for()
    visitor.page.get_by_label("Note").fill("a test")
    visitor.page.get_by_role("button", name="False alarm").click()
    visitor.page.locator("dialog").get_by_text("Marked as a false alarm").wait_for()
    visitor.sees("false alarm: a test")
    assert visitor.complaints == []


def test_the_wall_shows_what_the_camera_sees_now(watched, visit):
    visitor = visit(f"{watched}/pages/security")
    picture = visitor.page.get_by_alt_text("Latest picture of gate")
    picture.wait_for()
    first = picture.get_attribute("src")
    visitor.page.wait_for_timeout(2500)
    assert picture.get_attribute("src") != first


def test_a_zone_is_drawn_with_the_keyboard_and_written_for_the_deployment_file(watched, visit):
    visitor = visit(f"{watched}/pages/security")
    visitor.page.get_by_role("button", name="Open gate").click()
    field = visitor.page.locator("dialog svg")
    field.focus()
    for key in ("Enter", "ArrowRight", "Enter", "ArrowDown", "Enter"):
        field.press(key)
    visitor.page.get_by_label("Name").fill("door")
    written = visitor.page.get_by_label("For the deployment file").input_value()
    assert "door: [[0.500, 0.500], [0.510, 0.500], [0.510, 0.510]]" in written
    assert visitor.barriers() == []


def test_the_page_has_no_barrier_in_chinese_and_dark(watched, visit):
    visitor = visit(f"{watched}/pages/security?all=1", language="zh-CN", dark=True)
    visitor.page.locator(".alert").first.wait_for()
    assert visitor.barriers() == []
    assert visitor.complaints == []


def test_every_word_is_there_in_chinese():
    assert untranslated(Path(tiepoint_security.plugin.__file__).parent / "page") == []
