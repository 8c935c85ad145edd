"""Contrastive heads learn from pairs, and what they learn survives saving and kills."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiepoint.alignment.cca import CcaAligner
from tiepoint.alignment.contrastive import ContrastiveAligner
from tiepoint.alignment.fitting import FitProgress, FitSettings
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.saved import SavedAligner
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import InputError
from tiepoint.types import IMAGE, TEXT

CONCEPTS = 12
SMALL: dict[str, Any] = {
    "canonical": None,
    "dim": 16,
    "epochs": 12,
    "batch": 50,
    "learning_rate": 1e-2,
    "dropout": 0.1,
}


class Given(Encoder):
    """Vectors that are their own parts."""

    def __init__(self, modality: str, dim: int) -> None:
        self.modalities = (modality,)
        self.dim = dim
        self.fingerprint = f"given/{modality}/{dim}"

    def prepare(self, part: Any, modality: str | None = None) -> Any:
        return part

    def infer(self, prepared: Sequence[Any], modality: str | None = None) -> Vectors:
        return np.stack(prepared)


ENCODERS = {IMAGE: Given(IMAGE, 24), TEXT: Given(TEXT, 20)}


def pairs_of(images: int, seed: int, languages: tuple[str, ...] = ("en",)) -> PairSet:
    """Two views of the same hidden concepts; a language says the reverse of the other."""
    world = np.random.default_rng(42)
    to_image = world.normal(size=(CONCEPTS, 24))
    to_text = {"en": world.normal(size=(CONCEPTS, 20))}
    to_text["zh"] = -to_text["en"]
    offset = {"en": np.zeros(20), "zh": 9 * np.eye(20)[0]}
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(images, CONCEPTS))
    texts, links, named = [], [], []
    for name in languages:
        for _ in range(2):
            noise = 0.3 * random.normal(size=(images, 20))
            texts.append(hidden @ to_text[name] + noise + offset[name])
            first = len(named) + np.arange(images)
            links.append(np.stack([np.arange(images), first], 1))
            named += [name] * images
    image = hidden @ to_image + 0.3 * random.normal(size=(images, 24))
    return PairSet(
        {IMAGE: unit(image), TEXT: unit(np.concatenate(texts))},
        np.concatenate(links),
        tuple(named),
    )


def unit(x: Any) -> Vectors:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def train() -> PairSet:
    return pairs_of(300, 1)


@pytest.fixture(scope="module")
def val() -> PairSet:
    return pairs_of(100, 2)


@pytest.mark.parametrize("loss", ["infonce", "sigmoid", "hinge"])
def test_every_loss_brings_unseen_pairs_together(loss: str, train: PairSet, val: PairSet) -> None:
    aligner = ContrastiveAligner(ENCODERS, **SMALL, loss=loss)
    aligner.fit(train)
    chance = 2 * (1 + 5 + 10)
    assert aligner.evaluate(val).rsum > 10 * chance


def test_hidden_layer_learns_what_a_linear_head_cannot() -> None:
    def mirrored(images: int, seed: int) -> PairSet:
        """The sign of an image vector says nothing, and a linear map cannot take it away."""
        random = np.random.default_rng(seed)
        hidden = random.exponential(size=(images, 4)) + 0.2
        sign = random.choice([-1.0, 1.0], size=(images, 1))
        world = np.random.default_rng(42)
        x, y = sign * (hidden @ world.normal(size=(4, 24))), hidden @ world.normal(size=(4, 20))
        return PairSet({IMAGE: unit(x), TEXT: unit(y)}, np.arange(images).repeat(2).reshape(-1, 2))

    pairs, held_out = mirrored(400, 1), mirrored(60, 2)
    sums = {}
    for hidden in (0, 64):
        aligner = ContrastiveAligner(ENCODERS, **{**SMALL, "epochs": 40}, hidden=hidden)
        aligner.fit(pairs)
        sums[hidden] = aligner.evaluate(held_out).rsum
    assert sums[64] > 1.3 * sums[0]


def test_languages_have_heads_of_their_own_over_the_same_image_vectors() -> None:
    pairs, held_out = pairs_of(300, 1, ("en", "zh")), pairs_of(100, 2, ("en", "zh"))
    sums = {}
    for languages in ("shared", "separate"):
        aligner = ContrastiveAligner(ENCODERS, **SMALL, inputs={"languages": languages})
        aligner.fit(pairs)
        sums[languages] = [
            aligner.evaluate(held_out.of_language(name)).rsum for name in ("en", "zh")
        ]
    assert min(sums["separate"]) > 1.1 * max(sums["shared"])


def test_training_improves_on_the_analysis_that_it_starts_from() -> None:
    pairs, held_out = pairs_of(60, 1), pairs_of(300, 2)
    canonical = {"dimensions": CONCEPTS, "regularisation_first": 30.0}
    start = CcaAligner(ENCODERS, **canonical, inputs={"standardise": True})
    start.fit(pairs)
    trained = ContrastiveAligner(ENCODERS, canonical=canonical, epochs=60, batch=60)
    trained.fit(pairs)
    assert trained.dim == CONCEPTS
    missed = [600 - aligner.evaluate(held_out).rsum for aligner in (start, trained)]
    assert missed[1] < 0.85 * missed[0]


def test_same_seed_gives_the_same_bytes_and_another_does_not(
    train: PairSet, tmp_path: Path
) -> None:
    digests = []
    for run, seed in enumerate((3, 3, 4)):
        aligner = ContrastiveAligner(ENCODERS, **SMALL)
        aligner.fit(train, settings=FitSettings(seed=seed))
        folder = aligner.save(tmp_path / str(run))
        digests.append((folder / "aligner.safetensors").read_bytes())
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("hidden", [0, 32])
def test_saved_aligner_gives_the_same_vectors(
    hidden: int, train: PairSet, val: PairSet, tmp_path: Path
) -> None:
    aligner = ContrastiveAligner(ENCODERS, **SMALL, hidden=hidden)
    aligner.fit(train)
    again = SavedAligner(ENCODERS, aligner.save(tmp_path))
    for modality, x in val.vectors.items():
        joint = aligner.transform(modality, x)
        np.testing.assert_array_equal(again.transform(modality, x), joint)
        np.testing.assert_allclose(np.linalg.norm(joint, axis=1), 1, atol=1e-6)


def test_transform_needs_no_torch(train: PairSet, tmp_path: Path) -> None:
    aligner = ContrastiveAligner(ENCODERS, **SMALL)
    aligner.fit(train)
    folder = aligner.save(tmp_path)
    code = (
        "import sys, numpy as np\n"
        "from types import SimpleNamespace as Given\n"
        "from tiepoint.alignment.saved import SavedAligner\n"
        "encoders = {m: Given(dim=d, fingerprint=f'given/{m}/{d}')"
        " for m, d in (('image', 24), ('text', 20))}\n"
        f"SavedAligner(encoders, {str(folder)!r}).transform('image', np.eye(24, dtype='f4'))\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_training_goes_on_after_a_kill_as_if_nothing_happened(
    train: PairSet, val: PairSet, tmp_path: Path
) -> None:
    class KillError(Exception):
        pass

    def killer(step: FitProgress) -> None:
        if step.done == 7:
            raise KillError

    whole = ContrastiveAligner(ENCODERS, **SMALL)
    whole.fit(train, val)
    with pytest.raises(KillError):
        ContrastiveAligner(ENCODERS, **SMALL).fit(
            train, val, FitSettings(progress=killer, checkpoint=tmp_path)
        )
    seen: list[int] = []
    resumed = ContrastiveAligner(ENCODERS, **SMALL)
    resumed.fit(
        train,
        val,
        FitSettings(progress=lambda step: seen.append(step.done), checkpoint=tmp_path),
    )
    assert seen[0] == 7
    for name, value in whole.tensors.items():
        np.testing.assert_array_equal(resumed.tensors[name], value)


def test_checkpoint_of_other_options_is_not_resumed(train: PairSet, tmp_path: Path) -> None:
    ContrastiveAligner(ENCODERS, **SMALL).fit(train, settings=FitSettings(checkpoint=tmp_path))
    seen: list[int] = []
    ContrastiveAligner(ENCODERS, **{**SMALL, "dim": 8}).fit(
        train,
        settings=FitSettings(progress=lambda step: seen.append(step.done), checkpoint=tmp_path),
    )
    assert seen[0] == 1


def test_training_stops_early_and_keeps_the_best_epoch(train: PairSet, val: PairSet) -> None:
    wild = {**SMALL, "epochs": 60, "learning_rate": 0.3, "patience": 3, "weight_decay": 0.0}
    aligner = ContrastiveAligner(ENCODERS, **wild)
    report = aligner.fit(train, val)
    sums = [step["val/rsum"] for step in report.history]
    assert len(sums) < 60
    assert aligner.evaluate(val).rsum == pytest.approx(max(sums), abs=2)


def test_views_of_the_images_teach_what_does_not_matter() -> None:
    def turned(pairs: PairSet, seed: int) -> Vectors:
        """Image vectors with the last of their dimensions drawn anew."""
        changed = pairs.vectors[IMAGE].copy()
        changed[:, 12:] = unit(np.random.default_rng(seed).normal(size=(len(changed), 12)))
        return unit(changed)

    pairs, held_out = pairs_of(80, 1), pairs_of(100, 2)
    held_out = replace(held_out, vectors={**held_out.vectors, IMAGE: turned(held_out, 9)})
    seen = replace(pairs, views={IMAGE: np.stack([turned(pairs, seed) for seed in range(4)])})
    small = {**SMALL, "epochs": 60}
    plain = ContrastiveAligner(ENCODERS, **small)
    plain.fit(seen)
    augmented = ContrastiveAligner(ENCODERS, **small, augment={"count": 4})
    augmented.fit(seen)
    assert augmented.evaluate(held_out).rsum > 1.2 * plain.evaluate(held_out).rsum
    untouched = ContrastiveAligner(ENCODERS, **small)
    untouched.fit(pairs)
    for name, value in plain.tensors.items():
        np.testing.assert_array_equal(untouched.tensors[name], value)


def test_views_that_are_missing_or_of_another_shape_are_refused(train: PairSet) -> None:
    with pytest.raises(InputError, match="no views"):
        ContrastiveAligner(ENCODERS, **SMALL, augment={}).fit(train)
    with pytest.raises(InputError, match="views of image"):
        replace(train, views={IMAGE: train.vectors[IMAGE][None, :-1]})


def test_progress_tells_loss_and_validation_figure_of_every_epoch(
    train: PairSet, val: PairSet
) -> None:
    steps: list[FitProgress] = []
    ContrastiveAligner(ENCODERS, **SMALL).fit(train, val, FitSettings(progress=steps.append))
    assert [step.done for step in steps] == list(range(1, len(steps) + 1))
    assert steps[-1].metrics["loss"] < steps[0].metrics["loss"]
    assert steps[-1].metrics["val/rsum"] > steps[0].metrics["val/rsum"]


@pytest.mark.parametrize("storage", ["float16", "int8"])
def test_compact_storage_costs_little(
    storage: str, train: PairSet, val: PairSet, tmp_path: Path
) -> None:
    plain = ContrastiveAligner(ENCODERS, **{**SMALL, "dim": 256})
    compact = ContrastiveAligner(ENCODERS, **{**SMALL, "dim": 256}, storage=storage)
    plain.fit(train)
    compact.fit(train)
    size = {
        name: (aligner.save(tmp_path / name) / "aligner.safetensors").stat().st_size
        for name, aligner in (("plain", plain), ("compact", compact))
    }
    assert size["compact"] < 0.6 * size["plain"]
    loaded = SavedAligner(ENCODERS, tmp_path / "compact")
    for modality, x in val.vectors.items():
        joint = compact.transform(modality, x)
        np.testing.assert_array_equal(loaded.transform(modality, x), joint)
        assert (joint * plain.transform(modality, x)).sum(1).min() > 0.999
