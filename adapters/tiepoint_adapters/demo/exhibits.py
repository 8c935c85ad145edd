"""What installed plugins add to the demo (entry points: `tiepoint.exhibits`)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

from tiepoint import registry
from tiepoint.cli.output import say
from tiepoint.errors import TiepointError


@dataclass(frozen=True, slots=True)
class Exhibited:
    """One thing that is shown.

    Attributes:
        title: What it is.
        lines: What else is to be said.
        picture: A JPEG; None for none.
        file: Where more of it is, such as a clip; None for nowhere.
    """

    title: str
    lines: Sequence[str] = ()
    picture: bytes | None = None
    file: Path | None = None

    @property
    def source(self) -> str | None:
        """The picture as a `data:` URI."""
        if self.picture is None:
            return None
        return "data:image/jpeg;base64," + base64.b64encode(self.picture).decode("ascii")

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, without the picture."""
        file = None if self.file is None else str(self.file)
        return {"title": self.title, "lines": list(self.lines), "file": file}


@dataclass(frozen=True, slots=True)
class Part:
    """Things that answer one question.

    Attributes:
        heading: The question, or what happened.
        language: Of the heading.
        shown: The things.
    """

    heading: str
    shown: Sequence[Exhibited]
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What a plugin shows.

    Attributes:
        name: The name of the entry point.
        title: Its title.
        note: What it is, in a sentence or two.
        parts: What is shown, part by part.
        took_s: Seconds that it took.
    """

    name: str
    title: str
    note: str
    parts: Sequence[Part]
    took_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, in the documented shape of `demo --json`."""
        return {
            "name": self.name,
            "title": self.title,
            "took_s": round(self.took_s, 3),
            "parts": [
                {"heading": part.heading, "shown": [one.as_dict() for one in part.shown]}
                for part in self.parts
            ],
        }


Show: TypeAlias = Callable[[Path, str], Exhibit]
"""What an entry point is: a function of a folder of its own and the preset, quick to run."""


def exhibits(out: Path, preset: str) -> list[Exhibit]:
    """Return what every installed plugin shows; one that cannot is told of and left out.

    Args:
        out: The demo's folder; each plugin has a folder in it.
        preset: `fast` or `accurate`.
    """
    made = []
    for name in registry.names(registry.EXHIBITS):
        started = perf_counter()
        folder = out / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            show: Show = registry.load(registry.EXHIBITS, name)
            shown = show(folder, preset)
        except (TiepointError, OSError) as error:
            say(f"the demo goes on without {name}: {error}")
            continue
        took_s = perf_counter() - started
        made.append(Exhibit(name, shown.title, shown.note, shown.parts, took_s))
    return made
