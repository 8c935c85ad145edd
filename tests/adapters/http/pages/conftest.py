"""Pages in a real browser: the system's Chromium, against a service that listens on loopback."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.adapters.http.conftest import deployment
from tiepoint import Host, Item

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def listening(host: Host) -> Iterator[str]:
    """Serve a host on a free port; yields its address."""
    application = Starlette(routes=[Mount("/", host.asgi())], lifespan=host.lifespan)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(application, log_level="error", interface="asgi3"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        ends = time.monotonic() + 240
        while not server.started and thread.is_alive() and time.monotonic() < ends:
            time.sleep(0.05)
        assert server.started
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


@dataclass
class Visitor:
    """Someone before a browser, and what the browser complained of."""

    page: Any
    complaints: list[str] = field(default_factory=list)

    def sees(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=10_000)

    def barriers(self) -> list[str]:
        """Return what axe finds serious: barriers to people who cannot see or use a mouse."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser) -> Iterator[Visit]:
    """Return what opens a page: `visit(address, language="zh-CN", dark=True, phone=True)`."""
    contexts = []

    def open_page(
        address: str, *, language: str = "en-GB", dark: bool = False, phone: bool = False
    ) -> Visitor:
        size = {"width": 390, "height": 844} if phone else {"width": 1366, "height": 768}
        context = browser.new_context(
            viewport=size, locale=language, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        visitor = Visitor(context.new_page())
        visitor.page.on(
            "console",
            lambda message: message.type == "error" and visitor.complaints.append(message.text),
        )
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitor.page.goto(address)
        return visitor

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> dict[str, str]:
    """Return plain pictures by colour, the paths of their files."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("pictures")
    colours = {"red": (220, 30, 30), "green": (20, 160, 60), "blue": (30, 60, 200)}
    for name, colour in colours.items():
        Image.new("RGB", (64, 48), colour).save(folder / f"{name}.png")
    return {name: str(folder / f"{name}.png") for name in colours}


def coloured(pictures: dict[str, str]) -> list[Item]:
    prices = {"red": 3.0, "green": 5.0, "blue": 9.0}
    return [
        Item(id=name, image=path, text=f"a {name} thing", metadata={"price": prices[name]})
        for name, path in pictures.items()
    ]


@pytest.fixture(scope="module")
def service(tmp_path_factory, pictures) -> Iterator[str]:
    """Return the address of a service that has three coloured items."""
    host = Host(deployment(tmp_path_factory.mktemp("service")))
    with listening(host) as address:
        host.add(coloured(pictures))
        yield address
