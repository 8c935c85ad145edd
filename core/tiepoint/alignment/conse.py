"""ConSE: pictures as mixtures of class names, so that no training pair is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from tiepoint.alignment.base import Aligner
from tiepoint.alignment.checks import checked_vectors, unit_rows
from tiepoint.encoders.base import Classifier, Encoder, Vectors
from tiepoint.encoders.runtimes.stored import StoredModel
from tiepoint.errors import ConfigError
from tiepoint.types import IMAGE, TEXT, Modality

_FILE = "class_names.safetensors"
_TENSOR = "class_names"


class ConseAligner(Aligner):
    """Convex combination of semantic embeddings (Norouzi et al., 2013, arXiv:1312.5650).

    The joint space is that of the text encoder. A picture becomes the mean of the embeddings
    of its classes' names, weighted by the probabilities that the image model's own classifier
    gives them; a text stays where it is; and the mean of all class names, which says nothing,
    is taken from both.

    Args:
        encoders: `image`, with a classifier, and `text`.
        temperature: Divides the logits before the softmax; over 1, less likely classes count
            more.
        classes: How many of the likeliest classes take part.

    Raises:
        ConfigError: An encoder is missing or another one is given, or a parameter is wrong; at
            first use also that the image encoder has no classifier.
    """

    def __init__(
        self,
        encoders: Mapping[Modality, Encoder],
        *,
        temperature: float = 2.0,
        classes: int = 50,
    ) -> None:
        super().__init__(encoders)
        if set(encoders) != {IMAGE, TEXT}:
            raise ConfigError(
                f"ConSE aligns image and text, not {', '.join(sorted(encoders)) or 'nothing'}",
                where="alignment.encoders",
                hint="Name an encoder for `image` and one for `text`.",
            )
        if not temperature > 0:
            raise ConfigError("temperature must be over 0", where="alignment.temperature")
        if classes < 1:
            raise ConfigError("classes must be 1 or more", where="alignment.classes")
        self.temperature = temperature
        self.classes = classes

    @cached_property
    def dim(self) -> int:  # type: ignore[override]  # a cached property can be set
        """Length of the joint vectors: that of the text encoder's."""
        return self.encoders[TEXT].dim

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]  # a cached property can be set
        """Names the parameters and both encoders."""
        return (
            f"conse/{self.temperature:g}/{self.classes}/"
            f"{self.encoders[IMAGE].fingerprint}/{self.encoders[TEXT].fingerprint}"
        )

    def warm_up(self) -> None:
        self.transform(IMAGE, unit_rows(np.ones((1, self.encoders[IMAGE].dim), np.float32)))

    def transform(self, modality: Modality, x: Vectors) -> Vectors:
        vectors = checked_vectors(self.encoders, modality, x)
        if modality == TEXT:
            return unit_rows(vectors - self._mean)
        classifier = self._classifier
        logits = vectors @ classifier.weight.T + classifier.bias
        return unit_rows(self._weights(logits) @ self._names - self._mean)

    def _weights(self, logits: Vectors) -> Vectors:
        """Return (n, classes) softmax weights, 0 for all but the likeliest classes."""
        if self.classes < logits.shape[1]:
            least = np.partition(logits, -self.classes, axis=1)[:, -self.classes, None]
            logits = np.where(logits >= least, logits, -np.inf)
        weights = np.exp((logits - logits.max(axis=1, keepdims=True)) / self.temperature)
        normalised: Vectors = weights / weights.sum(axis=1, keepdims=True)
        return normalised

    @cached_property
    def _classifier(self) -> Classifier:
        classifier = self.encoders[IMAGE].classifier()
        if classifier is None:
            raise ConfigError(
                "the image encoder has no classifier, which ConSE needs",
                where="alignment.encoders.image",
                hint="Use a timm model with its ImageNet head, or another alignment.",
            )
        return classifier

    @cached_property
    def _mean(self) -> Vectors:
        mean: Vectors = self._names.mean(axis=0)
        return mean

    @cached_property
    def _names(self) -> Vectors:
        """(classes, dim) float32 embeddings of the class names, encoded once and kept."""
        from safetensors.numpy import load_file, save_file

        labels = self._classifier.labels
        text = self.encoders[TEXT]
        listing = hashlib.sha256("\n".join(labels).encode()).hexdigest()
        stored = StoredModel(f"class-names|{text.fingerprint}|{listing}")
        folder = stored.find() or stored.write(
            lambda empty: save_file({_TENSOR: text.encode(labels, TEXT)}, empty / _FILE)
        )
        return load_file(folder / _FILE)[_TENSOR]
