"""Unpaired rows teach something that the few pairs do not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.alignment.test_fitted import ENCODERS, made_pairs
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.saved import fitted_method
from tiepoint.errors import InputError

NOISE = 3.5


@pytest.fixture(scope="module")
def few():
    """60 pairs, and 1,500 images and texts whose links are not told."""
    whole = made_pairs(0, 1500, 1, NOISE)
    return PairSet(whole.vectors, whole.links[:60])


def test_unpaired_rows_raise_the_figures_of_the_same_pairs(few):
    val = made_pairs(1, 200, 2, NOISE)
    steps = []
    semi = fitted_method("semi-supervised")(ENCODERS, first_regularisation=3, regularisation=1)
    semi.fit(few, val, FitSettings(progress=steps.append))
    supervised = []
    for regularisation in (0.3, 1, 3, 8):
        cca = fitted_method("cca")(
            ENCODERS,
            regularisation_first=regularisation,
            regularisation_second=regularisation,
            power=1.0,
        )
        cca.fit(few)
        supervised.append(cca.evaluate(val).rsum)
    assert semi.evaluate(val).rsum > 1.05 * max(supervised)
    assert [step.done for step in steps] == [1, 2, 3, 4, 5, 6]
    assert steps[-1].metrics["pseudo_pairs"] > steps[0].metrics["pseudo_pairs"]


def test_a_fit_is_repeatable(few):
    made = [fitted_method("semi-supervised")(ENCODERS, rounds=2) for _ in range(2)]
    for aligner in made:
        aligner.fit(few, settings=FitSettings(seed=4))
    assert made[0].fingerprint == made[1].fingerprint


def test_pairs_alone_are_refused():
    with pytest.raises(InputError, match="0 unpaired images and 0 unpaired texts"):
        fitted_method("semi-supervised")(ENCODERS).fit(made_pairs(0, 50, 1))


def test_no_row_is_named_by_two_pairs_of_one_round_too_often(few):
    aligner = fitted_method("semi-supervised")(ENCODERS, rounds=1, partners=2)
    aligner.fit(few)
    images, texts = few.unlinked()
    found = aligner._pseudo_pairs(few, images, texts, 0.5)
    assert np.unique(found[:, 1]).size == len(found)
    assert np.bincount(found[:, 0]).max() == 2
    assert not set(found[:, 0]) & set(few.links[:, 0])
