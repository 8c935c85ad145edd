"""A transformers text model with its pooling, as one torch network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tiepoint.encoders.pooling import POOLINGS, PoolingName
from tiepoint.encoders.sources import ModelFiles, loading_errors


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

    with loading_errors(files, "model"):
        model = AutoModel.from_pretrained(
            files.folder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    # An export reads every attribute, and transformers warns of models that were given no loss.
    model.loss_function = None
    # Of a model with encoder and decoder (T5 and its kin) the encoder embeds.
    pair = bool(getattr(model.config, "is_encoder_decoder", False))
    return TextNetwork(model.encoder if pair else model, pooling)
