"""What every text goes through before it is tokenised, and how tokens are batched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DecodeError
from tiepoint.threads import native_threads

MAX_CHARACTERS = 100_000
"""Text after this many characters is left out before tokenising; token limits are far below."""

_ROWS_A_THREAD = 8
"""With fewer, reading the weights takes as long as computing; with more, much is padding."""

_KEPT_CONTROLS = frozenset("\t\n\r")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_text(part: Any) -> str:
    r"""Return a text in Unicode's composed form (NFC), without control characters.

    Tabs and line ends stay (tokenisers take them as white space); other control characters
    go. Text beyond `MAX_CHARACTERS` is left out.

    Raises:
        DecodeError: Not a string, half of a surrogate pair in it, or nothing but white space
            and control characters.

    >>> clean_text("cafe\u0301\x00") == "caf\u00e9"
    True
    """
    if not isinstance(part, str):
        raise DecodeError(
            f"a text part must be a string, not {type(part).__name__}", hint="Give a string."
        )
    text = part[:MAX_CHARACTERS]
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        if _SURROGATE.search(text):
            raise DecodeError(
                "the text is not Unicode: it has half of a surrogate pair", hint="Give it as UTF-8."
            )
        text = "".join(c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) != "Cc")
    if not text or text.isspace():
        raise DecodeError("the text is empty", hint="Leave the part out where there is no text.")
    return text


def rows_together(count: int) -> int:
    """Return how many texts of so many a thread best computes at a time: 8, and all alike."""
    rounds = -(-count // (_ROWS_A_THREAD * native_threads()))
    return max(1, -(-count // max(1, rounds * native_threads())))


def length_sorted_batches(
    lengths: Sequence[int], tokens: int, multiple: int = 1, few: int = 1
) -> Iterator[NDArray[np.intp]]:
    """Yield the positions of sequences in batches of about equal length, longest first.

    Args:
        lengths: Tokens of every sequence.
        tokens: Most tokens of a batch, padding included; a longer sequence is its own batch.
        multiple: What padded lengths are multiples of.
        few: A batch of fewer sequences is filled up with shorter ones, which are padded then.

    >>> [batch.tolist() for batch in length_sorted_batches([2, 9, 3, 8], tokens=18, few=2)]
    [[1, 3], [2, 0]]
    """
    taken = -(-np.maximum(lengths, 1) // multiple) * multiple
    order = np.argsort(-taken, kind="stable")
    taken = taken[order]
    start = 0
    while start < len(order):
        shorter = int(np.searchsorted(-taken, -taken[start], side="right"))
        most = max(1, tokens // int(taken[start]))
        stop = min(start + most, max(shorter, start + few))
        yield order[start:stop]
        start = stop


def padded(
    sequences: Sequence[NDArray[np.int64]], value: int, multiple: int = 1
) -> NDArray[np.int64]:
    """Return sequences as one (n, longest) int64 array, padded on the right.

    Args:
        sequences: n arrays of token ids.
        value: What stands in padded places.
        multiple: The length is rounded up to a multiple of it, so that a compiled network
            meets fewer different shapes.
    """
    longest = max(len(sequence) for sequence in sequences)
    batch = np.full((len(sequences), -(-longest // multiple) * multiple), value, np.int64)
    for row, sequence in zip(batch, sequences, strict=True):
        row[: len(sequence)] = sequence
    return batch
