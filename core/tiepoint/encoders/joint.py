"""Joint image-text models through transformers: CLIP, SigLIP, SigLIP 2, Chinese-CLIP."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.images import read_image
from tiepoint.encoders.runtimes import Runner, compile_model
from tiepoint.encoders.runtimes.devices import choose_device
from tiepoint.encoders.sources import ModelFiles, loading_errors
from tiepoint.encoders.texts import clean_text, padded
from tiepoint.errors import ConfigError, SchemaError
from tiepoint.types import IMAGE, TEXT, Modality

if TYPE_CHECKING:
    from torch import nn

Inputs = dict[str, NDArray[Any]]
"""One picture's or text's inputs of its tower, by name, without the batch axis."""

_MODEL_TYPES = ("clip", "siglip", "siglip2", "chinese_clip")
# These were trained on texts padded to the full length, without a mask.
_FULL_LENGTH_TYPES = ("siglip", "siglip2")
_IMAGE_INPUTS = ("pixel_values", "pixel_attention_mask", "spatial_shapes")
_TEXT_INPUTS = ("input_ids", "attention_mask")


class JointEncoder(Encoder):
    """Pictures and texts into one space, by one model and its own preprocessing.

    Vectors are the model's projections at unit length: their cosine is the model's own logit
    without its scale and bias. Pictures are read upright in sRGB, then go through the model's
    image processor. Texts are brought to Unicode NFC without control characters, and cut on
    the right at the model's text length.

    Args:
        model: A local folder, or a hub id such as `google/siglip2-base-patch16-224`.
        device: `auto`, `cpu`, `cuda`, `mps`, ...

    Raises:
        ConfigError: The model cannot be found, or is of another kind.
    """

    modalities = (IMAGE, TEXT)

    def __init__(self, model: str, *, device: str = "auto") -> None:
        self._files = ModelFiles(model)
        self._device = device
        self._tokenising = threading.Lock()

    @cached_property
    def dim(self) -> int:  # type: ignore[override]  # a cached property can be set
        """Length of the joint vectors."""
        config = self._config
        if self._kind in _FULL_LENGTH_TYPES:
            return int(config.vision_config.hidden_size)
        return int(config.projection_dim)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]  # a cached property can be set
        """Names the files by SHA-256; one for both modalities."""
        return f"joint/{self._kind}/{self._files.digest[:32]}/nfc/{self.dim}"

    def warm_up(self) -> None:
        self.encode([np.zeros((64, 64, 3), np.uint8)], IMAGE)
        self.encode(["warm-up"], TEXT)

    def prepare(self, part: Any, modality: Modality | None = None) -> Inputs:
        if self._is_image(modality):
            picture = Image.fromarray(read_image(part))
            given = self._image_processor(images=picture, return_tensors="np")
            return {name: np.asarray(given[name][0]) for name in _IMAGE_INPUTS if name in given}
        text = clean_text(part)
        # A fast tokeniser holds its padding and truncation as state.
        with self._tokenising:
            given = self._tokenizer(
                text,
                max_length=self._text_length,
                truncation=True,
                padding="max_length" if self._kind in _FULL_LENGTH_TYPES else False,
            )
        return {name: np.array(given[name], np.int64) for name in _TEXT_INPUTS if name in given}

    def infer(self, prepared: Sequence[Inputs], modality: Modality | None = None) -> Vectors:
        if not len(prepared):
            return np.empty((0, self.dim), np.float32)
        if self._is_image(modality):
            return self._image_runner(_stacked(prepared))
        return self._text_runner(self._padded_texts(prepared))

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "model": self._files.model, "kind": self._kind}

    def _is_image(self, modality: Modality | None) -> bool:
        if modality not in (None, *self.modalities):
            raise SchemaError(
                f"a joint encoder takes image and text, not {modality!r}",
                hint="Name one of its modalities.",
            )
        return modality != TEXT

    def _padded_texts(self, prepared: Sequence[Inputs]) -> Inputs:
        values = {"input_ids": self._padding_id, "attention_mask": 0}
        return {
            name: padded([inputs[name] for inputs in prepared], values[name])
            for name in prepared[0]
        }

    @cached_property
    def _kind(self) -> str:
        kind = str(self._files.config["model_type"])
        if kind not in _MODEL_TYPES:
            raise ConfigError(
                f"a model of the type {kind!r} is no joint model that can be used",
                where=str(self._files.folder),
                hint=f"Known are: {', '.join(_MODEL_TYPES)}.",
            )
        return kind

    @cached_property
    def _config(self) -> Any:
        return self._files.full_config

    @cached_property
    def _text_length(self) -> int:
        return int(self._config.text_config.max_position_embeddings)

    @cached_property
    def _padding_id(self) -> int:
        return int(self._tokenizer.pad_token_id or 0)

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        with loading_errors(self._files, "tokeniser"):
            return AutoTokenizer.from_pretrained(
                self._files.folder, local_files_only=True, trust_remote_code=False
            )

    @cached_property
    def _image_processor(self) -> Any:
        from transformers import AutoImageProcessor

        with loading_errors(self._files, "image processor"):
            return AutoImageProcessor.from_pretrained(
                self._files.folder, local_files_only=True, trust_remote_code=False
            )

    @cached_property
    def _image_runner(self) -> Runner:
        prepared = [self.prepare(picture, IMAGE) for picture in _example_pictures()]
        example = _stacked(prepared)
        device = choose_device(self._device)
        if "spatial_shapes" in example and device == "cpu":
            # Its position embeddings are resized in a Python loop over the pictures' shapes,
            # which an export would freeze at those of the example.
            device = "torch:cpu"
        return self._compile("image", example, {name: {0: "batch"} for name in example}, device)

    @cached_property
    def _text_runner(self) -> Runner:
        texts = ("a photo of a dog", "two")
        example = self._padded_texts([self.prepare(text, TEXT) for text in texts])
        axes = {0: "batch"} if self._kind in _FULL_LENGTH_TYPES else {0: "batch", 1: "length"}
        return self._compile("text", example, dict.fromkeys(example, axes), self._device)

    def _compile(
        self, tower: str, example: Inputs, dynamic: dict[str, dict[int, str]], device: str
    ) -> Runner:
        def build() -> nn.Module:
            from tiepoint.encoders.joint_network import ImageTower, TextTower, load_joint_model

            model = load_joint_model(self._files)
            return ImageTower(model) if tower == "image" else TextTower(model)

        return compile_model(f"joint/{self._files.digest}/{tower}", build, example, dynamic, device)


def _stacked(prepared: Sequence[Inputs]) -> Inputs:
    return {name: np.stack([inputs[name] for inputs in prepared]) for name in prepared[0]}


def _example_pictures() -> list[NDArray[np.uint8]]:
    """Return a gradient and its mirror image: pictures that a comparison can tell apart."""
    row = np.linspace(0, 255, 96, dtype=np.uint8)
    picture = np.stack(
        [np.tile(row, (64, 1)), np.tile(row[:64, None], (1, 96)), np.full((64, 96), 90)]
    )
    gradient = np.ascontiguousarray(picture.transpose(1, 2, 0), dtype=np.uint8)
    return [gradient, np.ascontiguousarray(gradient[:, ::-1])]
