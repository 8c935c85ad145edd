"""Takes the pictures of the pages that the documentation shows.

    make pictures                                        # on the demo data of `make serve`
    python docs/pictures/render.py http://127.0.0.1:8080 # of a service that runs

Needs Playwright and the system's Chromium.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TIEPOINT = Path(sys.executable).with_name("tiepoint")

HEAD = "J2K_pixelrep_mismatch.dcm"
"""A test file of pydicom: a slice of a head."""

SHOTS: dict[str, tuple[str, list[str | tuple[str, str]], dict[str, Any]]] = {
    "search": ("/pages/search?text=a+cat", [], {}),
    "hit": ("/pages/search?text=a+rocket+at+night", [".hit button >> nth=0"], {}),
    "search-phone": (
        "/pages/search?text=一只猫",
        [],
        {"locale": "zh-CN", "color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
    ),
    "cameras": ("/pages/security?all=1", [], {}),
    "shop": (
        "/pages/recommendation?user=u0090",
        [".product .acts button:has-text('Rule') >> nth=2", "form.editor button.main"],
        {},
    ),
    "reading-room": (
        "/pages/medical",
        [("#image", HEAD), ("#report", "No fracture. Small effusion?"), ".room form button.main"],
        {},
    ),
    "system": ("/pages/system", [], {"color_scheme": "dark"}),
}
"""By name: the page, what is clicked or filled in there, and how the browser is set up."""


def render(address: str) -> None:
    """Write the pictures, as WebP beside this file."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (path, clicks, setting) in SHOTS.items():
            options = {"viewport": {"width": 1366, "height": 768}, "locale": "en-GB", **setting}
            page = browser.new_context(**options).new_page()
            page.goto(address + path)
            _settle(page)
            for click in clicks:
                _act(page, click)
                _settle(page)
            page.evaluate("scrollTo(0, 0)")
            Image.open(io.BytesIO(page.screenshot())).save(FOLDER / f"{name}.webp", quality=88)
            print(FOLDER / f"{name}.webp")
        browser.close()


def _settle(page: Any) -> None:
    """Wait until nothing is loading any more, and what is in view has its pictures."""
    page.wait_for_timeout(1500)
    page.locator(".busy, #content > p.soft:only-child").first.wait_for(state="detached")
    page.wait_for_timeout(2500)


@contextmanager
def served(deployment: Path) -> Iterator[str]:
    """Serve a deployment on a free port while the context lasts; yields its address."""
    import yaml

    content = yaml.safe_load(deployment.read_text("utf-8")) | {"server": {"port": 0}}
    elsewhere = deployment.with_name("pictures.yaml")
    elsewhere.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
    with subprocess.Popen([TIEPOINT, "serve", elsewhere], stdout=subprocess.PIPE) as service:
        try:
            ready, _, told = next(iter(service.stdout or []), b"").decode().partition(": ")
            if ready != "ready":
                sys.exit("the service did not start")
            yield told.partition(",")[0]
        finally:
            service.terminate()


def _act(page: Any, step: str | tuple[str, str]) -> None:
    from pydicom.data import get_testdata_file

    if isinstance(step, str):
        page.click(step)
    elif step[1] == HEAD:
        page.set_input_files(step[0], get_testdata_file(HEAD, download=False))
    else:
        page.fill(*step)


if __name__ == "__main__":
    if sys.argv[1].startswith("http"):
        render(sys.argv[1])
    else:
        with served(Path(sys.argv[1])) as address:
            render(address)
