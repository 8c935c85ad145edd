"""The demo's answers as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image, ImageOps

from tiepoint.types import Contribution, Hit
from tiepoint_adapters.demo.answers import SHOWN, Section
from tiepoint_adapters.demo.exhibits import Exhibit
from tiepoint_adapters.demo.filling import Filling
from tiepoint_adapters.demo.pictures import LANGUAGES, Picture

THUMBNAIL_PIXELS = 180
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Bar:
    """One route's contribution, drawn.

    Attributes:
        route: The route's name.
        colour: Which of the page's colours, from 0.
        value: What it added to the score.
        percent: The bar's length: of 1 for a cosine, else of the question's longest bar.
    """

    route: str
    colour: int
    value: float
    percent: float


class Pictured:
    """What the page shows of the pictures.

    Args:
        pictures: All pictures that were indexed.
    """

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self.by_id = {picture.id: picture for picture in pictures}
        self._thumbnails: dict[str, str] = {}

    def thumbnail(self, id_: str) -> str:
        """Return a picture's thumbnail as a data URI."""
        if id_ not in self._thumbnails:
            with Image.open(self.by_id[id_].path) as image:
                self._thumbnails[id_] = data_uri(image)
        return self._thumbnails[id_]

    def alternative(self, id_: str) -> str:
        """Return the words that stand for a picture where it cannot be seen."""
        captions = self.by_id[id_].captions
        return next(iter(captions.values()), f"The picture {id_}")

    @cached_property
    def credits(self) -> list[Picture]:
        """The pictures whose makers are named."""
        return [picture for picture in self.by_id.values() if picture.credit]


def data_uri(image: Image.Image) -> str:
    """Return a small copy of an image as a `data:` URI."""
    small = ImageOps.exif_transpose(image)
    if small.mode in ("RGBA", "LA", "P"):
        small = small.convert("RGBA")
        ground = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(ground, small)
    small = small.convert("RGB")
    small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=72)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def bars(hit: Hit, hits: Sequence[Hit], colours: Mapping[str, int]) -> list[Bar]:
    """Return a hit's contributions as bars, in one scale for all hits of its question."""
    full = _full_length([c for other in hits for c in other.contributions])
    return [_bar(c, colours, full) for c in hit.contributions]


def _full_length(contributions: Sequence[Contribution]) -> float:
    """Return the value of a full bar.

    A cosine means the same in every question, so that a weak best hit looks weak; a sum of
    routes has no such scale.
    """
    routes = {c.route for c in contributions}
    if len(routes) == 1 and all(c.value == c.similarity <= 1 for c in contributions):
        return 1.0
    return max((abs(c.value) for c in contributions), default=0.0)


def _bar(c: Contribution, colours: Mapping[str, int], full: float) -> Bar:
    percent = 100 * abs(c.value) / full if full else 0.0
    return Bar(c.route, colours[c.route], c.value, round(percent, 1))


def route_colours(sections: Sequence[Section]) -> dict[str, int]:
    """Number the routes in the order in which they first answer."""
    names = (
        contribution.route
        for section in sections
        for answer in section.answers
        for hit in answer.hits
        for contribution in hit.contributions
    )
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def render(
    sections: Sequence[Section],
    pictures: Sequence[Picture],
    filling: Filling,
    facts: Mapping[str, Any],
    exhibits: Sequence[Exhibit] = (),
) -> str:
    """Return the page.

    Args:
        sections: The answers by direction.
        pictures: The pictures that were indexed.
        filling: What was indexed, and how fast.
        facts: Further facts: `preset`, `deployment`, `warm_up_s`.
        exhibits: What plugins show.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    times = [answer.took_ms for section in sections for answer in section.answers]
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = data_uri
    # The style sheet is ours and holds nothing that came from a picture or a caption.
    style = Markup((_FOLDER / "page.css").read_text("utf-8"))  # noqa: S704
    return environment.get_template("page.html.j2").render(
        sections=sections,
        asked=len(times),
        judged=any(section.judged for section in sections),
        median_ms=median(times),
        pictured=Pictured(pictures),
        filling=filling,
        facts=facts,
        exhibits=exhibits,
        colours=route_colours(sections),
        languages=LANGUAGES,
        shown=SHOWN,
        bars=bars,
        style=style,
    )
