"""Takes the pictures of the pages that the documentation shows.

    tiepoint serve ...                                   # with demo data, see `make serve`
    python docs/pictures/render.py http://127.0.0.1:8080

Needs Playwright and the system's Chromium.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

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
            page.wait_for_timeout(2500)
            for click in clicks:
                _act(page, click)
            page.wait_for_timeout(1500)
            page.wait_for_selector(".busy", state="detached")
            page.evaluate("scrollTo(0, 0)")
            Image.open(io.BytesIO(page.screenshot())).save(FOLDER / f"{name}.webp", quality=88)
            print(FOLDER / f"{name}.webp")
        browser.close()


def _act(page: Any, step: str | tuple[str, str]) -> None:
    from pydicom.data import get_testdata_file

    if isinstance(step, str):
        page.click(step)
    elif step[1] == HEAD:
        page.set_input_files(step[0], get_testdata_file(HEAD, download=False))
    else:
        page.fill(*step)


if __name__ == "__main__":
    render(sys.argv[1])
