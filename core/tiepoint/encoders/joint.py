"""Joint image-text models through transformers: CLIP, SigLIP, SigLIP 2, Chinese-CLIP."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tiepoint.encoders.adapters import Adapter
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
        adapter: The folder of an adapter that was trained for this model; its weights are
            merged into the model's, so that it costs nothing.

    Raises:
        ConfigError: The model cannot be found, or is of another kind.
        FingerprintError: At first use: the adapter was trained for another model.
        InputError: At first use: no adapter there, or a damaged one.
    """

    modalities = (IMAGE, TEXT)

    def __init__(self, model: str, *, device: str = "auto", adapter: Path | None = None) -> None:
        self._files = ModelFiles(model)
        self._device = device
        self._adapter = Adapter(Path(adapter)) if adapter is not None else None
        self._tokenising = threading.Lock()

    @cached_property
    def dim(self) -> int:  # type: ignore[override]  # a cached property can be set
        """Length of the joint vectors."""
        config = self._config
        if self.kind in _FULL_LENGTH_TYPES:
            return int(config.vision_config.hidden_size)
        return int(config.projection_dim)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]  # a cached property can be set
        """Names the files by SHA-256, and the adapter's; one for both modalities."""
        base = f"joint/{self.kind}/{self._files.digest[:32]}/nfc/{self.dim}"
        if self._adapter is None:
            return base
        return f"{base}/lora-{self._adapter.digest(base)[:32]}"

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
                padding="max_length" if self.kind in _FULL_LENGTH_TYPES else False,
            )
        return {name: np.array(given[name], np.int64) for name in _TEXT_INPUTS if name in given}

    def infer(self, prepared: Sequence[Inputs], modality: Modality | None = None) -> Vectors:
        if not len(prepared):
            return np.empty((0, self.dim), np.float32)
        inputs = self.batch(prepared, modality)
        return self._image_runner(inputs) if self._is_image(modality) else self._text_runner(inputs)

    def batch(self, prepared: Sequence[Inputs], modality: Modality | None = None) -> Inputs:
        """Return the inputs of a tower for prepared parts, by name, with the batch axis."""
        return _stacked(prepared) if self._is_image(modality) else self._padded_texts(prepared)

    def network(self) -> Any:
        """Load and return the transformers model in float32, with the adapter merged into it.

        Raises:
            ConfigError: transformers cannot load the folder.
        """
        from tiepoint.encoders.joint_network import load_joint_model

        model = load_joint_model(self._files)
        return model if self._adapter is None else self._adapter.merged_into(model).eval()

    def adapted(self, folder: Path) -> JointEncoder:
        """Return the encoder of the same model with the adapter in a folder."""
        return type(self)(self._files.model, device=self._device, adapter=folder)

    @property
    def device(self) -> str:
        """The torch device that `network` can be trained on, such as `cpu` or `cuda`."""
        return choose_device(self._device).removeprefix("torch:")

    @property
    def adapter(self) -> Adapter | None:
        """The adapter that is merged into the model, or None."""
        return self._adapter

    def describe(self) -> dict[str, Any]:
        described = {**super().describe(), "model": self._files.model, "kind": self.kind}
        return (
            described
            if self._adapter is None
            else {**described, "adapter": str(self._adapter.folder)}
        )

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
    def kind(self) -> str:
        """The kind of model, such as `clip` or `siglip`.

        Raises:
            ConfigError: It is no joint model that can be used.
        """
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
        axes = {0: "batch"} if self.kind in _FULL_LENGTH_TYPES else {0: "batch", 1: "length"}
        return self._compile("text", example, dict.fromkeys(example, axes), self._device)

    def _compile(
        self, tower: str, example: Inputs, dynamic: dict[str, dict[int, str]], device: str
    ) -> Runner:
        def build() -> nn.Module:
            from tiepoint.encoders.joint_network import ImageTower, TextTower

            model = self.network()
            return ImageTower(model) if tower == "image" else TextTower(model)

        key = self._files.digest
        if self._adapter is not None:
            key += f"/{self.fingerprint.rpartition('/')[2]}"
        return compile_model(f"joint/{key}/{tower}", build, example, dynamic, device)


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
