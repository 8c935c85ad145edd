"""`tiepoint search`: ask a deployment's collection from the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli import search_options
from tiepoint.cli.asking import ask
from tiepoint.cli.hits import print_hits
from tiepoint.cli.output import echo, print_json, print_table
from tiepoint.errors import AnswerError, QueryError

if TYPE_CHECKING:
    from tiepoint.conversation.sessions import SessionInfo, Sessions


@click.command(epilog="Example: tiepoint search deployment.yaml --text 'a red van' -k 5 --explain")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--text", metavar="TEXT", help="Words to search for; in a session, a turn of it.")
@click.option("--image", type=click.Path(path_type=Path), help="An image to search by.")
@click.option("--audio", type=click.Path(path_type=Path), help="A sound to search by.")
@click.option(
    "--video", metavar="FILE", help="A video to search by, or a part of it: talk.mp4#t=10,20.5"
)
@click.option(
    "--dicom",
    type=click.Path(path_type=Path),
    help="A DICOM file to search by, as an image; or a folder of a series, as a volume.",
)
@click.option("--not", "not_text", metavar="TEXT", help="What is not wanted.")
@click.option("--not-image", type=click.Path(path_type=Path), help="An image of what is not.")
@click.option("--like", multiple=True, metavar="ID", help="More like this hit; repeatable.")
@click.option("--unlike", multiple=True, metavar="ID", help="Less like this hit; repeatable.")
@click.option("-k", type=int, default=10, show_default=True, help="How many hits.")
@click.option("--filter", "--where", "where", metavar="EXPR", help='Such as "price < 20".')
@click.option(
    "--exclude", multiple=True, metavar="ID", help="An id that is not wanted; repeatable."
)
@click.option("--weight", multiple=True, metavar="NAME=N", help="How much a field or route counts.")
@click.option(
    "--boost",
    multiple=True,
    metavar="NAME=YAML",
    help="A bonus, such as \"sale={where: 'price < 5', value: 2}\".",
)
@click.option(
    "--minimum",
    multiple=True,
    metavar="[NAME=]N",
    help="The least score, or the least similarity of a field or route.",
)
@click.option("--group-by", metavar="FIELD", help="At most --group-size hits of each value.")
@click.option("--group-size", type=int, help="How many; 1 if not given.")
@click.option("--offset", type=int, help="How many hits to pass over.")
@click.option("--after", metavar="ID", help="Go on after this hit.")
@click.option("--diversity", type=float, metavar="D", help="From 0 to below 1: unlike hits.")
@click.option("--session", metavar="NAME", help="Narrow or shift what this session asked last.")
@click.option("--reset", is_flag=True, help="Forget the session first.")
@click.option("--sessions", "listed", is_flag=True, help="List the sessions, and end.")
@click.option("--answer", metavar="QUESTION", help="Answer a question from the hits.")
@click.option("--collection", metavar="NAME", help="May be left out where there is one.")
@click.option("--explain", is_flag=True, help="Show what each route added to a score.")
@click.option("--json", "as_json", is_flag=True, help="Print the hits as JSON.")
def search(config: Path, as_json: bool, listed: bool, **options: Any) -> None:
    """Search a collection by text, image, sound, video or DICOM, or by several at once.

    Where a running process holds the store, that process answers.

    With --json: {"hits": [{"id", "score", "probability", "contributions": [{"route",
    "similarity", "standardised", "weight", "value"}], "metadata", "parts", "explanation"}],
    "took_ms"}; in a session also "session": {"name", "collection", "turns", "query", "text",
    "without", "like", "unlike", "where", "updated"}; with --answer also "answer": {"text",
    "sentences": [{"text", "citations"}], "citations", "unsupported", "unknown"}. --sessions
    gives {"sessions": [..]}.
    """
    from tiepoint.host import Host

    _refuse_bytes(options)
    host = Host.from_config(config)
    if listed:
        _list(host.sessions, as_json)
        return
    session, reset = options.pop("session"), options.pop("reset")
    explain, wanted_answer = options["explain"], options.pop("answer")
    question = _question(options)
    if reset:
        if session is None:
            raise QueryError("no session is named", where="--reset", hint="Give --session NAME.")
        forgotten = host.sessions.reset(session)
        if not _asks(question):
            echo(f"forgot {session}" if forgotten else f"there was no session {session}")
            return
    if session is None and not _asks(question):
        raise QueryError(
            "nothing to search for", hint="Give --text, --image, --audio, --video or --dicom."
        )
    if session is not None:
        question["session"] = session
    hits, took_ms = ask(config, question)
    found: dict[str, Any] = {"hits": hits, "took_ms": round(took_ms, 3)}
    state = host.sessions.get(session) if session is not None else None
    if state is not None:
        found["session"] = state.as_dict()
    failure: AnswerError | None = None
    if wanted_answer is not None:
        try:
            found["answer"] = host.answer(wanted_answer, _as_hits(hits)).as_dict()
        except AnswerError as error:  # the hits are worth showing all the same
            found["answer"], failure = None, error
    if as_json:
        print_json(found)
    else:
        _print(found, state, explain)
    if failure is not None:
        raise failure


def _question(options: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of `Host.search` that the options stand for."""
    given = dict(options)
    negative = {
        "text": given.pop("not_text"),
        "image": _absolute(given.pop("not_image")),
    }
    negative = {modality: part for modality, part in negative.items() if part is not None}
    question = {
        "text": given["text"],
        "image": _absolute(given["image"]),
        "audio": _absolute(given["audio"]),
        "video": _absolute(given["video"]),
        "dicom": _absolute(given["dicom"]),
        "where": given["where"],
        "exclude": list(given["exclude"]),
        "k": given["k"],
        "collection": given["collection"],
        "explain": given["explain"],
    }
    others = {
        "negative": negative,
        "like": list(given["like"]),
        "unlike": list(given["unlike"]),
        "weights": search_options.numbers("--weight", given["weight"]),
        "boosts": search_options.boosts(given["boost"]),
        "minimum": search_options.least(given["minimum"]),
        **{
            name: given[name] for name in ("group_by", "group_size", "offset", "after", "diversity")
        },
    }
    return question | {
        name: value for name, value in others.items() if value is not None and value not in ({}, [])
    }


def _asks(question: dict[str, Any]) -> bool:
    return any(question.get(part) for part in ("text", "image", "audio", "video", "dicom", "like"))


def _absolute(path: Path | str | None) -> str | None:
    return None if path is None else str(Path(path).absolute())


def _refuse_bytes(options: dict[str, Any]) -> None:
    """Refuse what the shell gave that is not text; Python has it as halves of surrogate pairs."""
    for name, value in options.items():
        words: Iterable[Any] = value if isinstance(value, tuple) else (value,)
        for word in words:
            if isinstance(word, str) and not _is_unicode(word):
                option = {"where": "filter", "not_text": "not"}.get(name, name)
                raise QueryError(
                    "this is not UTF-8 text",
                    where=f"--{option.replace('_', '-')}",
                    hint="Give it as UTF-8.",
                )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_hits(hits: list[dict[str, Any]]) -> list[Any]:
    """Return what an answer needs of hits."""
    from tiepoint.types import Hit

    return [
        Hit(hit["id"], hit["score"], metadata=hit["metadata"], parts=hit["parts"]) for hit in hits
    ]


def _print(found: dict[str, Any], state: SessionInfo | None, explain: bool) -> None:
    if state is not None:
        echo(f"{state.name}, turn {state.turns}: {state.query}")
    print_hits(found["hits"], found["took_ms"], explain)
    if found.get("answer") is not None:
        echo(found["answer"]["text"] or "The hits do not answer that.")


def _list(sessions: Sessions, as_json: bool) -> None:
    found = sessions.all()
    if as_json:
        print_json({"sessions": [session.as_dict() for session in found]})
    else:
        print_table(
            ("session", "turns", "query"),
            [(session.name, str(session.turns), session.query) for session in found],
        )
