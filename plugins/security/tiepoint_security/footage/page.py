"""The answers of a search as a page, with copies of the clips beside it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tiepoint.errors import InputError
from tiepoint.saving import replace_together
from tiepoint_adapters.clock import timestamp
from tiepoint_security.footage.question import FootageHit, FootageQuestion
from tiepoint_security.pages.cards import Card, render_cards

PAGE = "footage.html"


def write_page(folder: Path, question: FootageQuestion, hits: Sequence[FootageHit]) -> Path:
    """Write the page and copy the clips; return the page's path.

    Args:
        folder: Made if it is absent; clips of an earlier search there are replaced.
        question: What was asked.
        hits: The answers, best first.

    Raises:
        InputError: It cannot be written.
    """
    page = folder / PAGE
    try:
        clips = folder / "clips"
        clips.mkdir(parents=True, exist_ok=True)
        cards = [_card(rank, hit, clips) for rank, hit in enumerate(hits, 1)]
        asked = question.text or str(question.image or question.video)
        note = f"{len(hits)} segments, best first; times are in UTC"
        content = render_cards(f"Footage: {asked}", note, cards)
        replace_together({page: content.encode()})
    except OSError as error:
        raise InputError(
            f"the page cannot be written ({error.strerror})",
            where=str(folder),
            hint="Name another folder as --out.",
        ) from error
    return page.absolute()


def _card(rank: int, hit: FootageHit, clips: Path) -> Card:
    link = None
    if hit.clip is not None:
        copy = clips / f"{rank:03d}{hit.clip.suffix}"
        shutil.copyfile(hit.clip, copy)
        link = f"{clips.name}/{copy.name}"
    lines = [
        f"camera {hit.camera}, {hit.end_s - hit.start_s:.0f} s",
        f"score {hit.score:.3f}",
        *([f"alert: {hit.severity}"] if hit.severity else []),
        *([f"zones: {', '.join(hit.zones)}"] if hit.zones else []),
    ]
    picture = None if hit.thumbnail is None else hit.thumbnail.read_bytes()
    return Card(picture, timestamp(hit.start_s), lines, link)
