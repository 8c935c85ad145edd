"""A joint model while its low-rank changes are trained, and its validation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from tiepoint.alignment.pairs import PairSet, Rows
from tiepoint.alignment.trainer import Towers
from tiepoint.encoders.adapters import peft
from tiepoint.encoders.augmentation import Augmentation
from tiepoint.encoders.base import Vectors
from tiepoint.encoders.images import read_image
from tiepoint.encoders.joint import JointEncoder
from tiepoint.encoders.joint_network import ImageTower, TextTower
from tiepoint.evaluation.retrieval import evaluate
from tiepoint.threads import native_threads, preparation_threads
from tiepoint.types import IMAGE, TEXT, Modality

if TYPE_CHECKING:
    from tiepoint.alignment.lora import LoraOptions

_VALIDATION_BATCH = 64


class LoraTowers(Towers):
    """The two towers of a joint model, of which only the low-rank changes are trained.

    Args:
        encoder: Brings the model and its preprocessing.
        pairs: Their names are the images' paths and the texts.
        root: The folder that the paths are relative to.
        options: Of the aligner.
        loss: `infonce`, `sigmoid` or `hinge`.
        seed: Of the initial changes.

    Attributes:
        network: The model, wrapped by PEFT.
    """

    def __init__(
        self,
        encoder: JointEncoder,
        pairs: PairSet,
        root: Path,
        options: LoraOptions,
        loss: str,
        seed: int,
    ) -> None:
        torch.set_num_threads(native_threads())
        model = encoder.network()
        temperature = math.exp(-model.logit_scale.item())
        bias = getattr(model, "logit_bias", None)
        super().__init__(loss, temperature, 0.0 if bias is None else bias.item())
        torch.manual_seed(seed)
        config = peft().LoraConfig(
            r=options.rank,
            lora_alpha=options.alpha,
            lora_dropout=options.dropout,
            target_modules=linear_layers(model),
        )
        self.network: nn.Module = peft().get_peft_model(model, config)
        # In a tuple they are no submodules: the model's parameters have one name each.
        self._towers = (ImageTower(self.network), TextTower(self.network))
        self._encoder = encoder
        self._augment = options.augment
        self._paths = [root / name for name in pairs.names[IMAGE]]
        self._texts = self.prepared_texts(pairs.names[TEXT])
        self.to(encoder.device)

    def forward(self, links: Rows) -> tuple[Tensor, Tensor]:
        # Torch's generator is seeded by epoch, and so are the changes of the images.
        seeds = torch.randint(2**31, (len(links),)).tolist() if self._augment is not None else []
        paths = [self._paths[row] for row in links[:, 0]]
        texts = [self._texts[row] for row in links[:, 1]]
        return self.images(paths, seeds), self.texts(texts)

    def images(self, paths: Sequence[Path], seeds: Sequence[int] = ()) -> Tensor:
        """Return (n, d) unit vectors of images; with seeds, of changed versions of them."""
        if seeds and self._augment is not None:
            work = [(path, self._augment, seed) for path, seed in zip(paths, seeds, strict=True)]
            prepared = list(preparation_threads().map(self._changed, work))
        else:
            prepared = list(preparation_threads().map(self._encoder.prepare, paths))
        return self._infer(self._encoder.batch(prepared, IMAGE), IMAGE)

    def texts(self, prepared: Sequence[dict[str, Any]]) -> Tensor:
        """Return (n, d) unit vectors of prepared texts."""
        return self._infer(self._encoder.batch(prepared, TEXT), TEXT)

    def prepared_texts(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return texts as `texts` takes them."""
        return [self._encoder.prepare(text, TEXT) for text in texts]

    def _changed(self, work: tuple[Path, Augmentation, int]) -> Any:
        path, augment, seed = work
        pixels = augment(read_image(path), np.random.default_rng(seed))
        return self._encoder.prepare(pixels, IMAGE)

    def _infer(self, inputs: Mapping[str, Any], modality: Modality) -> Tensor:
        device = self.log_scale.device
        given = {name: torch.from_numpy(array).to(device) for name, array in inputs.items()}
        made: Tensor = self._towers[modality == TEXT](**given)
        return made


def linear_layers(model: nn.Module) -> list[str]:
    """Return the names of the layers that get a change: all linear ones of both towers.

    The output layer inside torch's own multi-head attention is none of them: it is never
    called, only its weight is read.
    """
    return [name for name, module in model.named_modules() if type(module) is nn.Linear]


def validation(model: LoraTowers, val: PairSet, root: Path) -> Callable[[], Mapping[str, float]]:
    """Return what computes the protocol's figures of a model on held-out pairs, as it is.

    A gallery holds the texts of one language, and `rsum` is the mean over languages.
    """
    galleries = [_gallery(model, part, root) for part in val.galleries()]

    def figures() -> Mapping[str, float]:
        sums = [
            evaluate(_in_batches(model.images, paths), _in_batches(model.texts, texts), links).rsum
            for links, paths, texts in galleries
        ]
        return {"rsum": float(np.mean(sums))}

    return figures


def _gallery(
    model: LoraTowers, pairs: PairSet, root: Path
) -> tuple[Rows, list[Path], list[dict[str, Any]]]:
    paths = [root / name for name in pairs.names[IMAGE]]
    return pairs.links, paths, model.prepared_texts(pairs.names[TEXT])


def _in_batches(infer: Callable[[Any], Tensor], parts: Sequence[Any]) -> Vectors:
    made = [
        infer(parts[start : start + _VALIDATION_BATCH]).float().cpu().numpy()
        for start in range(0, len(parts), _VALIDATION_BATCH)
    ]
    return np.concatenate(made)
