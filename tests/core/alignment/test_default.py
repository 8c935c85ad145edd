"""The shipped aligner: its files, its encoders, and that it finds pictures from sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tiepoint.alignment.card import SAVED
from tiepoint.alignment.default import DefaultAligner, shipped
from tiepoint.assembly import Assembly
from tiepoint.embedded import WORDS, embedded_deployment
from tiepoint.encoders.base import Encoder
from tiepoint.encoders.concat import ConcatEncoder
from tiepoint.encoders.timm_image import TimmEncoder
from tiepoint.encoders.use import UseEncoder
from tiepoint.errors import FingerprintError
from tiepoint.types import IMAGE, TEXT

MOST_BYTES = 8 * 10**6
PICTURES = Path(pytest.importorskip("skimage").__file__).parent / "data"
SENTENCES = {
    "chelsea.png": ("a cat looking at the camera", "一只猫看着镜头"),
    "rocket.jpg": ("a rocket lifts off into the sky", "火箭升空"),
    "coffee.png": ("a cup of coffee on a table", "桌上的一杯咖啡"),
    "motorcycle_left.png": ("a motorcycle in a garage", "一辆摩托车"),
}


def encoders(preset: str) -> dict[str, Encoder]:
    return {IMAGE: TimmEncoder(preset=preset), TEXT: ConcatEncoder(WORDS["encoders"])}


def test_weights_are_small() -> None:
    files = [folder / name for folder in shipped().values() for name in (SAVED.card, SAVED.tensors)]
    assert 0 < sum(file.stat().st_size for file in files) <= MOST_BYTES


@pytest.mark.parametrize("preset", sorted(shipped()))
def test_embedded_deployment_uses_it(preset: str) -> None:
    aligner = Assembly(embedded_deployment("unused", preset)).aligner
    assert isinstance(aligner, DefaultAligner)
    assert aligner.folder == shipped()[preset]
    aligner.warm_up()


def test_other_encoders_are_refused_with_what_to_take() -> None:
    wrong = {IMAGE: TimmEncoder(preset="fast"), TEXT: UseEncoder()}
    with pytest.raises(FingerprintError, match=r"concat.*tiepoint align fit"):
        DefaultAligner(wrong)


@pytest.mark.parametrize("preset", sorted(shipped()))
def test_card_says_data_figures_and_terms(preset: str) -> None:
    card = SAVED.read_card(shipped()[preset])
    assert "non-commercial" in card.notice
    assert "flickr8k" in card.notice
    assert {"en", "zh"} <= card.metrics.keys()
    assert card.metrics["en"]["rsum"] > card.metrics["zh"]["rsum"] > 150
    assert {"image->text", "text->image"} <= card.calibration.keys()


@pytest.mark.parametrize("language", [0, 1], ids=["english", "chinese"])
def test_sentences_find_pictures_that_it_never_saw(language: int) -> None:
    made = encoders("fast")
    aligner = DefaultAligner(made)
    pictures = aligner.transform(
        IMAGE, made[IMAGE].encode([str(PICTURES / name) for name in SENTENCES])
    )
    asked = [words[language] for words in SENTENCES.values()]
    texts = aligner.transform(TEXT, made[TEXT].encode(asked))
    found = (texts @ pictures.T).argmax(1)
    assert np.count_nonzero(found == np.arange(len(asked))) >= 3


def test_both_languages_ask_the_same_image_vectors() -> None:
    made = encoders("fast")
    aligner = DefaultAligner(made)
    english, chinese = aligner.transform(
        TEXT, made[TEXT].encode(["a dog runs over the grass", "一只狗在草地上奔跑"])
    )
    other = aligner.transform(TEXT, made[TEXT].encode(["two men repair a bicycle"]))[0]
    assert english @ chinese > english @ other + 0.2
