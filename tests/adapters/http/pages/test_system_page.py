"""The page System: what is under way, how far it is, and ending it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from tests.adapters.http.conftest import deployment
from tests.adapters.http.pages.conftest import coloured, listening
from tiepoint import Host, registry
from tiepoint.plugin import JobKind, Plugin


class Counting(Plugin):
    """A plugin whose job counts to three thousand, and stays at twelve until it is let on."""

    name: ClassVar[str] = "counting"
    version: ClassVar[str] = "1.0.0"
    api_version: ClassVar[int] = 1
    go_on: ClassVar[threading.Event]

    def jobs(self):
        return {"count": JobKind("Count.", self.count)}

    def count(self, parameters, task):
        task.progress(12, 3000)
        while not self.go_on.wait(0.05):
            task.progress(12, 3000)
        task.progress(3000, 3000)
        return {}


@pytest.fixture
def address(tmp_path, pictures):
    Counting.go_on = threading.Event()
    undo = registry.register(registry.PLUGINS, "counting", Counting)
    source = {"type": "folder", "path": Path(pictures["red"]).parent}
    host = Host(deployment(tmp_path, plugins={"counting": {}}, sources={"pictures": source}))
    with listening(host) as address:
        host.add(coloured(pictures))
        yield address
    undo()


def test_a_job_shows_its_progress_and_is_cancelled_by_a_click(address, visit):
    visitor = visit(f"{address}/pages/system")
    visitor.sees("No long work is under way")
    httpx.post(f"{address}/v1/jobs", json={"kind": "counting:count"}).raise_for_status()
    visitor.page.reload()
    visitor.sees("12 of 3,000")
    visitor.page.get_by_role("progressbar", name="counting:count").wait_for()
    assert visitor.barriers() == []
    visitor.page.get_by_role("button", name="Cancel").click()
    visitor.sees("The job is being cancelled")
    visitor.page.get_by_text("cancelled", exact=True).wait_for()
    assert visitor.page.get_by_role("button", name="Cancel").count() == 0
    assert visitor.complaints == []


def test_sources_are_indexed_by_a_click(address, visit):
    visitor = visit(f"{address}/pages/system", language="zh-CN")
    visitor.page.get_by_role("button", name="为数据源建立索引").click()
    visitor.page.get_by_role("row", name="索引 完成").wait_for()
    visitor.sees("pictures: 新增 3，未变 0")
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visitor.complaints == []


def test_where_there_is_no_source_nothing_is_offered_to_be_indexed(service, visit):
    visitor = visit(f"{service}/pages/system")
    visitor.sees("The deployment names no source to index")
    assert visitor.page.get_by_role("button", name="Index the sources").count() == 0
