"""Probabilities hold on unseen pairs although only the training pairs were calibrated on."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.alignment.test_contrastive import ENCODERS, pairs_of
from tiepoint.alignment.calibrating import calibrate, calibrate_out_of_fold, reliabilities
from tiepoint.alignment.cca import CcaAligner
from tiepoint.alignment.pairs import PairSet
from tiepoint.types import IMAGE, TEXT


def aligner() -> CcaAligner:
    """With little regularisation: it knows its own pairs far too well."""
    return CcaAligner(
        ENCODERS, regularisation_first=0.01, regularisation_second=0.01, dimensions=20
    )


def noisy(images: int, seed: int, languages: tuple[str, ...] = ("en",)) -> PairSet:
    """Pairs that belong together less clearly, in Chinese still less."""
    pairs = pairs_of(images, seed, languages)
    random = np.random.default_rng(seed)
    noise = {
        IMAGE: np.full((images, 1), 0.15),
        TEXT: np.where(np.array(pairs.languages) == "zh", 0.25, 0.1)[:, None],
    }
    vectors = {
        m: (x + noise[m] * random.normal(size=x.shape)).astype(np.float32)
        for m, x in pairs.vectors.items()
    }
    return PairSet(vectors, pairs.links, pairs.languages)


@pytest.mark.parametrize("size", [100, 600])
def test_out_of_fold_is_nearer_to_the_truth_on_unseen_pairs(size: int) -> None:
    train, unseen = noisy(300, 1), noisy(600, 2)
    fitted = aligner()
    fitted.fit(train)
    fitted.with_card(calibration=calibrate(fitted, train))
    naive = reliabilities(fitted, unseen, size)
    fitted.with_card(calibration=calibrate_out_of_fold(aligner, train))
    found = reliabilities(fitted, unseen, size)
    assert set(found) == {f"{TEXT}->{IMAGE}", f"{IMAGE}->{TEXT}"}
    for route, figures in found.items():
        assert figures["ece"] < naive[route]["ece"]
        assert figures["brier_skill"] > 0


def test_queries_of_each_language_have_a_calibration_of_their_own() -> None:
    languages = ("en", "zh")
    pairs, unseen = noisy(400, 1, languages), noisy(400, 2, languages)
    fitted = aligner()
    fitted.fit(pairs)
    calibration = calibrate_out_of_fold(aligner, pairs)
    of_all = {route: one for route, one in calibration.items() if "[" not in route}
    errors = []
    for known in (calibration, of_all):
        fitted.with_card(calibration=known)
        found = [reliabilities(fitted, unseen.of_language(name), 100) for name in languages]
        errors.append(sum(figures[f"{TEXT}->{IMAGE}"]["ece"] for figures in found))
    assert errors[0] < errors[1]
