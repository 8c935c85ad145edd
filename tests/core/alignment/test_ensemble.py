"""Ensembles add the similarities of several aligners, in one vector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.alignment.test_contrastive import ENCODERS, pairs_of
from tiepoint.alignment.cca import CcaAligner
from tiepoint.alignment.ensemble import EnsembleAligner
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.ridge import RidgeAligner
from tiepoint.alignment.saved import SavedAligner
from tiepoint.errors import ConfigError, InputError
from tiepoint.types import IMAGE, TEXT

CANONICAL: dict[str, Any] = {"dimensions": 10}
MEMBERS = [
    {"method": "cca", "weight": 3.0, "options": CANONICAL},
    {"method": "ridge"},
]


def test_similarity_is_the_weighted_mean_of_the_members(tmp_path: Path) -> None:
    pairs, held_out = pairs_of(200, 1), pairs_of(50, 2)
    ensemble = EnsembleAligner(ENCODERS, members=MEMBERS)
    ensemble.fit(pairs)
    scores = {}
    for name, aligner in (
        ("cca", CcaAligner(ENCODERS, **CANONICAL)),
        ("ridge", RidgeAligner(ENCODERS)),
    ):
        aligner.fit(pairs)
        joint = [aligner.transform(m, held_out.vectors[m]) for m in (IMAGE, TEXT)]
        scores[name] = joint[0] @ joint[1].T
    loaded = SavedAligner(ENCODERS, ensemble.save(tmp_path))
    image, text = (loaded.transform(m, held_out.vectors[m]) for m in (IMAGE, TEXT))
    np.testing.assert_allclose(
        image @ text.T, 0.75 * scores["cca"] + 0.25 * scores["ridge"], atol=1e-5
    )
    np.testing.assert_allclose(np.linalg.norm(image, axis=1), 1, atol=1e-6)


def test_equal_members_differ_by_their_seed() -> None:
    heads = {"canonical": None, "dim": 8, "epochs": 2, "batch": 50}
    ensemble = EnsembleAligner(ENCODERS, members=[{"method": "contrastive", "options": heads}] * 2)
    steps = []
    ensemble.fit(pairs_of(200, 1), settings=FitSettings(progress=steps.append))
    x = pairs_of(20, 2).vectors[IMAGE]
    joint = ensemble.transform(IMAGE, x)
    assert not np.allclose(joint[:, :8], joint[:, 8:])
    assert [(step.done, step.total) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (MEMBERS[:1], "members"),
        ([MEMBERS[1], {"method": "cca", "options": {"power": -1}}], r"members\.1\.options\.power"),
        ([MEMBERS[1], {"method": "identity"}], "does not learn"),
    ],
)
def test_wrong_members_are_refused_before_anything_is_fitted(
    members: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises((ConfigError, InputError), match=words):
        EnsembleAligner(ENCODERS, members=members)
