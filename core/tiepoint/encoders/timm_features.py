"""The module that is exported of a timm network: pixels in, unit features out."""

from __future__ import annotations

from typing import Any

import torch


class Features(torch.nn.Module):
    """Pictures (n, h, w, 3) uint8 to pooled unit features (n, dim).

    Args:
        model: A timm network in evaluation mode.
        mean: Of the channels, on a scale of 0 to 1.
        std: Of the channels.
        flip: Average the features of each picture with those of its mirror image.
    """

    def __init__(
        self,
        model: Any,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        flip: bool,
    ) -> None:
        super().__init__()
        self.model = model
        self.flip = flip
        self.mean = torch.nn.Buffer(torch.tensor(mean).view(1, 3, 1, 1) * 255)
        self.std = torch.nn.Buffer(torch.tensor(std).view(1, 3, 1, 1) * 255)
        self.eval()

    def scaled(self, image: torch.Tensor) -> torch.Tensor:
        """Return (n, 3, h, w) float32 channels as the network expects them."""
        return (image.permute(0, 3, 1, 2).float() - self.mean) / self.std

    def pooled(self, scaled: torch.Tensor) -> torch.Tensor:
        """Return (n, dim) features before normalisation."""
        features = self.model.forward_features(scaled)
        pooled: torch.Tensor = self.model.forward_head(features, pre_logits=True)
        return pooled

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        scaled = self.scaled(image)
        if self.flip:
            both = self.pooled(torch.cat([scaled, scaled.flip(3)]))
            pooled = both.view(2, -1, both.shape[1]).mean(0)
        else:
            pooled = self.pooled(scaled)
        return torch.nn.functional.normalize(pooled, dim=1)
