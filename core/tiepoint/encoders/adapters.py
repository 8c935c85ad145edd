"""Low-rank adapters of a joint model: a folder of PEFT's files with a card of what they fit."""

from __future__ import annotations

import json
import warnings
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from tiepoint.cards import SavedCard, SavedFit, check_digest, readable, sha256
from tiepoint.encoders.digests import file_digest
from tiepoint.errors import FingerprintError, MissingDependencyError
from tiepoint.saving import replace_together

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


class AdapterCard(SavedCard):
    """What stands in `adapter.json`.

    Attributes:
        base: The fingerprint of the encoder that it adapts.
        weights_sha256: Of `adapter_model.safetensors`.
        config_sha256: Of `adapter_config.json`.
        data: SHA-256 of the pairs that it was trained on, as the base encoded them.
        pairs: How many.
        seed: Of the training.
        options: What the training was told.
        metrics: Its figures; `untuned` has those of the base on the validation pairs.
        date: ISO 8601 in UTC.
        tiepoint: The version that wrote it.
        versions: Of the libraries that trained it.
    """

    base: str
    weights_sha256: str
    config_sha256: str
    data: str
    pairs: int
    seed: int
    options: dict[str, Any]
    metrics: dict[str, Any] = Field(default_factory=dict)
    date: str
    tiepoint: str
    versions: dict[str, str]


SAVED = SavedFit(
    "adapter",
    AdapterCard,
    "adapter.json",
    WEIGHTS,
    "Fit one: tiepoint align fit --method lora --out DIR.",
)


class Adapter:
    """An adapter in a folder, read and checked at its first use.

    Args:
        folder: What `tiepoint align fit --method lora` wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def card(self) -> AdapterCard:
        """Its card.

        Raises:
            InputError: There is none, or it is not one.
        """
        return SAVED.read_card(self.folder)

    def digest(self, base: str) -> str:
        """Return the SHA-256 of weights and configuration, in hexadecimal.

        Args:
            base: The fingerprint of the encoder that it is put on.

        Raises:
            FingerprintError: It was trained for another encoder.
            InputError: A file is missing, truncated, or was changed.
        """
        if self.card.base != base:
            raise FingerprintError(
                f"the adapter was trained for the encoder {self.card.base!r}, not for {base!r}",
                where=str(self.folder),
                hint="Give the model that it was trained for, or train it again.",
            )
        self._check(WEIGHTS, self.card.weights_sha256)
        self._check(CONFIG, self.card.config_sha256)
        both = f"{self.card.weights_sha256} {self.card.config_sha256}"
        return sha256(both.encode())

    def merged_into(self, model: Any) -> Any:
        """Return a transformers model with the adapter added to its weights.

        Raises:
            MissingDependencyError: PEFT is not installed.
        """
        loaded = peft().PeftModel.from_pretrained(model, self.folder, torch_device="cpu")
        return loaded.merge_and_unload()

    def _check(self, name: str, stated: str) -> None:
        path = self.folder / name
        with readable(path):
            found = file_digest(path)
        check_digest(path, found, stated)


def peft() -> Any:
    """Return the module `peft`.

    Raises:
        MissingDependencyError: It is not installed.
    """
    # PEFT asks transformers for an attribute that was renamed, at every model that it wraps.
    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
    try:
        import peft as module
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "the package peft is not installed",
            where="adapter",
            hint="Install it: pip install 'tiepoint[lora]'",
        ) from error
    return module


def write_weights(folder: Path, model: Any) -> tuple[str, str]:
    """Write an adapted model's adapter into a folder, in PEFT's own layout.

    Returns:
        The SHA-256 of the weights and of the configuration.
    """
    from safetensors.torch import save

    config = model.peft_config["default"].to_dict()
    # PEFT keeps a set here, whose order would differ from run to run.
    config["target_modules"] = sorted(config["target_modules"])
    config |= {"base_model_name_or_path": None, "inference_mode": True}
    tensors = peft().get_peft_model_state_dict(model, save_embedding_layers=False)
    contents = {
        WEIGHTS: save({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}),
        CONFIG: (json.dumps(config, indent=2, sort_keys=True, default=str) + "\n").encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    replace_together({folder / name: content for name, content in contents.items()})
    weights, stated = (sha256(content) for content in contents.values())
    return weights, stated


def write_card(folder: Path, card: AdapterCard) -> None:
    """Write the card of an adapter beside its weights."""
    replace_together({folder / SAVED.card: card.model_dump_json(indent=2).encode() + b"\n"})
