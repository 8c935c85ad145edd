"""What the demo asks, and what would be a right answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tiepoint_adapters.demo.changes import changed
from tiepoint_adapters.demo.pictures import Picture, packaged_file

Kind: TypeAlias = Literal["text-image", "image-text", "image-image", "hybrid"]

COLLECTIONS: Mapping[Kind, str] = {
    "text-image": "pictures",
    "image-text": "captions",
    "image-image": "pictures",
    "hybrid": "items",
}
"""What each kind of question is asked of; `pictures` holds no caption that could help."""

PICTURES_ASKED = 12
"""How many of a user's pictures, at most, are asked about in each direction."""


@dataclass(frozen=True, slots=True)
class Question:
    """One search of the demo.

    Attributes:
        kind: The direction.
        label: The query in words.
        query: Keyword arguments of `Host.search`.
        expected: Ids of right answers; none where only the user can tell.
        language: The language of a text query (BCP 47), empty if not known.
        picture: The id of the indexed picture that is the query, if one is.
    """

    kind: Kind
    label: str
    query: Mapping[str, Any]
    expected: frozenset[str] = field(default_factory=frozenset)
    language: str = ""
    picture: str = ""


def packaged_questions(pictures: Iterable[Picture]) -> list[Question]:
    """Return the questions of `queries.json`, and one image-to-text question a picture.

    Args:
        pictures: The packaged pictures.
    """
    by_id = {picture.id: picture for picture in pictures}
    entries = json.loads(Path(__file__).with_name("queries.json").read_text("utf-8"))
    asked = [_question(entry, by_id) for entry in entries]
    return asked + [image_to_text(picture) for picture in by_id.values()]


def _question(entry: Mapping[str, Any], pictures: Mapping[str, Picture]) -> Question:
    expected = frozenset(entry["expected"])
    if entry["kind"] != "image-image":
        query = {"text": entry["text"]}
        return Question(entry["kind"], entry["text"], query, expected, entry["lang"])
    path = pictures[entry["sample"]].path
    if "file" in entry:
        path = packaged_file("skimage", entry["file"])
    image = changed(str(path), entry["change"])
    label = f"{entry['sample']}, {entry['change']}"
    return Question("image-image", label, {"image": image}, expected)


def image_to_text(picture: Picture) -> Question:
    """Ask for the captions of a picture: one in any language is right."""
    right = frozenset(f"{picture.id}/{name}" for name in picture.captions)
    query = {"image": str(picture.path)}
    return Question("image-text", picture.id, query, right, picture=picture.id)


def folder_questions(
    pictures: Sequence[Picture], asked: Sequence[str], likeliest: Sequence[str]
) -> list[Question]:
    """Return questions about a user's pictures.

    Args:
        pictures: The pictures, with a caption or without.
        asked: What the user wants to ask.
        likeliest: Texts to ask where the user asks nothing: what the pictures resemble.
    """
    captioned = [picture for picture in pictures if picture.captions]
    questions = [Question("text-image", text, {"text": text}) for text in asked or likeliest]
    questions += [_caption(picture) for picture in _spread(captioned)]
    questions += [_others_like(picture) for picture in _spread(pictures)]
    questions += [image_to_text(picture) for picture in _spread(captioned)]
    if captioned:
        questions += [Question("hybrid", text, {"text": text}) for text in asked]
    return questions


def _caption(picture: Picture) -> Question:
    text = " ".join(picture.captions.values())
    return Question("text-image", text, {"text": text}, frozenset([picture.id]))


def _others_like(picture: Picture) -> Question:
    query = {"image": str(picture.path), "exclude": [picture.id]}
    return Question("image-image", f"others like {picture.id}", query, picture=picture.id)


def _spread(pictures: Sequence[Picture]) -> Sequence[Picture]:
    """At most `PICTURES_ASKED` of the pictures, evenly spread over their order."""
    step = max(1, -(-len(pictures) // PICTURES_ASKED))
    return pictures[::step]
