"""Sentences and examples, calibrated on what a camera usually shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.plugins.security.views import looked, put, thing, view
from tests.small_encoders import ColourAligner, ColourEncoder, ColourWordEncoder
from tiepoint.errors import ConfigError
from tiepoint_security.rules.triggers import DescribedSettings
from tiepoint_security.scene.ordinary import QUARANTINE_S, Ordinary, usual
from tiepoint_security.scene.vision import Vision, cut_out
from tiepoint_security.triggers.abnormal import AbnormalLooks
from tiepoint_security.triggers.base import Zones
from tiepoint_security.triggers.described import Described

EVERYWHERE = Zones({}, ())
GREY, RED = (120, 130, 125), (255, 10, 10)


class ArrayColourEncoder(ColourEncoder):
    """Takes arrays, as frames are."""

    def prepare(self, part: object, modality: str | None = None) -> object:
        return super().prepare(Image.fromarray(part) if isinstance(part, np.ndarray) else part)


@pytest.fixture
def vision() -> Vision:
    encoder = ArrayColourEncoder()
    return Vision(encoder, ColourAligner({"image": encoder, "text": ColourWordEncoder()}))


def picture(colour: tuple[int, int, int], chance: np.random.Generator) -> np.ndarray:
    noisy = np.array(colour) + chance.normal(0, 12, 3)
    return np.broadcast_to(np.clip(noisy, 0, 255).astype(np.uint8), (16, 16, 3)).copy()


def ordinary_of(vision: Vision, things: int, looks: int = 5) -> Ordinary:
    """Return what a camera usually shows: so many grey things, looked at some times each."""
    chance = np.random.default_rng(0)
    ordinary = Ordinary(vision.fingerprint)
    time_s = 0.0
    for number in range(things):
        own, joint = vision.see([picture(GREY, chance) for _ in range(looks)])
        for row in range(looks):
            time_s += 1.0
            assert joint is not None
            ordinary.offer(time_s, usual(own[row], joint[row], str(number)))
            ordinary.step(time_s)
    ordinary.step(time_s + QUARANTINE_S)
    ordinary.settle()
    return ordinary


def scores(
    trigger: Described | AbnormalLooks, vision: Vision, colour: tuple[int, int, int]
) -> float:
    """Return the score of somebody of a colour, who is still there, after three looks."""
    region = thing("somebody")
    for number in range(3):
        [own], joint = vision.see([picture(colour, np.random.default_rng(number))])
        put(region, 0.5, 0.8, 1000.0 + number)
        looked(region, own, 1000.0 + number)
        assert joint is not None
        region.look = type(region.look)(1000.0 + number, own, joint[0])  # type: ignore[misc]
        trigger.step(view(1000.0 + number, region, fresh=(region,)))
    return trigger.score(region)


def test_sentence_fires_while_it_happens_and_not_on_what_is_usual(vision: Vision) -> None:
    ordinary = ordinary_of(vision, 60)
    trigger = Described(DescribedSettings(text="red"), EVERYWHERE, vision, ordinary)
    assert scores(trigger, vision, RED) > 0.5
    other = Described(DescribedSettings(text="red"), EVERYWHERE, vision, ordinary)
    assert scores(other, vision, GREY) < 0.5
    assert trigger.readiness().ready


def test_too_little_footage_says_how_much_more(vision: Vision) -> None:
    trigger = Described(DescribedSettings(text="red"), EVERYWHERE, vision, ordinary_of(vision, 8))
    assert scores(trigger, vision, RED) == 0
    missing = trigger.readiness().missing
    assert "60 more looks" in missing
    assert "(40 of 100)" in missing
    assert "about 2 min" in missing


def test_looks_that_wait_are_told_of_and_count_when_the_footage_is_over(vision: Vision) -> None:
    ordinary = ordinary_of(vision, 8)
    trigger = Described(DescribedSettings(text="red"), EVERYWHERE, vision, ordinary)
    [own], joint = vision.see([picture(GREY, np.random.default_rng(0))])
    assert joint is not None
    for number in range(50):
        ordinary.offer(1000.0, usual(own, joint[0], str(number)))
    assert "(40 of 100, 50 taken just now)" in trigger.readiness().missing
    ordinary.settle()
    assert "10 more looks" in trigger.readiness().missing


def test_example_picture_fires_like_a_sentence(vision: Vision, tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), RED).save(tmp_path / "red.png")
    settings = DescribedSettings(picture=tmp_path / "red.png")
    trigger = Described(settings, EVERYWHERE, vision, ordinary_of(vision, 60))
    assert scores(trigger, vision, RED) > 0.5
    assert scores(trigger, vision, GREY) < 0.5


def test_thing_that_looks_like_nothing_usual_is_abnormal(vision: Vision) -> None:
    trigger = AbnormalLooks(EVERYWHERE, ordinary_of(vision, 60), 1.0)
    assert scores(trigger, vision, RED) > 0.5
    assert scores(AbnormalLooks(EVERYWHERE, ordinary_of(vision, 60), 1.0), vision, GREY) < 0.5


def test_sentence_without_alignment_is_refused() -> None:
    vision = Vision(ArrayColourEncoder(), None)
    with pytest.raises(ConfigError, match="alignment of texts"):
        Described(DescribedSettings(text="red"), EVERYWHERE, vision, Ordinary("x"))


def test_intruder_does_not_become_ordinary_and_a_false_alarm_does(vision: Vision) -> None:
    ordinary = ordinary_of(vision, 60)
    before = len(ordinary)
    [own], joint = vision.see([picture(RED, np.random.default_rng(1))])
    assert joint is not None
    ordinary.offer(2000.0, usual(own, joint[0], "intruder"))
    ordinary.reject("intruder")
    ordinary.step(2000.0 + QUARANTINE_S)
    assert len(ordinary) == before
    for number in range(8):
        ordinary.mark_false(usual(own, joint[0], f"false alarm {number}"))
    trigger = Described(DescribedSettings(text="red"), EVERYWHERE, vision, ordinary)
    assert scores(trigger, vision, RED) < 0.5


def test_what_is_usual_survives_a_restart_and_not_another_encoder(
    vision: Vision, tmp_path: Path
) -> None:
    ordinary = ordinary_of(vision, 10)
    chance = np.random.default_rng(3)
    own, joint = vision.see([picture(GREY, chance)])
    assert joint is not None
    ordinary.offer(900.0, usual(own[0], joint[0], "shown", lambda side: bytes([side])))
    ordinary.settle()
    ordinary.save(tmp_path / "regions.safetensors")
    again = Ordinary.load(tmp_path / "regions.safetensors", vision.fingerprint)
    assert len(again) == len(ordinary)
    assert again.subjects_per_hour == ordinary.subjects_per_hour
    assert [content for _, content in again.nearest(own[0], 3)] == [bytes([96])]
    assert len(Ordinary.load(tmp_path / "regions.safetensors", "another")) == 0


def test_number_of_looks_that_are_kept_is_bounded(vision: Vision) -> None:
    ordinary = Ordinary(vision.fingerprint, capacity=50)
    own, _ = vision.see([picture(GREY, np.random.default_rng(1))])
    for number in range(500):
        ordinary.offer(float(number), usual(own[0], None, str(number)))
        ordinary.step(float(number))
    ordinary.settle()
    assert len(ordinary) == 50
    assert ordinary.seen == 500


def test_box_at_the_edge_is_cut_out_and_one_outside_is_not() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    piece = cut_out(pixels, (0.9, 0.5, 1.0, 1.0))
    assert piece is not None
    assert piece.shape[0] >= 50
    assert cut_out(pixels, (1.2, 0.5, 1.3, 1.0)) is None
