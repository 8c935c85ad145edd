"""A storyboard on disk: a page, the same as JSON, and its frames."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from tiepoint.errors import InputError
from tiepoint.saving import replace_together
from tiepoint_security.pages.cards import Card, render_cards
from tiepoint_security.storyboard.chapters import Chapter
from tiepoint_security.storyboard.pieces import Piece

PAGE, DATA, FRAMES = "storyboard.html", "storyboard.json", "frames"

_SIDE = 640


def write_storyboard(
    folder: Path,
    file: Path,
    chapters: Sequence[Chapter],
    shown: Sequence[Piece],
    labels: Sequence[str],
    fitting: Sequence[int | None],
    gains: NDArray[Any],
) -> dict[str, Any]:
    """Write a storyboard; return what its JSON holds.

    Args:
        folder: Made if it is absent.
        file: The video.
        chapters: Its n chapters.
        shown: The piece of each whose frame is shown.
        labels: The m sentences.
        fitting: The number of each chapter's sentence, or None.
        gains: (n, m) how much better each sentence fits than on average.

    Raises:
        InputError: It cannot be written.
    """
    pictures = [_jpeg(piece) for piece in shown]
    told: dict[str, Any] = {
        "file": str(file.absolute()),
        "duration_s": round(chapters[-1].end_s, 3),
        "segments": [
            {
                "start_s": chapter.start_s,
                "end_s": chapter.end_s,
                "frame": f"{FRAMES}/{number:03d}.jpg",
                "frame_s": round(shown[number].frame_s, 3),
                "motion": round(chapter.motion, 4),
                "label": None if (best := fitting[number]) is None else labels[best],
                "gains": {
                    label: round(float(gains[number, column]), 4)
                    for column, label in enumerate(labels)
                },
            }
            for number, chapter in enumerate(chapters)
        ],
    }
    page = render_cards(file.name, _note(chapters), _cards(told, pictures))
    try:
        (folder / FRAMES).mkdir(parents=True, exist_ok=True)
        frames = {
            folder / segment["frame"]: picture
            for segment, picture in zip(told["segments"], pictures, strict=True)
        }
        data = (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()
        replace_together({**frames, folder / DATA: data, folder / PAGE: page.encode()})
    except OSError as error:
        raise InputError(
            f"the storyboard cannot be written ({error.strerror})",
            where=str(folder),
            hint="Name another folder as --out.",
        ) from error
    return told


def _cards(told: dict[str, Any], pictures: Sequence[bytes]) -> list[Card]:
    busiest = max(segment["motion"] for segment in told["segments"]) or 1.0
    return [
        Card(
            picture,
            f"{clock(segment['start_s'])} to {clock(segment['end_s'])}",
            [segment["label"]] if segment["label"] else [],
            share=segment["motion"] / busiest,
        )
        for segment, picture in zip(told["segments"], pictures, strict=True)
    ]


def _note(chapters: Sequence[Chapter]) -> str:
    return (
        f"{clock(chapters[-1].end_s)} in {len(chapters)} parts; the frame is of the seconds that"
        " fit the sentence best, or in which most moves; the bar is how much moves"
    )


def clock(seconds: float) -> str:
    """Return a time of a video as it is read.

    >>> clock(75.2), clock(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _jpeg(piece: Piece) -> bytes:
    image = Image.fromarray(piece.frame)
    image.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
