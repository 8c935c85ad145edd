"""The ImageNet classifier that timm networks were trained with, over their unit vectors."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.encoders.base import Classifier
from tiepoint.encoders.images import read_image, resize_image
from tiepoint.encoders.runtimes.stored import StoredModel
from tiepoint.encoders.timm_network import Network, create_model, exported_module
from tiepoint.errors import MissingDependencyError

_SYNONYMS = 2
_PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")


def load_classifier(networks: Sequence[Network]) -> Classifier | None:
    """Return the mean of the networks' classifiers, over their concatenated unit features.

    A head is linear in the pooled features, whose norm is lost in a unit vector; the usual
    norm stands for it: `Network.feature_norm`, or the median over some photographs that ship
    with scikit-image. Made once and kept in the cache, so that later
    processes import no torch.

    Args:
        networks: Networks with heads for the same ImageNet classes.

    Returns:
        The classifier, or None where the networks have no linear head for the same known
        classes.
    """
    if not all(network.num_classes for network in networks):
        return None
    names = " ".join(f"{network.identity}*{network.feature_norm}" for network in networks)
    stored = StoredModel(f"classifier {names} {_SYNONYMS} {version('timm')}")
    folder = stored.find()
    if folder is None:
        made = _make(networks)
        if made is None:
            return None
        folder = stored.write(lambda empty: _write(made, empty))
    from safetensors.numpy import load_file

    tensors = load_file(folder / "head.safetensors")
    labels = json.loads((folder / "labels.json").read_text("utf-8"))
    return Classifier(tensors["weight"], tensors["bias"], tuple(labels))


def _write(classifier: Classifier, folder: Path) -> None:
    from safetensors.numpy import save

    tensors = save({"weight": classifier.weight, "bias": classifier.bias})
    (folder / "head.safetensors").write_bytes(tensors)
    (folder / "labels.json").write_text(json.dumps(classifier.labels), "utf-8")


def _make(networks: Sequence[Network]) -> Classifier | None:
    import torch
    from timm.data import ImageNetInfo, infer_imagenet_subset

    subsets = {infer_imagenet_subset({"num_classes": n.num_classes}) for n in networks}
    if len(subsets) != 1 or None in subsets:
        return None
    information: Any = ImageNetInfo(subsets.pop())
    # A unit vector of n networks holds each one's unit features divided by sqrt(n); the mean
    # over n heads divides by n.
    count = len(networks)
    weights, biases = [], []
    for network in networks:
        head = create_model(network.model, network.weights, network.size).get_classifier()
        if not isinstance(head, torch.nn.Linear):
            return None
        norm = network.feature_norm or _measured_norm(network)
        weights.append(head.weight.detach().numpy() * norm / np.sqrt(count))
        biases.append(head.bias.detach().numpy() / count)
    labels = (information.index_to_description(i) for i in range(information.num_classes()))
    return Classifier(
        np.ascontiguousarray(np.concatenate(weights, axis=1), np.float32),
        np.sum(biases, axis=0).astype(np.float32),
        tuple(plain_label(label) for label in labels),
    )


def _measured_norm(network: Network) -> float:
    """Return the median norm of the pooled features of the sample photographs."""
    import torch

    spec = find_spec("skimage")
    folders = [Path(place) / "data" for place in (spec and spec.submodule_search_locations) or ()]
    files = [folder / name for folder in folders for name in _PHOTOGRAPHS]
    if not files:
        raise MissingDependencyError(
            "the sample photographs are missing", hint="Run: pip install scikit-image"
        )
    side = (network.size, network.size)
    pictures = np.stack(
        [resize_image(read_image(file), side, network.interpolation) for file in files]
    )
    module = exported_module(network, flip=False)
    with torch.inference_mode():
        pooled = module.pooled(module.scaled(torch.from_numpy(pictures)))
    return float(pooled.norm(dim=1).median())


def plain_label(description: str) -> str:
    """Return the first names of a WordNet synset, without what is written like scientific ones.

    >>> plain_label("bald eagle, American eagle, Haliaeetus leucocephalus")
    'bald eagle'
    >>> plain_label("tench, Tinca tinca")
    'tench'
    """
    first, *others = description.replace("_", " ").split(", ")
    common = [name for name in others if not re.fullmatch(r"[A-Z][a-z]+ [a-z]+", name)]
    return ", ".join([first, *common][:_SYNONYMS])
