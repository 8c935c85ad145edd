"""What every method that learns keeps to: it aligns, survives its files, and refuses bad pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tests.small_encoders import unit
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.hubness import Hubness, hub_scores, qb_norm_scores
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.saved import SavedAligner, fitted_method, load_aligner
from tiepoint.errors import ConfigError, FingerprintError, InputError
from tiepoint.evaluation.geometry import hubness_skewness
from tiepoint.evaluation.retrieval import ranks_of_scores

METHODS = ("ridge", "cca", "procrustes", "asif")
CORRECTIONS = ("nnn", "csls", "inverted_softmax")


@dataclass
class NamedEncoder:
    dim: int
    fingerprint: str


ENCODERS = {"image": NamedEncoder(40, "image-1"), "text": NamedEncoder(30, "text-1")}


def made_pairs(seed, n=400, captions=2, noise=0.6):
    """Two views of hidden causes; the views' matrices are the same for every seed."""
    matrices = np.random.default_rng(99)
    to_image, to_text = matrices.normal(size=(20, 40)), matrices.normal(size=(20, 30))
    generator = np.random.default_rng(seed)
    causes = generator.normal(size=(n, 20)) * np.linspace(2, 0.3, 20)
    images = unit(causes @ to_image + noise * generator.normal(size=(n, 40)) + 1)
    rows = np.repeat(np.arange(n), captions)
    texts = unit(causes[rows] @ to_text + noise * generator.normal(size=(len(rows), 30)) - 1)
    links = np.stack([rows, np.arange(len(rows))], 1)
    return PairSet({"image": images, "text": texts}, links, ("en", "zh") * (len(rows) // 2))


@pytest.fixture(scope="module")
def train():
    return made_pairs(0)


@pytest.fixture(scope="module")
def val():
    return made_pairs(1, 200)


def fitted(method, pairs, **options):
    aligner = fitted_method(method)(ENCODERS, **options)
    aligner.fit(pairs, settings=FitSettings(seed=3))
    return aligner


@pytest.mark.parametrize("method", METHODS)
def test_a_method_aligns_pairs_that_it_has_not_seen(method, train, val):
    aligner = fitted(method, train)
    assert aligner.evaluate(val).rsum > 200, "chance is 24"
    joint = aligner.transform("image", val.vectors["image"])
    assert joint.dtype == np.float32
    assert joint.shape == (200, aligner.dim)
    np.testing.assert_allclose(np.linalg.norm(joint, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_saved_aligner_is_the_same_to_the_bit(method, train, val, tmp_path):
    aligner = fitted(method, train, hubness={"kind": "nnn", "bank": 100})
    again = load_aligner(aligner.save(tmp_path / "mine"), ENCODERS)
    deployed = SavedAligner(ENCODERS, tmp_path / "mine")
    assert type(again) is type(aligner)
    assert again.fingerprint == deployed.fingerprint == aligner.fingerprint
    assert again.options == aligner.options
    for modality, x in val.vectors.items():
        own = aligner.transform(modality, x)
        np.testing.assert_array_equal(again.transform(modality, x), own)
        np.testing.assert_array_equal(deployed.transform(modality, x), own)


def test_the_card_says_what_it_was_fitted_on(train, val, tmp_path):
    aligner = fitted_method("cca")(ENCODERS, power=2.0)
    report = aligner.fit(train, val, FitSettings(seed=5))
    card = aligner.card
    assert card.method == "cca"
    assert card.options["power"] == 2.0
    assert card.seed == 5
    assert card.data.hash == train.data_hash != val.data_hash
    assert card.data.rows == {"image": 400, "text": 800}
    assert card.encoders["text"].fingerprint == "text-1"
    assert card.metrics["val"]["rsum"] == report.metrics["val"]["rsum"]
    assert {"python", "numpy"} <= set(card.versions)


@pytest.mark.parametrize("kind", CORRECTIONS)
def test_a_correction_in_the_vectors_ranks_as_its_formula(kind, train, val):
    plain = fitted("cca", train)
    hubness = Hubness(kind=kind, neighbours=10, bank=10_000)
    corrected = fitted("cca", train, hubness=hubness.model_dump())
    assert corrected.dim == plain.dim + 4
    joint = {m: plain.transform(m, x) for m, x in val.vectors.items()}
    bank = plain.transform("text", train.vectors["text"])
    scores = joint["text"] @ joint["image"].T - hub_scores(joint["image"], bank, hubness)
    positives = np.zeros(scores.shape, bool)
    positives[val.links[:, 1], val.links[:, 0]] = True
    expected = ranks_of_scores(scores, positives)
    found = corrected.evaluate(val).t2i_rank
    assert np.mean(found == expected) > 0.99


@pytest.mark.parametrize("kind", CORRECTIONS)
def test_a_correction_makes_hubs_rarer(kind, train, val):
    # Strong regularisation pulls the mapped vectors together, which makes hubs.
    plain = fitted("ridge", train, regularisation=10.0)
    corrected = fitted("ridge", train, regularisation=10.0, hubness={"kind": kind})
    skews = [
        hubness_skewness(*(a.transform(m, val.vectors[m]) for m in ("text", "image")))
        for a in (plain, corrected)
    ]
    assert skews[1] < skews[0]


def test_qb_norm_leaves_queries_alone_whose_best_item_is_no_hub():
    scores = np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.3]], np.float32)
    bank = np.array([[0.9, 0.2, 0.0], [0.8, 0.3, 0.1]], np.float32)
    corrected = qb_norm_scores(scores, bank)
    assert corrected[0].argmax() == 1, "the hub 0 is lowered"
    np.testing.assert_array_equal(corrected[1], scores[1])


def test_options_that_a_method_does_not_take_are_named():
    with pytest.raises(ConfigError, match="regularisation"):
        fitted_method("ridge")(ENCODERS, regularisation=0)
    with pytest.raises(ConfigError, match="Its options are"):
        fitted_method("ridge")(ENCODERS, colour="red")


def test_an_aligner_that_was_not_fitted_says_so():
    with pytest.raises(ConfigError, match="was not fitted"):
        fitted_method("cca")(ENCODERS).transform("image", np.zeros((1, 40), np.float32))


@pytest.mark.parametrize("method", METHODS)
def test_fewer_pairs_than_dimensions_are_warned_of(method):
    few = made_pairs(0, 12, 1)
    report = fitted_method(method)(ENCODERS).fit(few)
    assert "12 pairs are fewer than the 40 dimensions" in report.warnings[0]


@pytest.mark.parametrize("method", METHODS)
def test_one_repeated_pair_is_refused(method, train):
    links = np.zeros((50, 2), np.int64)
    with pytest.raises(InputError, match="all 50 pairs have the same image"):
        fitted_method(method)(ENCODERS).fit(PairSet(train.vectors, links))


def test_values_that_are_not_finite_are_refused_with_their_row(train):
    images = train.vectors["image"].copy()
    images[7, 3] = np.nan
    with pytest.raises(InputError, match=r"1 of 400 image vectors .* row 7"):
        PairSet({"image": images, "text": train.vectors["text"]}, train.links)


@pytest.mark.parametrize("links", [[[400, 0]], [[-1, 0]], np.empty((0, 2))])
def test_links_that_lead_nowhere_are_refused(train, links):
    with pytest.raises(InputError):
        PairSet(train.vectors, np.asarray(links, np.int64))


def test_vectors_of_other_lengths_are_refused(train):
    other = {"image": NamedEncoder(41, "image-2"), "text": ENCODERS["text"]}
    with pytest.raises(FingerprintError, match="length 40, and the encoder's have 41"):
        fitted_method("ridge")(other).fit(train)


def test_other_encoders_are_refused_by_name(train, tmp_path):
    fitted("ridge", train).save(tmp_path)
    other = {**ENCODERS, "text": NamedEncoder(30, "text-2")}
    with pytest.raises(FingerprintError, match=r"'text-1', not for 'text-2'"):
        load_aligner(tmp_path, other)
    with pytest.raises(FingerprintError, match="not fitted for audio"):
        SavedAligner({"audio": NamedEncoder(30, "a")}, tmp_path)


@pytest.mark.parametrize("file", ["aligner.json", "aligner.safetensors"])
@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"x" + b[1:], None])
def test_damaged_files_are_refused_in_one_line(train, tmp_path, file, damage):
    fitted("ridge", train).save(tmp_path)
    path = tmp_path / file
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError) as error:
        load_aligner(tmp_path, ENCODERS)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_languages_select_pairs(train):
    english = train.of_language("en")
    assert len(english.links) == 400
    assert set(english.languages) == {"en"}
    np.testing.assert_array_equal(english.vectors["text"], train.vectors["text"][::2])
    with pytest.raises(InputError, match="en, zh"):
        train.of_language("fr")


def test_unpaired_rows_are_known_as_such(train):
    some = PairSet(train.vectors, train.links[:10])
    images, texts = some.unlinked()
    assert (len(images), len(texts)) == (395, 790)
