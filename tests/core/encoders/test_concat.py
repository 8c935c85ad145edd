"""Several encoders of one modality side by side."""

from __future__ import annotations

import numpy as np
import pytest

from tiepoint.encoders.concat import ConcatEncoder
from tiepoint.encoders.transformers_text import TransformersTextEncoder
from tiepoint.encoders.use import UseEncoder
from tiepoint.errors import ConfigError, DecodeError, PluginError

MINILM, USE = {"type": "transformers-text"}, {"type": "use"}
TEXTS = ["a dog runs over grass", "一只狗在草地上奔跑", "two men on a boat"]


@pytest.fixture(scope="module")
def both() -> ConcatEncoder:
    return ConcatEncoder([MINILM, USE])


def test_cosine_is_the_mean_of_the_members_cosines(both: ConcatEncoder) -> None:
    vectors = both.encode(TEXTS)
    single = [member.encode(TEXTS) for member in (TransformersTextEncoder(), UseEncoder())]
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, both.dim) == (3, 384 + 512)
    np.testing.assert_allclose(vectors @ vectors.T, sum(x @ x.T for x in single) / 2, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_fingerprint_names_every_member_in_its_order(both: ConcatEncoder) -> None:
    assert TransformersTextEncoder().fingerprint in both.fingerprint
    assert UseEncoder().fingerprint in both.fingerprint
    assert ConcatEncoder([USE, MINILM]).fingerprint != both.fingerprint
    assert ConcatEncoder([MINILM, USE | {"max_length": 64}]).fingerprint != both.fingerprint


def test_text_that_one_member_cannot_take_is_refused(both: ConcatEncoder) -> None:
    with pytest.raises(DecodeError, match="empty"):
        both.encode([" "])


@pytest.mark.parametrize(
    ("members", "error", "words"),
    [
        ([MINILM], ConfigError, "two encoders"),
        ([MINILM, {"max_length": 9}], ConfigError, "needs a type"),
        ([MINILM, {"type": "usee"}], PluginError, "usee"),
        ([MINILM, USE | {"size": 1}], ConfigError, "size"),
    ],
)
def test_wrong_members_are_refused_at_once(
    members: list[dict[str, object]], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ConcatEncoder(members)


def test_members_of_different_modalities_are_refused() -> None:
    mixed = ConcatEncoder([USE, {"type": "timm", "preset": "fast"}])
    with pytest.raises(ConfigError, match="encoders take"):
        mixed.encode(["a"])
