"""A transformers text model with its pooling, as one torch network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tiepoint.encoders.pooling import POOLINGS, PoolingName
from tiepoint.encoders.sources import ModelFiles
from tiepoint.errors import ConfigError


class TextNetwork(nn.Module):
    """Tokens in, unit vectors out.

    Args:
        model: A transformers model with `last_hidden_state`.
        pooling: How its states become one vector.
    """

    def __init__(self, model: nn.Module, pooling: PoolingName) -> None:
        super().__init__()
        self.model = model
        self.pool = POOLINGS[pooling]
        self.options: dict[str, Any] = (
            {"use_cache": False} if getattr(model.config, "use_cache", None) is not None else {}
        )

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return (n, width) float32 unit vectors for (n, length) int64 tokens and mask."""
        states = self.model(input_ids=ids, attention_mask=mask, **self.options).last_hidden_state
        return functional.normalize(self.pool(states, mask), dim=-1)


def load_text_network(files: ModelFiles, pooling: PoolingName) -> TextNetwork:
    """Load a model's weights in float32, from safetensors only.

    Raises:
        ConfigError: transformers cannot load the folder.
    """
    from transformers import AutoModel

    files.verify()
    try:
        model = AutoModel.from_pretrained(
            files.folder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ConfigError(
            f"transformers cannot load the model: {error}",
            where=str(files.folder),
            hint="Check the folder against what `save_pretrained` writes.",
        ) from error
    return TextNetwork(getattr(model, "encoder", model) if _is_pair(model) else model, pooling)


def _is_pair(model: nn.Module) -> bool:
    """Return whether the model has a decoder after its encoder (T5 and its kin)."""
    return bool(getattr(model.config, "is_encoder_decoder", False))
