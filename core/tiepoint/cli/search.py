"""`tiepoint search`: ask a deployment's collection from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tiepoint.cli.asking import ask
from tiepoint.cli.output import print_json, printable
from tiepoint.errors import QueryError

TEXT_COLUMNS = 60


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--text", metavar="TEXT", help="Words to search for.")
@click.option("--image", type=click.Path(path_type=Path), help="An image to search by.")
@click.option("--audio", type=click.Path(path_type=Path), help="A sound to search by.")
@click.option(
    "--video", metavar="FILE", help="A video to search by, or a part of it: talk.mp4#t=10,20.5"
)
@click.option("-k", type=int, default=10, show_default=True, help="How many hits.")
@click.option("--filter", "--where", "where", metavar="EXPR", help='Such as "price < 20".')
@click.option(
    "--exclude", multiple=True, metavar="ID", help="An id that is not wanted; repeatable."
)
@click.option("--collection", metavar="NAME", help="May be left out where there is one.")
@click.option("--explain", is_flag=True, help="Show what each route added to a score.")
@click.option("--json", "as_json", is_flag=True, help="Print the hits as JSON.")
def search(
    config: Path,
    text: str | None,
    image: Path | None,
    audio: Path | None,
    video: str | None,
    k: int,
    where: str | None,
    exclude: tuple[str, ...],
    collection: str | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Search a collection by text, image, sound or video, or by several at once.

    Where a running process holds the store, that process answers.

    With --json: {"hits": [{"id", "score", "probability", "contributions": [{"route",
    "similarity", "standardised", "weight", "value"}], "metadata", "parts", "explanation"}],
    "took_ms"}.
    """
    if text is None and image is None and audio is None and video is None:
        raise QueryError("nothing to search for", hint="Give --text, --image, --audio or --video.")
    for option, words in (("--text", text), ("--filter", where), ("--exclude", "".join(exclude))):
        _refuse_bytes(option, words or "")
    question: dict[str, Any] = {
        "text": text,
        "image": None if image is None else str(image.absolute()),
        "audio": None if audio is None else str(audio.absolute()),
        "video": None if video is None else str(Path(video).absolute()),
        "where": where,
        "exclude": list(exclude),
        "k": k,
        "collection": collection,
        "explain": explain,
    }
    hits, took_ms = ask(config, question)
    if as_json:
        print_json({"hits": hits, "took_ms": round(took_ms, 3)})
    else:
        _print(hits, took_ms, explain)


def _refuse_bytes(option: str, words: str) -> None:
    """Refuse what the shell gave that is not text; Python has it as halves of surrogate pairs."""
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise QueryError(
            "this is not UTF-8 text", where=option, hint="Give it as UTF-8."
        ) from error


def _print(hits: list[dict[str, Any]], took_ms: float, explain: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    counted = f"{len(hits)} hit{'' if len(hits) == 1 else 's'}"
    table = Table(caption=f"{counted} in {took_ms:.0f} ms", caption_justify="left")
    table.add_column("#", justify="right")
    table.add_column("id", overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("holds", overflow="fold")
    if explain:
        table.add_column("why", overflow="fold")
    for rank, hit in enumerate(hits, 1):
        row = [str(rank), hit["id"], f"{hit['score']:.3f}", _content(hit)]
        row += [hit["explanation"] or ""] if explain else []
        table.add_row(*(printable(cell) for cell in row))
    Console(markup=False, emoji=False, highlight=False).print(table)


def _content(hit: dict[str, Any]) -> str:
    lines = (" ".join(part.split()) for part in hit["parts"].values())
    parts = [
        line if len(line) <= TEXT_COLUMNS else line[: TEXT_COLUMNS - 1] + "…" for line in lines
    ]
    return " | ".join([*parts, *(f"{name}={value}" for name, value in hit["metadata"].items())])
