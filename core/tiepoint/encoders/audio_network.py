"""Transformers audio models with mean pooling, as torch networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tiepoint.encoders.pooling import mean_pooling
from tiepoint.encoders.sources import ModelFiles, loading_errors


class WaveformNetwork(nn.Module):
    """wav2vec 2.0 and its kin: samples to the mean of all frames' states."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, samples: Tensor) -> Tensor:
        """Return (n, width) float32 means for (n, length) float32 samples without padding."""
        states: Tensor = self.model(samples).last_hidden_state
        return states.mean(dim=1)


class SpectrogramNetwork(nn.Module):
    """Whisper's encoder: log-mel spectrograms of a fixed length to the mean of valid states."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, mel: Tensor, frames: Tensor) -> Tensor:
        """Return (n, width) float32 means over the first `frames` states.

        Args:
            mel: (n, bands, length) float32, padded with silence.
            frames: (n, 1) int64, how many of the encoder's states are of the audio.
        """
        states = self.encoder(mel).last_hidden_state
        place = torch.arange(states.shape[1], device=states.device).unsqueeze(0)
        return mean_pooling(states, place < frames)


def load_audio_network(files: ModelFiles, kind: str) -> nn.Module:
    """Load an audio model's weights in float32, from safetensors only.

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
        ).eval()
    return SpectrogramNetwork(model.encoder) if kind == "whisper" else WaveformNetwork(model)
