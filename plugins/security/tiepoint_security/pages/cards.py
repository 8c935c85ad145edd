"""A page of cards: a picture, what it is, and the clip that it stands for."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Card:
    """One picture with its words.

    Attributes:
        picture: A JPEG; None where there is none any more.
        title: Such as the time.
        lines: What else is to be said.
        link: The clip, relative to the page; None for none.
        share: How long the bar below the picture is, in [0, 1]; None for no bar.
    """

    picture: bytes | None
    title: str
    lines: Sequence[str] = ()
    link: str | None = None
    share: float | None = None

    @property
    def source(self) -> str | None:
        """The picture as a `data:` URI."""
        if self.picture is None:
            return None
        return "data:image/jpeg;base64," + base64.b64encode(self.picture).decode("ascii")


def render_cards(title: str, note: str, cards: Sequence[Card]) -> str:
    """Return the page.

    Args:
        title: Its title.
        note: What stands below the title.
        cards: In the order in which they are shown.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("cards.html.j2").render(title=title, note=note, cards=cards)
