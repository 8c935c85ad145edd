"""Poolings see what is in a sequence, and nothing that stands after its end."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest

from tests.small_encoders import unit
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.ridge import RidgeAligner
from tiepoint.errors import ConfigError, FingerprintError, InputError, SchemaError
from tiepoint.sequences.files import load_pooling, save_pooling
from tiepoint.sequences.fitting import PoolingOptions, SequencePairs, fit_pooling
from tiepoint.sequences.pooling import MaxPooling, MeanPooling, Sequences

WIDTH = 16
FRAMES = SimpleNamespace(fingerprint="frames-1", dim=WIDTH)
CONCEPTS = unit(np.random.default_rng(1).normal(size=(8, WIDTH)))


def in_order(n, seed):
    """First one thing, then another; the text says which came first: the mean cannot know."""
    generator, words = np.random.default_rng(seed), np.random.default_rng(2)
    first_words, then_words = words.normal(size=(8, 12)), words.normal(size=(8, 12))
    texts = unit(first_words[:, None] + then_words).reshape(64, 12)
    sequences, classes = [], []
    for _ in range(n):
        first, then = generator.choice(8, 2, replace=False)
        lengths = generator.integers(2, 6, 2)
        clean = np.repeat(CONCEPTS[[first, then]], lengths, axis=0)
        sequences.append(unit(clean + 0.1 * generator.normal(size=clean.shape)))
        classes.append(8 * first + then)
    return pairs_of(sequences, classes, texts)


def needle(n, seed):
    """One frame of many says what the text says; a mark of its own tells which frame it is."""
    generator = np.random.default_rng(seed)
    hay = unit(np.random.default_rng(5).normal(size=(40, WIDTH)))
    hay[:, 0] = 0
    texts = unit(np.random.default_rng(6).normal(size=(8, 12)))
    sequences, classes = [], []
    for _ in range(n):
        frames = hay[generator.integers(0, 40, generator.integers(12, 24))].copy()
        which = generator.integers(8)
        frames[generator.integers(len(frames))] = CONCEPTS[which] + 1.5 * np.eye(WIDTH)[0]
        sequences.append(unit(frames + 0.05 * generator.normal(size=frames.shape)))
        classes.append(which)
    return pairs_of(sequences, classes, texts)


def pairs_of(sequences, classes, texts):
    used, row = np.unique(classes, return_inverse=True)
    links = np.stack([np.arange(len(sequences)), row], 1)
    return SequencePairs(Sequences.of(sequences), texts[used], links)


def recall_at_1(pooling, train, val):
    """Fit the same linear map on what each pooling gives; returns sequence to text, percent."""
    pooled_encoder = SimpleNamespace(fingerprint=pooling.fingerprint, dim=pooling.dim(WIDTH))
    text_encoder = SimpleNamespace(fingerprint="texts-1", dim=12)
    aligner = RidgeAligner({"video": pooled_encoder, "text": text_encoder})
    aligner.fit(train.pooled(pooling))
    return aligner.evaluate(val.pooled(pooling)).as_dict()["i2t"]["R@1"]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Matrices this small are slower on several threads, and very slow on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fits():
    data = {
        "gru": (in_order(1500, 0), in_order(200, 9), 20),
        "attention": (needle(600, 0), needle(200, 9), 30),
    }
    made = {}
    for method, (train, val, epochs) in data.items():
        options = PoolingOptions(method=method, width=32, dim=32, epochs=epochs)
        made[method] = (fit_pooling(FRAMES, train, options, val), train, val)
    return made


def test_the_recurrent_head_learns_an_order_that_the_mean_cannot_see(fits):
    fit, train, val = fits["gru"]
    assert recall_at_1(MeanPooling(), train, val) < 65
    assert recall_at_1(fit.pooling, train, val) > 85


def test_attention_finds_the_one_frame_that_matters(fits):
    fit, train, val = fits["attention"]
    assert recall_at_1(MeanPooling(), train, val) < 50
    assert recall_at_1(fit.pooling, train, val) > 90
    marked = val.sequences.frames[:, :, 0].argmax(1)
    assert (fit.pooling.weights(val.sequences).argmax(1) == marked).mean() > 0.9


@pytest.mark.parametrize("method", ["mean", "max", "gru", "attention"])
def test_what_stands_after_the_end_plays_no_part(method, fits):
    pooling = {"mean": MeanPooling, "max": MaxPooling}.get(
        method, lambda: fits[method][0].pooling
    )()
    generator = np.random.default_rng(3)
    each = [unit(generator.normal(size=(length, WIDTH))) for length in (1, 4, 9)]
    together = pooling(Sequences.of(each))
    assert together.dtype == np.float32
    assert together.shape == (3, pooling.dim(WIDTH))
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    singly = np.concatenate([pooling(Sequences.of([one])) for one in each])
    np.testing.assert_allclose(together, singly, atol=1e-5)
    padded = Sequences.of(each)
    padded.frames[~padded.mask] = 7
    np.testing.assert_allclose(pooling(padded), singly, atol=1e-5)


@pytest.mark.parametrize("method", ["mean", "max", "attention"])
def test_a_pooling_that_keeps_the_space_leaves_a_single_frame_as_it_is(method, fits):
    pooling = {"mean": MeanPooling, "max": MaxPooling}.get(
        method, lambda: fits[method][0].pooling
    )()
    assert pooling.keeps_space
    np.testing.assert_allclose(pooling(Sequences.of([CONCEPTS[:1]])), CONCEPTS[:1], atol=1e-6)


@pytest.mark.parametrize("method", ["gru", "attention"])
def test_arrays_compute_what_was_trained(method, fits):
    import torch

    from tiepoint.sequences.towers import SequenceTowers

    _, train, val = fits[method]
    options = PoolingOptions(method=method, width=8, dim=8)
    model = SequenceTowers(train.sequences, train.targets, options, seed=1)
    for value in model.pooled.parameters():
        torch.nn.init.normal_(value, std=0.5)
    frames, mask = torch.from_numpy(val.sequences.frames), torch.from_numpy(val.sequences.mask)
    trained = model.pooled(frames, mask).detach().numpy()
    np.testing.assert_allclose(model.pooled.pooling()(val.sequences), trained, atol=2e-5)


@pytest.mark.parametrize("method", ["gru", "attention"])
def test_a_saved_pooling_is_the_same(method, fits, tmp_path):
    fit, _, val = fits[method]
    again = load_pooling(fit.save(tmp_path / "mine"), FRAMES)
    assert again.fingerprint == fit.pooling.fingerprint
    np.testing.assert_array_equal(again(val.sequences), fit.pooling(val.sequences))
    assert fit.card.metrics["val/rsum"] > 0
    assert fit.card.frames == "frames-1"


def test_a_fit_that_was_cut_short_goes_on_where_it_stopped(tmp_path):
    train = needle(80, 0)
    options = PoolingOptions(method="attention", width=8, dim=8, epochs=4)

    class KilledError(Exception):
        pass

    def kill(progress):
        if progress.done == 2:
            raise KilledError

    whole = fit_pooling(FRAMES, train, options, settings=FitSettings(seed=5))
    with pytest.raises(KilledError):
        fit_pooling(
            FRAMES, train, options, settings=FitSettings(seed=5, progress=kill, checkpoint=tmp_path)
        )
    resumed = fit_pooling(FRAMES, train, options, settings=FitSettings(seed=5, checkpoint=tmp_path))
    assert resumed.pooling.fingerprint == whole.pooling.fingerprint


def test_a_pooling_that_is_missing_damaged_or_for_others_is_refused(fits, tmp_path):
    fit = fits["gru"][0]
    with pytest.raises(ConfigError, match="there is no pooling"):
        load_pooling(tmp_path / "none", FRAMES)
    folder = fit.save(tmp_path / "mine")
    with pytest.raises(FingerprintError, match="fitted for the frames of 'frames-1'"):
        load_pooling(folder, SimpleNamespace(fingerprint="frames-2", dim=WIDTH))
    tensors = folder / "pooling.safetensors"
    content = tensors.read_bytes()
    tensors.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(InputError, match="truncated or was changed"):
        load_pooling(folder, FRAMES)
    tensors.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        load_pooling(folder, FRAMES)
    (folder / "pooling.json").write_text("{}")
    with pytest.raises(InputError, match="not the card of a fitted pooling"):
        load_pooling(folder, FRAMES)


def test_tensors_of_another_shape_are_refused(fits, tmp_path):
    from safetensors.numpy import load, save

    fit = fits["gru"][0]
    folder = save_pooling(tmp_path, fit.pooling, fit.card)
    tensors = load((folder / "pooling.safetensors").read_bytes())
    content = save({**tensors, "state": np.ascontiguousarray(tensors["state"][:-3])})
    (folder / "pooling.safetensors").write_bytes(content)
    card = fit.card.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()})
    (folder / "pooling.json").write_text(card.model_dump_json())
    with pytest.raises(InputError, match="do not fit the card"):
        load_pooling(folder, FRAMES)


def test_sequences_that_cannot_be_pooled_are_refused():
    good = CONCEPTS[:2]
    for bad in ([], [good, good[:0]], [good, good[:, :3]], [good * np.nan]):
        with pytest.raises(SchemaError):
            Sequences.of(bad)


def test_pairs_that_cannot_be_learned_from_are_refused():
    train = needle(20, 0)
    options = PoolingOptions(method="attention")
    with pytest.raises(InputError, match="a link names a row"):
        SequencePairs(train.sequences, train.targets, np.array([[0, 99]]))
    with pytest.raises(InputError, match="shape"):
        SequencePairs(train.sequences, train.targets, np.empty((0, 2), np.int64))
    with pytest.raises(InputError, match="NaN"):
        SequencePairs(train.sequences, train.targets * np.nan, train.links)
    with pytest.raises(FingerprintError, match="frames of 16 values"):
        fit_pooling(SimpleNamespace(fingerprint="x", dim=3), train, options)
    same = SequencePairs(train.sequences, train.targets[:1], np.array([[0, 0], [1, 0]]))
    with pytest.raises(InputError, match="same target"):
        fit_pooling(FRAMES, same, options)
