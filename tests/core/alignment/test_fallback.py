"""What is unlike the training pairs is matched by an aligner that learned nothing from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.alignment.test_contrastive import ENCODERS, Given, pairs_of
from tiepoint.alignment.class_names import ClassNamesAligner
from tiepoint.alignment.fallback import FallbackAligner
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.saved import SavedAligner
from tiepoint.encoders.base import Classifier, Encoder, Vectors
from tiepoint.errors import ConfigError
from tiepoint.types import IMAGE, TEXT

CLASSES = 15
STANDARDISED: dict[str, Any] = {"inputs": {"standardise": True}, "dimensions": 10}
MEMBERS = [
    {"method": "cca", "options": STANDARDISED},
    {"method": "ridge", "weight": 0.25},
]


class Classifying(Given):
    """Image vectors with a classifier: class i is where the vector's i-th value is large."""

    def classifier(self) -> Classifier:
        weight = 20 * np.eye(CLASSES, self.dim, dtype=np.float32)
        labels = tuple(f"class {number}" for number in range(CLASSES))
        return Classifier(weight, np.zeros(CLASSES, np.float32), labels)


class Naming(Given):
    """Text vectors, of which those of the classes' names are known; the first half is noise."""

    def infer(self, prepared: Sequence[Any], modality: str | None = None) -> Vectors:
        noise = np.random.default_rng(1).normal(size=(len(prepared), CLASSES))
        meaning = np.eye(CLASSES)[[int(name.split()[-1]) for name in prepared]]
        return np.hstack([noise, meaning]).astype(np.float32)


def joint(aligner: Any, x: dict[str, Vectors]) -> tuple[Vectors, Vectors]:
    return aligner.transform(IMAGE, x[IMAGE]), aligner.transform(TEXT, x[TEXT])


def test_members_weigh_by_how_unlike_the_training_pairs_a_vector_is(tmp_path: Path) -> None:
    fallback = FallbackAligner(ENCODERS, members=MEMBERS, unfamiliar=3.0)
    fallback.fit(pairs_of(400, 1))
    usual = dict(pairs_of(100, 2).vectors)
    odd = {m: 6 * x for m, x in usual.items()}
    for x, share in ((usual, 0.2), (odd, 0.75)):
        for modality in (IMAGE, TEXT):
            weights = fallback.weights(modality, x[modality])
            np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
            assert np.median(weights[:, 1]) == pytest.approx(share, abs=0.02)
    loaded = SavedAligner(ENCODERS, fallback.save(tmp_path))
    image, text = joint(loaded, odd)
    first, second = (joint(member, odd) for member in fallback.members)
    expected = 0.25 * first[0] @ first[1].T + 0.75 * second[0] @ second[1].T
    np.testing.assert_allclose(image @ text.T, expected, atol=1e-3)


def test_one_in_a_hundred_training_vectors_is_unusual() -> None:
    fallback = FallbackAligner(ENCODERS, members=MEMBERS)
    pairs = pairs_of(1000, 1)
    fallback.fit(pairs)
    unusual = fallback.members[0].unusual(IMAGE, pairs.vectors[IMAGE])
    assert np.mean(unusual > 1) == pytest.approx(0.01, abs=0.003)
    assert np.median(unusual) == pytest.approx(0, abs=1e-3)


def test_first_member_must_standardise() -> None:
    fallback = FallbackAligner(ENCODERS, members=[{"method": "cca"}, {"method": "ridge"}])
    with pytest.raises(ConfigError, match="does not standardise"):
        fallback.fit(pairs_of(100, 1))


def naming_encoders() -> dict[str, Encoder]:
    return {IMAGE: Classifying(IMAGE, 24), TEXT: Naming(TEXT, 2 * CLASSES)}


def test_class_names_find_pictures_of_the_class_without_learning_from_pairs(
    tmp_path: Path,
) -> None:
    encoders = naming_encoders()
    aligner = ClassNamesAligner(encoders, columns=(CLASSES, 2 * CLASSES), temperature=1.0)
    aligner.fit(_some_pairs(encoders))
    loaded = SavedAligner(encoders, aligner.save(tmp_path))
    pictures = loaded.transform(IMAGE, np.eye(CLASSES, 24, dtype=np.float32))
    names = encoders[TEXT].infer([f"class {number}" for number in range(CLASSES)])
    found = (loaded.transform(TEXT, names) @ pictures.T).argmax(1)
    np.testing.assert_array_equal(found, np.arange(CLASSES))


def test_columns_that_the_texts_do_not_have_are_refused() -> None:
    encoders = naming_encoders()
    aligner = ClassNamesAligner(encoders, columns=(10, 99))
    with pytest.raises(ConfigError, match="30 columns, not 10 to 99"):
        aligner.fit(_some_pairs(encoders))


def test_image_encoder_without_a_classifier_is_refused() -> None:
    with pytest.raises(ConfigError, match="no classifier"):
        ClassNamesAligner(ENCODERS).fit(pairs_of(50, 1))


def _some_pairs(encoders: dict[str, Encoder]) -> PairSet:
    random = np.random.default_rng(0)
    vectors = {m: random.normal(size=(30, e.dim)).astype(np.float32) for m, e in encoders.items()}
    return PairSet(vectors, np.stack([np.arange(30)] * 2, 1))
