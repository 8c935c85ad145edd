"""What every aligner must do, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import pytest

from tiepoint.alignment.base import Aligner
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import SchemaError
from tiepoint.types import Modality


class AlignerConformance(ABC):
    """Subclass it as `TestMyAligner`, and make the aligner in `make_aligner`."""

    @abstractmethod
    def make_aligner(self) -> Aligner:
        """Return a new aligner, the same at every call."""

    @abstractmethod
    def other_encoders(self) -> Mapping[Modality, Encoder]:
        """Return encoders of other fingerprints that the aligner could take as well."""

    @pytest.fixture
    def aligner(self) -> Aligner:
        """A fresh aligner."""
        return self.make_aligner()

    def vectors(self, aligner: Aligner, modality: Modality, rows: int = 5) -> Vectors:
        """Return random (rows, d_in) float32 unit vectors of a modality's encoder."""
        x = np.random.default_rng(0).standard_normal((rows, aligner.encoders[modality].dim))
        unit: Vectors = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def test_joint_vectors_are_float32_of_unit_norm_and_one_length(self, aligner: Aligner) -> None:
        """Every modality comes out as (n, dim) float32 at length 1."""
        for modality in aligner.encoders:
            joint = aligner.transform(modality, self.vectors(aligner, modality))
            assert joint.shape == (5, aligner.dim)
            assert joint.dtype == np.float32
            np.testing.assert_allclose(np.linalg.norm(joint, axis=1), 1, atol=1e-5)

    def test_no_rows_give_no_rows(self, aligner: Aligner) -> None:
        """An empty batch is not an error."""
        for modality in aligner.encoders:
            empty = self.vectors(aligner, modality, rows=0)
            assert aligner.transform(modality, empty).shape == (0, aligner.dim)

    def test_rows_do_not_depend_on_each_other(self, aligner: Aligner) -> None:
        """A vector is aligned the same alone and in a batch."""
        for modality in aligner.encoders:
            x = self.vectors(aligner, modality)
            alone = np.concatenate([aligner.transform(modality, row[None]) for row in x])
            np.testing.assert_allclose(aligner.transform(modality, x), alone, atol=1e-5)

    def test_a_second_aligner_gives_the_same(self, aligner: Aligner) -> None:
        """Nothing is random, and equal aligners have equal fingerprints."""
        second = self.make_aligner()
        second.warm_up()
        assert second.fingerprint == aligner.fingerprint
        for modality in aligner.encoders:
            x = self.vectors(aligner, modality)
            first = aligner.transform(modality, x)
            np.testing.assert_array_equal(first, second.transform(modality, x))

    def test_the_input_is_left_as_it_is(self, aligner: Aligner) -> None:
        """Vectors are not changed in place."""
        for modality in aligner.encoders:
            x = self.vectors(aligner, modality)
            before = x.copy()
            aligner.transform(modality, x)
            np.testing.assert_array_equal(x, before)

    def test_an_unknown_modality_is_refused(self, aligner: Aligner) -> None:
        """Only the encoders' modalities are aligned."""
        x = self.vectors(aligner, next(iter(aligner.encoders)))
        with pytest.raises(SchemaError):
            aligner.transform("smell", x)

    def test_vectors_of_another_length_are_refused(self, aligner: Aligner) -> None:
        """Vectors that cannot be the encoder's, or have a wrong shape, are no input."""
        for modality in aligner.encoders:
            x = self.vectors(aligner, modality)
            for wrong in (x[:, :-1], x[0], np.concatenate([x, x], axis=1)):
                with pytest.raises(SchemaError):
                    aligner.transform(modality, wrong)

    def test_vectors_that_are_not_finite_are_refused(self, aligner: Aligner) -> None:
        """A NaN would spread through an index."""
        for modality in aligner.encoders:
            x = self.vectors(aligner, modality)
            x[2, 0] = np.nan
            with pytest.raises(SchemaError):
                aligner.transform(modality, x)

    def test_the_fingerprint_names_the_encoders(self, aligner: Aligner) -> None:
        """Another encoder makes another joint space."""
        other = type(aligner)(self.other_encoders())
        assert other.fingerprint != aligner.fingerprint
