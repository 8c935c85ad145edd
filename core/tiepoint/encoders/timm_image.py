"""Pictures through timm: any of its networks, or several whose features are concatenated."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Classifier, Encoder, Vectors
from tiepoint.encoders.images import read_image, resize_image
from tiepoint.encoders.runtimes import Runner, compile_model
from tiepoint.encoders.timm_classifier import load_classifier
from tiepoint.encoders.timm_network import LITE0, LITE2, Network, exported_module, find_network
from tiepoint.errors import ConfigError
from tiepoint.types import IMAGE, Modality

PREPROCESSING = "squash-1"
"""Names how pictures are decoded and resized; raised when that changes a vector."""

PRESETS = {"fast": ((LITE0,), False), "accurate": ((LITE0, LITE2), True)}

Prepared: TypeAlias = tuple[NDArray[np.uint8], ...]


class TimmEncoder(Encoder):
    """Pictures to unit vectors with timm networks (entry point `timm`).

    The whole picture is squashed to the network's size, its pooled features are averaged with
    those of the mirror image if asked, and normalised. Several networks weigh equally.

    Args:
        preset: `fast` (EfficientNet-Lite0 at 224 pixels, 1280 dimensions) or `accurate` (with
            Lite2 at 260 pixels and mirror images, 2560 dimensions, about a sixth of the
            speed). `fast` if neither this nor weights are given.
        model: timm's name of another network, such as `vit_small_patch16_224`.
        weights: `package:efficientnet-lite0`, `package:efficientnet-lite2`, a `.safetensors`
            or `.pth` file, a folder in the form of timm's hub repositories, or
            `hub:timm/<name>`, which is downloaded at first use.
        size: Height and width in pixels; the network's own if not given.
        flip: Average with the mirror image; the preset's choice if not given.
        device: See `tiepoint.encoders.runtimes.compile_model`.

    Raises:
        ConfigError: An unknown preset, or options that contradict each other.
    """

    modalities = (IMAGE,)

    def __init__(
        self,
        preset: Literal["fast", "accurate"] | None = None,
        model: str | None = None,
        weights: str | None = None,
        size: int | None = None,
        flip: bool | None = None,
        device: str = "auto",
    ) -> None:
        if preset is None and weights is None:
            if model is not None:
                raise ConfigError(
                    f"the model {model!r} needs weights",
                    where="weights",
                    hint=f"Give a file, or `hub:timm/{model}` to download them.",
                )
            preset = "fast"
        if preset is not None:
            if preset not in PRESETS:
                raise ConfigError(
                    f"there is no preset {preset!r}",
                    where="preset",
                    hint=f"Presets are {', '.join(PRESETS)}.",
                )
            if model or weights or size:
                raise ConfigError(
                    "a preset already says model, weights and size",
                    where="preset",
                    hint="Give either a preset, or a model with its weights.",
                )
            self._given: tuple[Network, ...] | None = PRESETS[preset][0]
            flip = PRESETS[preset][1] if flip is None else flip
        else:
            self._given = None
        self._model, self._weights, self._size = model, weights or "", size
        self._flip = bool(flip)
        self._device = device
        self.runners: tuple[Runner, ...] = ()
        self._lock = threading.Lock()

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """The networks; finding one that is in no package of ours reads its weights once."""
        return self._given or (find_network(self._model, self._weights, self._size),)

    @cached_property
    def dim(self) -> int:  # type: ignore[override]
        """Length of the vectors."""
        return sum(network.dim for network in self.networks)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Networks, weights, sizes, and how pictures are prepared."""
        names = "+".join(network.identity for network in self.networks)
        return f"timm:{names}:{PREPROCESSING}{':flip' if self._flip else ''}:{self.dim}"

    def warm_up(self) -> None:
        with self._lock:
            if not self.runners:
                self.runners = tuple(self._compile(network) for network in self.networks)

    def _compile(self, network: Network) -> Runner:
        noise = np.random.default_rng(0)
        shape = (2, network.size, network.size, 3)
        return compile_model(
            f"{network.identity}{':flip' if self._flip else ''}",
            partial(exported_module, network, self._flip),
            {"image": noise.integers(0, 256, shape, np.uint8)},
            {"image": {0: "batch"}},
            self._device,
        )

    def prepare(self, part: Any, modality: Modality | None = None) -> Prepared:
        sizes = [network.size for network in self.networks]
        # A JPEG decoded at a fraction of its size, but at twice what is asked, resizes to
        # nearly the same pixels in a fraction of the time.
        pixels = read_image(part, least=2 * max(sizes))
        return tuple(
            resize_image(pixels, (network.size, network.size), network.interpolation)
            for network in self.networks
        )

    def infer(self, prepared: Sequence[Prepared], modality: Modality | None = None) -> Vectors:
        if not len(prepared):
            return np.empty((0, self.dim), np.float32)
        self.warm_up()
        features = [
            runner({"image": np.stack([pictures[i] for pictures in prepared])})
            for i, runner in enumerate(self.runners)
        ]
        if len(features) == 1:
            return features[0]
        return np.concatenate(features, axis=1) / np.float32(np.sqrt(len(features)))

    def classifier(self) -> Classifier | None:
        return load_classifier(self.networks)

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            "model": "+".join(network.model for network in self.networks),
            "weights": "+".join(network.weights for network in self.networks),
            "runtime": self.runners[0].name if self.runners else "not loaded",
        }
