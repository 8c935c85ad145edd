"""What every encoder must do; subclass `EncoderConformance` in a test module."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
import pytest

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import DecodeError

MIN_COSINE = 0.9999


class EncoderConformance(ABC):
    """The tests of an encoder, collected by pytest in a subclass whose name starts with `Test`.

    A subclass makes the encoder and gives it something to encode:

        class TestMyEncoder(EncoderConformance):
            def make_encoder(self): return MyEncoder()
            def parts(self): return ["a cat", "a much longer sentence about a dog", "tea"]
            def broken_parts(self): return [b"not a text"]
    """

    @abstractmethod
    def make_encoder(self) -> Encoder:
        """Return a new encoder; every call gives an equal one."""

    @abstractmethod
    def parts(self) -> Sequence[Any]:
        """Return at least three different parts of the encoder's main modality."""

    @abstractmethod
    def broken_parts(self) -> Sequence[Any]:
        """Return parts that cannot be read; may be empty where every part can."""

    _made: ClassVar[Encoder]

    @pytest.fixture
    def encoder(self) -> Encoder:
        """One encoder for all the tests of a class."""
        kind = type(self)
        if "_made" not in vars(kind):
            kind._made = self.make_encoder()
        return kind._made

    def test_vectors_are_float32_of_unit_norm(self, encoder: Encoder) -> None:
        vectors = encoder.encode(self.parts())
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(self.parts()), encoder.dim)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)

    def test_empty_batch_gives_no_vectors(self, encoder: Encoder) -> None:
        assert encoder.encode([]).shape == (0, encoder.dim)
        assert encoder.encode([]).dtype == np.float32

    def test_batch_equals_single_parts_in_order(self, encoder: Encoder) -> None:
        together = encoder.encode(self.parts())
        singly = np.concatenate([encoder.encode([part]) for part in self.parts()])
        assert _cosines(together, singly).min() >= MIN_COSINE
        assert (np.argmax(together @ singly.T, axis=1) == np.arange(len(singly))).all()

    def test_order_of_a_batch_does_not_matter(self, encoder: Encoder) -> None:
        parts = list(self.parts())
        backwards = encoder.encode(parts[::-1])[::-1]
        assert _cosines(encoder.encode(parts), backwards).min() >= MIN_COSINE

    def test_same_parts_give_same_vectors(self, encoder: Encoder) -> None:
        np.testing.assert_array_equal(encoder.encode(self.parts()), encoder.encode(self.parts()))

    def test_threads_do_not_disturb_each_other(self, encoder: Encoder) -> None:
        parts = list(self.parts())
        expected = encoder.encode(parts)
        with ThreadPoolExecutor(4) as threads:
            tasks = [
                (i, threads.submit(encoder.encode, [parts[i % len(parts)]])) for i in range(24)
            ]
            for i, task in tasks:
                assert _cosines(task.result(), expected[[i % len(parts)]]).min() >= MIN_COSINE

    def test_fingerprint_and_dim_are_known_before_loading_and_stay(self) -> None:
        encoder = self.make_encoder()
        before = (encoder.fingerprint, encoder.dim, encoder.modalities)
        encoder.warm_up()
        encoder.warm_up()
        assert before == (encoder.fingerprint, encoder.dim, encoder.modalities)
        again = self.make_encoder()
        assert before == (again.fingerprint, again.dim, again.modalities)
        assert encoder.fingerprint
        assert encoder.modalities

    def test_broken_part_is_a_decode_error_of_one_line(self, encoder: Encoder) -> None:
        for part in self.broken_parts():
            with pytest.raises(DecodeError) as caught:
                encoder.prepare(part)
            assert "\n" not in str(caught.value)

    def test_description_names_the_fingerprint(self, encoder: Encoder) -> None:
        assert encoder.describe()["fingerprint"] == encoder.fingerprint

    def test_classifier_fits_the_vectors(self, encoder: Encoder) -> None:
        classifier = encoder.classifier()
        if classifier is not None:
            assert classifier.weight.shape == (len(classifier.labels), encoder.dim)
            assert classifier.bias.shape == (len(classifier.labels),)
            assert not any("_" in label for label in classifier.labels)


def _cosines(a: Vectors, b: Vectors) -> Vectors:
    cosines: Vectors = np.einsum("ij,ij->i", a, b)
    return cosines
