"""`tiepoint plugins new`: the beginning of a plugin, as a distribution of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

import click

from tiepoint.cli.output import echo, print_json
from tiepoint.errors import InputError
from tiepoint.plugin import API_VERSION

_PREFIX = "tiepoint_"


@click.command(epilog="Example: tiepoint plugins new traffic --out tiepoint-traffic")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder to make; tiepoint-NAME in this one if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print where it is as JSON.")
def new(name: str, out: Path | None, as_json: bool) -> None:
    """Begin a plugin: a distribution with a command, a route, a page and a test that pass.

    With --json: {"folder", "distribution", "package"}.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name):
        raise InputError(
            f"{name!r:.60} is no name of a plugin",
            hint="Use 2 to 41 small letters, digits and underscores, beginning with a letter.",
        )
    folder = out or Path(f"tiepoint-{name.replace('_', '-')}")
    if folder.exists():
        raise InputError(
            "there is something already", where=str(folder), hint="Name another --out."
        )
    words = {
        "name": name,
        "distribution": f"tiepoint-{name.replace('_', '-')}",
        "package": f"{_PREFIX}{name}",
        "title": name.replace("_", " ").capitalize(),
        "Class": "".join(part.capitalize() for part in name.split("_")),
        "api_version": str(API_VERSION),
    }
    template = files("tiepoint.cli") / "plugin_template"
    try:
        for path, text in sorted(_files(template, Path())):
            named = (
                str(path).replace("package", words["package"]).replace("test_name", f"test_{name}")
            )
            target = folder / named.removesuffix(".in")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(text).substitute(words), "utf-8")
    except OSError as error:
        raise InputError(
            f"it cannot be written ({error.strerror})",
            where=str(folder),
            hint="Name another --out.",
        ) from error
    if as_json:
        made = {key: words[key] for key in ("distribution", "package")}
        print_json({"folder": str(folder), **made})
        return
    echo(f"{folder}: made. Next: pip install -e {folder}; then see its README.md")


def _files(folder: Traversable, below: Path) -> Iterator[tuple[Path, str]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _files(one, below / one.name)
        else:
            yield below / one.name, one.read_text("utf-8")
