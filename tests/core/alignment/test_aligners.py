from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tiepoint.alignment.base import Aligner
from tiepoint.alignment.conse import ConseAligner
from tiepoint.alignment.identity import IdentityAligner
from tiepoint.encoders.base import Classifier, Encoder, Vectors
from tiepoint.errors import ConfigError, FingerprintError
from tiepoint.testing.aligner import AlignerConformance

WORDS = ("cat", "dog", "car", "tree")


class WordEncoder(Encoder):
    """Every known word has an axis of its own; all texts share a constant."""

    modalities = ("text",)
    dim = 5

    def __init__(self, version: int = 1) -> None:
        self.fingerprint = f"words-{version}"
        self.encoded: list[str] = []

    def prepare(self, part: Any, modality: str | None = None) -> str:
        return str(part)

    def infer(self, prepared: Sequence[str], modality: str | None = None) -> Vectors:
        self.encoded += prepared
        rows = np.array([[text.count(word) for word in WORDS] + [1] for text in prepared])
        unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return unit


class PictureEncoder(Encoder):
    """Vectors as given, with a classifier whose class i looks at axis i."""

    modalities: tuple[str, ...] = ("image",)
    dim = 4

    def __init__(self, version: int = 1, labels: tuple[str, ...] = WORDS) -> None:
        self.fingerprint = f"pictures-{version}"
        self.labels = labels

    def prepare(self, part: Any, modality: str | None = None) -> Any:
        return part

    def infer(self, prepared: Sequence[Any], modality: str | None = None) -> Vectors:
        return np.stack(prepared).astype(np.float32)

    def classifier(self) -> Classifier | None:
        if not self.labels:
            return None
        return Classifier(8 * np.eye(4, dtype=np.float32), np.zeros(4, np.float32), self.labels)


class BothEncoder(PictureEncoder):
    modalities: tuple[str, ...] = ("image", "text")


@pytest.fixture(autouse=True)
def cache(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path))


class TestConse(AlignerConformance):
    def make_aligner(self) -> Aligner:
        return ConseAligner({"image": PictureEncoder(), "text": WordEncoder()})

    def other_encoders(self) -> Mapping[str, Encoder]:
        return {"image": PictureEncoder(), "text": WordEncoder(2)}


class TestIdentity(AlignerConformance):
    def make_aligner(self) -> Aligner:
        encoder = BothEncoder()
        return IdentityAligner({"image": encoder, "text": encoder})

    def other_encoders(self) -> Mapping[str, Encoder]:
        return {"image": BothEncoder(2), "text": BothEncoder(2)}


def test_identity_leaves_vectors_as_they_are() -> None:
    encoder = BothEncoder()
    x = np.array([[0.6, 0.8, 0, 0], [0, 0, 1, 0]], np.float32)
    aligner = IdentityAligner({"image": encoder, "text": encoder})
    np.testing.assert_allclose(aligner.transform("text", x), x, atol=1e-7)


def test_identity_refuses_two_different_models() -> None:
    with pytest.raises(FingerprintError, match="2 different models"):
        IdentityAligner({"image": BothEncoder(1), "text": BothEncoder(2)})


def test_identity_refuses_a_modality_that_the_model_has_not() -> None:
    with pytest.raises(ConfigError, match="not audio"):
        IdentityAligner({"image": BothEncoder(), "audio": BothEncoder()})


def test_conse_brings_a_picture_to_the_text_of_its_class() -> None:
    texts = WordEncoder()
    aligner = ConseAligner({"image": PictureEncoder(), "text": texts})
    pictures = aligner.transform("image", np.eye(4, dtype=np.float32))
    words = aligner.transform("text", texts.encode([f"one {word}" for word in WORDS]))
    assert (pictures @ words.T).argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert (pictures @ words.T).argmax(axis=0).tolist() == [0, 1, 2, 3]


def test_conse_is_the_whitened_weighted_sum_of_class_names_without_their_mean() -> None:
    texts = WordEncoder()
    aligner = ConseAligner({"image": PictureEncoder(), "text": texts}, temperature=3, classes=2)
    x = np.array([[0.8, 0.6, 0, 0]], np.float32)
    first, second = np.exp(8 * 0.8 / 3), np.exp(8 * 0.6 / 3)
    names = texts.encode(WORDS)
    mixed = (first * names[0] + second * names[1]) / (first + second) - names.mean(0)
    covariance = np.cov(names.T, bias=True)
    shrunk = covariance + 0.1 * np.linalg.norm(covariance, 2) * np.eye(5)
    picture, text = aligner.transform("image", x)[0], aligner.transform("text", names[2:3])[0]
    # A whitened scalar product is the one under the inverse of the covariance.
    other = names[2] - names.mean(0)
    inverse = np.linalg.inv(shrunk)
    norms = np.sqrt((mixed @ inverse @ mixed) * (other @ inverse @ other))
    assert picture @ text == pytest.approx(mixed @ inverse @ other / norms, abs=1e-5)


def test_conse_encodes_class_names_once_for_all_processes() -> None:
    first, second, other = WordEncoder(), WordEncoder(), WordEncoder(2)
    for texts in (first, second, other):
        ConseAligner({"image": PictureEncoder(), "text": texts}).warm_up()
    assert first.encoded == list(WORDS)
    assert second.encoded == []
    assert other.encoded == list(WORDS)


def test_conse_says_when_there_is_no_classifier() -> None:
    aligner = ConseAligner({"image": PictureEncoder(labels=()), "text": WordEncoder()})
    with pytest.raises(ConfigError, match="no classifier"):
        aligner.warm_up()


@pytest.mark.parametrize("options", [{"temperature": 0}, {"classes": 0}])
def test_conse_refuses_parameters_that_mean_nothing(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ConseAligner({"image": PictureEncoder(), "text": WordEncoder()}, **options)


def test_conse_needs_image_and_text() -> None:
    with pytest.raises(ConfigError, match="image and text"):
        ConseAligner({"image": PictureEncoder()})


def test_conse_fingerprint_names_its_parameters() -> None:
    encoders = {"image": PictureEncoder(), "text": WordEncoder()}
    fingerprints = {
        ConseAligner(encoders).fingerprint,
        ConseAligner(encoders, temperature=1.5).fingerprint,
        ConseAligner(encoders, classes=9).fingerprint,
    }
    assert len(fingerprints) == 3
