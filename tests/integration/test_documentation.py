"""The documentation is built, its links lead somewhere, and its commands exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tiepoint.cli.main import tiepoint

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(page: Path) -> list[str]:
    """Return the command lines of a page's code blocks that call `tiepoint`."""
    blocks = re.findall(
        r"^```(?:\w*)\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("tiepoint ")]


def mistake(line: str) -> str | None:
    """Return what is wrong with a command line: an unknown command or option."""
    words = shlex.split(
        line.translate({91: None, 93: None}).partition(" > ")[0].partition(" | ")[0], comments=True
    )[1:]
    command: click.Command = tiepoint
    context = click.Context(tiepoint)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            return f"there is no command {words[0]!r}"
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    known = {option for parameter in command.params for option in parameter.opts}
    known |= {option for parameter in command.params for option in parameter.secondary_opts}
    given = {word.partition("=")[0] for word in words if re.match(r"-{1,2}[a-z]", word)}
    unknown = sorted(given - known - {"--help", "-h"})
    return f"{command.name} has no {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_exists(page):
    lines = commands(page)
    made = {shlex.split(line)[3] for line in lines if line.startswith("tiepoint plugins new ")}
    there = [line for line in lines if shlex.split(line, comments=True)[1] not in made]
    assert [(line, wrong) for line in there if (wrong := mistake(line))] == []


def test_the_documentation_is_built_and_every_link_leads_somewhere(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    reference = (tmp_path / "site" / "reference" / "deployment-file.html").read_text("utf-8")
    assert "negative_weight" in reference
    assert "/v1/search" in (tmp_path / "site" / "reference" / "http.html").read_text("utf-8")
    assert "--explain" in (tmp_path / "site" / "reference" / "commands.html").read_text("utf-8")


def test_the_pages_load_nothing_from_elsewhere(tmp_path):
    pages = (ROOT / "adapters" / "tiepoint_adapters" / "http" / "pages").rglob("*")
    own = [
        file
        for file in pages
        if file.suffix in (".js", ".css", ".j2") and "vendor" not in file.parts
    ]
    assert len(own) > 10
    for file in own:
        assert not re.search(r"(src|href|url|import).{0,12}https?://", file.read_text("utf-8")), (
            file
        )
