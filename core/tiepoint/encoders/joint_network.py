"""The two towers of a joint image-text model, as torch networks of their own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tiepoint.encoders.sources import ModelFiles, loading_errors


class ImageTower(nn.Module):
    """Preprocessed pictures to unit vectors."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        pixel_values: Tensor,
        pixel_attention_mask: Tensor | None = None,
        spatial_shapes: Tensor | None = None,
    ) -> Tensor:
        """Return (n, dim) float32; the last two inputs are SigLIP 2's for free aspect ratios."""
        if spatial_shapes is None:
            features = self.model.get_image_features(pixel_values=pixel_values)
        else:
            features = self.model.get_image_features(
                pixel_values=pixel_values,
                pixel_attention_mask=pixel_attention_mask,
                spatial_shapes=spatial_shapes,
            )
        return functional.normalize(features.pooler_output, dim=-1)


class TextTower(nn.Module):
    """Token ids to unit vectors."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return (n, dim) float32 for (n, length) int64 ids and mask."""
        features = self.model.get_text_features(input_ids=input_ids, attention_mask=attention_mask)
        return functional.normalize(features.pooler_output, dim=-1)


def load_joint_model(files: ModelFiles) -> Any:
    """Load a joint model's weights in float32, from safetensors only.

    Raises:
        ConfigError: transformers cannot load the folder.
    """
    from transformers import AutoModel

    with loading_errors(files, "model"):
        return AutoModel.from_pretrained(
            files.folder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        ).eval()
