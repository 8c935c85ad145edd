"""USE-multilingual's word pieces by the sentencepiece library."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_UNKNOWN, _START, _END = 0, 1, 2


class UseTokenizer:
    """Texts to the token ids that the package's own tokeniser gives, eight times faster.

    Args:
        vocabulary: The package's `sp.model`.
    """

    def __init__(self, vocabulary: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        self._pieces = SentencePieceProcessor(model_file=str(vocabulary))

    def encode(self, text: str, max_length: int) -> NDArray[np.int64]:
        """Return (length,) int64 ids, start and end included. Thread-safe.

        Args:
            text: Any text.
            max_length: Most ids; a longer text loses its last ones.
        """
        ids: list[int] = self._pieces.encode(text)
        if _UNKNOWN in ids:
            ids = self._one_unknown_a_character(text, ids)
        return np.array([_START, *(ids or [_UNKNOWN])[: max_length - 2], _END], np.int64)

    def _one_unknown_a_character(self, text: str, ids: list[int]) -> list[int]:
        """Undo the merging of neighbouring unknown characters, which the model was not fed."""
        surfaces: list[str] = self._pieces.encode(text, out_type=str)
        return list(
            chain.from_iterable(
                [_UNKNOWN] * len(surface) if id == _UNKNOWN else [id]
                for id, surface in zip(ids, surfaces, strict=True)
            )
        )
