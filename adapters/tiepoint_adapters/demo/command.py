"""`tiepoint demo`: index real pictures, ask in every direction, show what was found."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import print_json
from tiepoint.errors import InputError

if TYPE_CHECKING:
    from tiepoint.host import Host
    from tiepoint_adapters.demo.pictures import Picture

PAGE = "demo.html"


@click.command(epilog="Example: tiepoint demo --images ~/Pictures")
@click.option("--images", type=click.Path(path_type=Path), help="A folder of your own pictures.")
@click.option("--ask", multiple=True, metavar="TEXT", help="What to ask of them; repeatable.")
@click.option(
    "--preset",
    type=click.Choice(["fast", "accurate"]),
    default="fast",
    show_default=True,
    help="One image network, or two.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("tiepoint-demo"),
    show_default=True,
    help="The folder that takes the page and the store.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def demo(images: Path | None, ask: tuple[str, ...], preset: str, out: Path, as_json: bool) -> None:
    """Find pictures by text and texts by picture, on photographs that come with it.

    Writes one HTML page; its path is the last line that is printed. Without --images, what
    installed plugins have to show is on it, too.

    With --json: {"page", "deployment", "preset", "warm_up_s", "indexing": {"pictures",
    "captions", "picture_s", "caption_s", "encoded", "skipped", "pictures_per_s" (null where
    vectors came from the cache)}, "sections":
    [{"direction", "queries", "judged", "found_at_1", "found_at_5", "median_ms", "answers":
    [{"query", "language", "expected", "rank", "took_ms", "hits"}]}], "exhibits": [{"name",
    "title", "took_s", "parts": [{"heading", "shown": [{"title", "lines", "file"}]}]}]}.
    """
    from tiepoint.host import Host
    from tiepoint_adapters.demo.answers import ask_all
    from tiepoint_adapters.demo.exhibits import exhibits
    from tiepoint_adapters.demo.filling import fill, folder_pictures, write_deployment
    from tiepoint_adapters.demo.page import render
    from tiepoint_adapters.demo.pictures import packaged_pictures
    from tiepoint_adapters.demo.questions import folder_questions, packaged_questions

    if ask and images is None:
        raise InputError("--ask goes with --images", hint="Name a folder of pictures.")
    pictures, skipped = ([], []) if images is None else folder_pictures(images)
    _make(out / "pictures")
    if images is None:
        pictures = packaged_pictures(out / "pictures")
    deployment = write_deployment(out, preset, pictures)
    with Host.from_config(deployment) as host:
        started = perf_counter()
        host.warm_up()
        warm_up_s = perf_counter() - started
        filling = fill(host, pictures)
        filling.skipped.extend(skipped)
        broken = {entry.where for entry in filling.skipped}
        pictures = [picture for picture in pictures if picture.id not in broken]
        if images is None:
            questions = packaged_questions(pictures)
        else:
            questions = folder_questions(pictures, ask, [] if ask else _resembled(host, pictures))
        sections = ask_all(host, questions)
    shown = exhibits(out.absolute(), preset) if images is None else []
    facts = {"preset": preset, "deployment": str(deployment), "warm_up_s": warm_up_s}
    page = (out / PAGE).absolute()
    page.write_text(render(sections, pictures, filling, facts, shown), encoding="utf-8")
    if as_json:
        print_json(
            {
                "page": str(page),
                **facts,
                "indexing": filling.as_dict(),
                "sections": [section.as_dict() for section in sections],
                "exhibits": [exhibit.as_dict() for exhibit in shown],
            }
        )
        return
    from tiepoint_adapters.demo.report import print_report

    print_report(sections, filling, warm_up_s, shown)
    click.echo(page)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be made ({error.strerror})", where=str(folder), hint="Choose --out."
        ) from error


def _resembled(host: Host, pictures: list[Picture]) -> list[str]:
    """Return the classes that most of the pictures look like, as the encoder was trained on."""
    from tiepoint_adapters.demo.resemblance import likeliest_classes

    return likeliest_classes(host.encoder("photo"), [str(picture.path) for picture in pictures])
