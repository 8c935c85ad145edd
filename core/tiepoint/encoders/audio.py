"""Audio through transformers models: wav2vec 2.0, HuBERT, WavLM, Whisper's encoder."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.audio_files import read_audio
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.runtimes import Runner, compile_model
from tiepoint.encoders.sources import ModelFiles, loading_errors
from tiepoint.errors import ConfigError, DecodeError
from tiepoint.types import AUDIO, Modality

if TYPE_CHECKING:
    from torch import nn

WINDOW_S = 30.0
"""Longer audio is cut into windows of equal length of at most this; their states are averaged."""

_MIN_DURATION_S = 0.05
_WAVEFORM_TYPES = ("wav2vec2", "hubert", "wavlm")
_MAX_BATCH = 8


@dataclass(frozen=True)
class Window:
    """A stretch of audio, ready for the model.

    Attributes:
        inputs: The network's inputs by name, without the batch axis.
        weight: Its share of the whole audio's mean, in samples.
    """

    inputs: dict[str, NDArray[Any]]
    weight: int


class TransformersAudioEncoder(Encoder):
    """Sounds through a transformers audio model, averaged over the frames that are audio.

    Files are mixed to mono and resampled to the model's rate; samples given as an array must
    have that rate already (`rate_hz`). No padding takes part in the mean.

    Args:
        model: A local folder, or a hub id.
        device: `auto`, `cpu`, `cuda`, `mps`, ...

    Raises:
        ConfigError: The model cannot be found, or is of another kind.
    """

    modalities = (AUDIO,)

    def __init__(self, model: str, *, device: str = "auto") -> None:
        self._files = ModelFiles(model)
        self._device = device

    @cached_property
    def dim(self) -> int:  # type: ignore[override]  # a cached property can be set
        """Length of the vectors: the model's hidden size."""
        return int(self._files.full_config.hidden_size)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]  # a cached property can be set
        """Names the files by SHA-256, the windows, and the pooling."""
        return (
            f"transformers-audio/{self._kind}/{self._files.digest[:32]}/"
            f"mean/{WINDOW_S:g}s/{self.dim}"
        )

    @cached_property
    def rate_hz(self) -> int:
        """Samples per second that the model takes."""
        return int(self._extractor.sampling_rate)

    def warm_up(self) -> None:
        self.encode([np.zeros(self.rate_hz, np.float32)])

    def prepare(self, part: Any, modality: Modality | None = None) -> list[Window]:
        samples = read_audio(part, self.rate_hz)
        if len(samples) < _MIN_DURATION_S * self.rate_hz:
            raise DecodeError(
                f"the audio is shorter than {_MIN_DURATION_S} s", hint="Give a longer one."
            )
        windows = math.ceil(len(samples) / (WINDOW_S * self.rate_hz))
        return [self._window(window) for window in np.array_split(samples, windows)]

    def infer(self, prepared: Sequence[list[Window]], modality: Modality | None = None) -> Vectors:
        sums = np.zeros((len(prepared), self.dim), np.float32)
        by_shape: dict[tuple[int, ...], list[tuple[int, Window]]] = defaultdict(list)
        for row, windows in enumerate(prepared):
            for window in windows:
                by_shape[next(iter(window.inputs.values())).shape].append((row, window))
        for group in by_shape.values():
            names = group[0][1].inputs
            means = self._runner(
                {name: np.stack([window.inputs[name] for _, window in group]) for name in names}
            )
            weights = np.array([[window.weight] for _, window in group], np.float32)
            np.add.at(sums, [row for row, _ in group], means * weights)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        unit: Vectors = sums / np.maximum(norms, np.finfo(np.float32).tiny)
        return unit

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "model": self._files.model, "rate_hz": self.rate_hz}

    @cached_property
    def _kind(self) -> str:
        kind = str(self._files.config["model_type"])
        if kind not in (*_WAVEFORM_TYPES, "whisper"):
            raise ConfigError(
                f"a model of the type {kind!r} is no audio model that can be used",
                where=str(self._files.folder),
                hint=f"Known are: {', '.join(_WAVEFORM_TYPES)}, whisper.",
            )
        return kind

    @cached_property
    def _extractor(self) -> Any:
        from transformers import AutoFeatureExtractor

        with loading_errors(self._files, "feature extractor"):
            return AutoFeatureExtractor.from_pretrained(
                self._files.folder, local_files_only=True, trust_remote_code=False
            )

    def _window(self, samples: NDArray[np.float32]) -> Window:
        """Let the model's feature extractor prepare one stretch of audio."""
        features = self._extractor(samples, sampling_rate=self.rate_hz, return_tensors="np")
        if self._kind != "whisper":
            return Window({"samples": features["input_values"][0]}, len(samples))
        # The encoder halves the number of the spectrogram's frames.
        frames = math.ceil(len(samples) / (2 * self._extractor.hop_length))
        return Window(
            {"mel": features["input_features"][0], "frames": np.array([frames], np.int64)},
            len(samples),
        )

    @cached_property
    def _runner(self) -> Runner:
        noise = np.random.default_rng(0).standard_normal((2, self.rate_hz)).astype(np.float32)
        windows = [self._window(samples / 10) for samples in noise]
        example = {
            name: np.stack([window.inputs[name] for window in windows])
            for name in windows[0].inputs
        }
        axes = {0: "batch"} if self._kind == "whisper" else {0: "batch", 1: "length"}

        def build() -> nn.Module:
            from tiepoint.encoders.audio_network import load_audio_network

            return load_audio_network(self._files, self._kind)

        return compile_model(
            f"audio/{self._files.digest}",
            build,
            example,
            dict.fromkeys(example, axes),
            self._device,
            max_batch=_MAX_BATCH,
        )
