"""ConSE: pictures as mixtures of class names, so that no training pair is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from tiepoint.alignment.base import Aligner
from tiepoint.alignment.checks import checked_vectors, unit_rows
from tiepoint.encoders.base import Classifier, Encoder, Vectors
from tiepoint.encoders.runtimes.stored import StoredModel
from tiepoint.errors import ConfigError
from tiepoint.types import IMAGE, TEXT, Modality

_FILE = "class_names.safetensors"

SHRINKAGE = 0.1
"""Share of the largest variance that is added to all before whitening."""


class ConseAligner(Aligner):
    """Convex combination of semantic embeddings (Norouzi et al., 2013, arXiv:1312.5650).

    The joint space is that of the text encoder. A picture becomes the mean of the embeddings
    of its classes' names, weighted by the probabilities that the image model's own classifier
    gives them; a text stays where it is; and the mean of all class names, which says nothing,
    is taken from both. Then both are whitened by the (shrunk) covariance of the class names,
    so that directions in which all names vary alike do not drown the others. On captioned
    photographs that adds 6 to 8 points to the sum of recalls with USE-multilingual, and next
    to nothing with MiniLM.

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
        classes: int = 1000,
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
            f"conse/{self.temperature:g}/{self.classes}/{SHRINKAGE}/"
            f"{self.encoders[IMAGE].fingerprint}/{self.encoders[TEXT].fingerprint}"
        )

    def warm_up(self) -> None:
        self.transform(IMAGE, unit_rows(np.ones((1, self.encoders[IMAGE].dim), np.float32)))

    def transform(self, modality: Modality, x: Vectors) -> Vectors:
        vectors = checked_vectors(self.encoders, modality, x)
        if modality == TEXT:
            centred: Vectors = vectors - self._space.mean
            return unit_rows(centred @ self._space.whitening)
        weights = class_weights(self._classifier, vectors, self.temperature, self.classes)
        return unit_rows(weights @ self._space.names)

    @cached_property
    def _classifier(self) -> Classifier:
        return classifier_of(self.encoders[IMAGE])

    @cached_property
    def _space(self) -> ClassNameSpace:
        """The space of the class names, which are encoded once and kept."""
        from safetensors.numpy import load_file, save

        labels = self._classifier.labels
        text = self.encoders[TEXT]
        listing = hashlib.sha256("\n".join(labels).encode()).hexdigest()
        stored = StoredModel(f"class-names|{text.fingerprint}|{listing}|{SHRINKAGE}")
        folder = stored.find() or stored.write(
            lambda empty: (empty / _FILE).write_bytes(
                save(asdict(class_name_space(text.encode(labels, TEXT))))
            )
        )
        return ClassNameSpace(**load_file(folder / _FILE))


@dataclass(frozen=True)
class ClassNameSpace:
    """Where the class names lie.

    Attributes:
        names: (classes, dim) float32, centred and whitened.
        mean: (dim,) float32, their mean before.
        whitening: (dim, dim) float32, symmetric.
    """

    names: Vectors
    mean: Vectors
    whitening: Vectors


def classifier_of(images: Encoder) -> Classifier:
    """Return the classifier of an image encoder.

    Raises:
        ConfigError: It has none.
    """
    classifier = images.classifier()
    if classifier is None:
        raise ConfigError(
            "the image encoder has no classifier, which ConSE needs",
            where="alignment.encoders.image",
            hint="Use a timm model with its ImageNet head, or another alignment.",
        )
    return classifier


def class_weights(
    classifier: Classifier, x: Vectors, temperature: float, classes: int | None = None
) -> Vectors:
    """Return (n, n_classes) softmax weights of (n, dim) image vectors.

    Args:
        classifier: Of the image encoder.
        x: The vectors.
        temperature: Divides the logits.
        classes: How many of the likeliest take part; the others weigh 0. All if not given.
    """
    logits = x @ classifier.weight.T + classifier.bias
    if classes is not None and classes < logits.shape[1]:
        least = np.partition(logits, -classes, axis=1)[:, -classes, None]
        logits = np.where(logits >= least, logits, -np.inf)
    weights = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    normalised: Vectors = weights / weights.sum(axis=1, keepdims=True)
    return normalised


def class_name_space(embeddings: Vectors) -> ClassNameSpace:
    """Centre and whiten (classes, dim) embeddings by their covariance.

    To every variance `SHRINKAGE` of the largest is added, so that directions in which the
    names hardly vary are not blown up to noise.
    """
    mean = embeddings.mean(axis=0)
    centred = (embeddings - mean).astype(np.float64)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    scale = 1 / np.sqrt(np.maximum(variances, 0) + SHRINKAGE * variances[-1])
    whitening = (axes * scale) @ axes.T
    return ClassNameSpace(
        np.ascontiguousarray(centred @ whitening, np.float32),
        mean.astype(np.float32),
        np.ascontiguousarray(whitening, np.float32),
    )
