"""The sentences of a section."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A full stop ends a sentence before white space or a capital, unless it belongs to a number, an
# initial or an abbreviation. A question mark before what it asks ("? pneumonia") ends none.
_END = re.compile(
    r"[.!]+(?=\s|$)|(?<=[^\s?])\?+(?=\s|$)|(?<=[a-z])\.(?=[A-Z][a-z])|[。！？]|\n\s*\n|\n(?=\s*(?:[-*•]|\d+[.)]\s))"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|vs|approx|e\.g|i\.e|cf|fig|no|st|pt|ca)|\b[A-Z]|^\s*\d+)\.$",
    re.IGNORECASE,
)


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Give where the sentences of a part of a text begin and end, without white space around.

    >>> text = "Heart is normal.No effusion. 1. Nodule 1.5 cm."
    >>> [text[a:b] for a, b in sentence_spans(text)]
    ['Heart is normal.', 'No effusion.', '1. Nodule 1.5 cm.']
    """
    end = len(text) if end is None else end
    begins = start
    for found in _END.finditer(text, start, end):
        piece = text[begins : found.end()]
        if found.group().startswith(".") and _ABBREVIATION.search(piece) and found.end() < end:
            continue
        yield from _trimmed(text, begins, found.end())
        begins = found.end()
    yield from _trimmed(text, begins, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if re.search(r"\w", piece):
        yield start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))
