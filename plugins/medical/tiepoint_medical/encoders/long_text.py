"""Texts that are longer than what an encoder reads at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.nested import encoder_of
from tiepoint.encoders.texts import clean_text
from tiepoint.errors import ConfigError
from tiepoint.types import TEXT, Modality
from tiepoint_medical.reports.sentences import sentence_spans

_WORD = re.compile("[\u3400-\u9fff]|\\w+", re.UNICODE)


class LongTextEncoder(Encoder):
    """Splits a text at its sentences, and averages the vectors of the pieces (`long-text`).

    Nothing of a report is cut off: a piece holds whole sentences up to a number of words, and
    every piece counts by its length. A text of one piece has the vector of the inner encoder.

    Args:
        encoder: The inner encoder, as in a deployment file.
        words: Most words of a piece, Chinese characters counted singly; what the inner encoder
            reads without cutting.

    Raises:
        ConfigError: The inner encoder takes no texts, or `words` is too small.
    """

    modalities = (TEXT,)
    batch_size = 64

    def __init__(self, encoder: Mapping[str, Any], words: int = 120) -> None:
        if words < 10:
            raise ConfigError(f"{words} words are too few", where="words", hint="Give 10 or more.")
        self._inner = encoder_of(encoder, "encoder")
        if TEXT not in self._inner.modalities:
            raise ConfigError("the encoder takes no texts", where="encoder", hint="Name another.")
        self._words = words

    @cached_property
    def dim(self) -> int:  # type: ignore[override]  # from the inner encoder
        """Length of the vectors."""
        return self._inner.dim

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]  # from the inner encoder
        """The inner encoder's, and how texts are split."""
        return f"long-text-1[{self._words}|{self._inner.fingerprint}]"

    def warm_up(self) -> None:
        self._inner.warm_up()

    def prepare(self, part: Any, modality: Modality | None = None) -> list[tuple[Any, int]]:
        return [
            (self._inner.prepare(piece, TEXT), _length(piece))
            for piece in pieces(clean_text(part), self._words)
        ]

    def infer(
        self, prepared: Sequence[list[tuple[Any, int]]], modality: Modality | None = None
    ) -> Vectors:
        vectors = self._inner.infer([piece for text in prepared for piece, _ in text], TEXT)
        means, row = [], 0
        for text in prepared:
            lengths = np.array([length for _, length in text], np.float32)
            means.append(lengths @ vectors[row : row + len(text)])
            row += len(text)
        mean = np.stack(means)
        norms = np.linalg.norm(mean, axis=1, keepdims=True)
        return np.asarray(mean / np.maximum(norms, 1e-12), np.float32)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "encoder": self._inner.describe()}


def pieces(text: str, words: int) -> list[str]:
    """Return a text in pieces of whole sentences; a longer sentence is split between words.

    >>> pieces("One two. Three four five. Six.", 5)
    ['One two. Three four five.', 'Six.']
    """
    made: list[str] = []
    current, count = "", 0
    for start, end in sentence_spans(text):
        for part in _parts(text[start:end], words):
            length = _length(part)
            if current and count + length > words:
                made.append(current)
                current, count = "", 0
            current = f"{current} {part}" if current else part
            count += length
    if current or not made:
        made.append(current or text)
    return made


def _parts(sentence: str, words: int) -> list[str]:
    starts = [match.start() for match in _WORD.finditer(sentence)]
    cuts = [0, *starts[words::words], len(sentence)]
    return [sentence[a:b] for a, b in pairwise(cuts)]


def _length(text: str) -> int:
    return max(1, len(_WORD.findall(text)))
