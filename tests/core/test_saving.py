"""Files that are replaced together: a failure leaves the former ones, and nothing partial."""

from __future__ import annotations

import errno
import resource
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.core.fusion.synthetic import examples
from tests.small_encoders import ColourEncoder, ColourWordEncoder
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.ridge import RidgeAligner
from tiepoint.cli.output import make_folder, write_file
from tiepoint.errors import InputError
from tiepoint.fusion.learned_weights import LearnedWeights
from tiepoint.saving import replace_together


@contextmanager
def no_file_above(size):
    """Let the system refuse to write more than some bytes to a file, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_files_or_none_are_replaced(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    replace_together({first: b"old", second: b"old"})
    with no_file_above(100), pytest.raises(OSError, match="too large"):
        replace_together({first: b"new", second: bytes(200)})
    assert contents(tmp_path) == {"first": b"old", "second": b"old"}
    replace_together({first: b"new", second: bytes(200)})
    assert contents(tmp_path) == {"first": b"new", "second": bytes(200)}


def test_a_fusion_whose_card_cannot_be_written_leaves_the_one_before(tmp_path):
    before, after = LearnedWeights(), LearnedWeights()
    before.fit(examples(40, 1))
    before.save(tmp_path)
    saved = contents(tmp_path)
    after.fit(examples(40, 2))
    with no_file_above(len(saved["fusion.safetensors"])), pytest.raises(OSError, match="too large"):
        after.save(tmp_path)
    assert contents(tmp_path) == saved
    assert LearnedWeights.load(tmp_path).card == before.card


def test_an_aligner_whose_card_cannot_be_written_leaves_the_one_before(tmp_path):
    encoders = {"image": ColourEncoder(), "text": ColourWordEncoder()}
    dims = {modality: encoder.dim for modality, encoder in encoders.items()}

    def fitted(seed):
        random = np.random.default_rng(seed)
        vectors = {m: random.normal(size=(50, d)).astype(np.float32) for m, d in dims.items()}
        aligner = RidgeAligner(encoders)
        aligner.fit(PairSet(vectors, np.repeat(np.arange(50), 2).reshape(-1, 2)))
        return aligner

    before, after = fitted(1), fitted(2)
    before.save(tmp_path)
    saved = contents(tmp_path)
    tensors = len(saved["aligner.safetensors"])
    after.with_card(metrics={f"figure {number}": 0.0 for number in range(tensors)})
    with no_file_above(tensors), pytest.raises(OSError, match="too large"):
        after.save(tmp_path)
    assert contents(tmp_path) == saved
    assert RidgeAligner.load(tmp_path, encoders).fingerprint == before.fingerprint


def test_a_page_that_cannot_be_written_whole_leaves_the_one_before(tmp_path):
    page = tmp_path / "page.html"
    write_file(page, b"old")
    with no_file_above(100), pytest.raises(OSError, match="too large"):
        write_file(page, bytes(200))
    assert contents(tmp_path) == {"page.html": b"old"}


def test_a_link_that_the_user_names_is_written_to(tmp_path):
    page, link = tmp_path / "page.html", tmp_path / "link"
    link.symlink_to(page)
    write_file(page, b"old")
    write_file(link, b"new")
    assert link.is_symlink()
    assert page.read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOENT, errno.EACCES, errno.ENOTDIR])
def test_a_place_that_takes_no_file_or_folder_is_wrong_input(tmp_path, monkeypatch, number):
    def refused(*_arguments, **_options):
        raise OSError(number, "refused")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(InputError, match="the file cannot be written"):
        write_file(tmp_path / "deep" / "page.html", b"new")
    with pytest.raises(InputError, match="the folder cannot be made"):
        make_folder(tmp_path / "deep")
