"""What an inspection finds, on a joint space small enough to know the answer by hand."""

from __future__ import annotations

import base64
import html
import io
import re

import numpy as np
import pytest
from PIL import Image

from tiepoint.evaluation.inspection import inspect_space
from tiepoint.evaluation.inspection_page import picture, render

LABELS = ("cat", "cat", "dog", "")
LINKS = np.array([[0, 0], [0, 1], [1, 2], [2, 3], [3, 4]])


@pytest.fixture
def found():
    """Four images on the axes; text 1 finds image 2, and text 2 finds image 0."""
    images = np.eye(4, dtype=np.float32)
    texts = np.array(
        [
            [1.0, 0.0, 0.0, 0.0],
            [0.5, 0.1, 0.8, 0.0],
            [0.6, 0.4, 0.5, 0.1],
            [0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ],
        np.float32,
    )
    return inspect_space(images, texts, LINKS, {}, LABELS)


def test_recall_by_class_is_that_of_the_texts_of_its_images(found):
    assert set(found.class_recall) == {"cat", "dog"}
    assert found.class_recall["cat"] == {
        "R@1": pytest.approx(100 / 3),
        "R@5": 100,
        "R@10": 100,
        "texts": 3,
    }
    assert found.class_recall["dog"]["R@1"] == 100


def test_confusions_are_the_largest_margins_with_the_images_they_are_about(found):
    first, second = found.confusions
    assert (first.text, first.found, first.right, first.rank) == (1, 2, 0, 1)
    assert first.margin == pytest.approx(0.3)
    assert (second.text, second.found, second.right, second.rank) == (2, 0, 1, 2)
    assert second.margin == pytest.approx(0.2)


def pixel(source):
    content = base64.b64decode(source.removeprefix("data:image/jpeg;base64,"))
    with Image.open(io.BytesIO(content)) as opened:
        return opened.size, opened.getpixel((5, 5))


def test_the_page_shows_each_confusion_with_its_text_and_its_two_pictures(found, tmp_path):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)]
    files = []
    for number, colour in enumerate(colours):
        files.append(tmp_path / f"{number}.png")
        Image.new("RGB", (320, 200), colour).save(files[-1])
    texts = ["a", "<b>two</b> & more", "c", "d", "e"]
    page = render(found, "mine", files, texts, LABELS)
    articles = re.findall(r"<article>.*?</article>", page, re.DOTALL)
    assert len(articles) == 2
    assert html.escape(texts[1], quote=False) in articles[0]
    assert "<b>" not in page
    assert "rank 2; another is more similar by 0.300" in articles[0]
    assert "found: dog" in articles[0]
    assert "belongs to the text: cat" in articles[0]
    for article, expected in zip(articles, ((2, 0), (0, 1)), strict=True):
        for source, row in zip(re.findall(r'src="([^"]+)"', article), expected, strict=True):
            size, colour = pixel(source)
            assert size == (160, 100)
            np.testing.assert_allclose(colour, colours[row], atol=8)


def test_a_picture_of_16_bits_is_shown_as_it_is_encoded(tmp_path):
    Image.fromarray(np.full((40, 40), 32768, np.uint16)).save(tmp_path / "x.png")
    np.testing.assert_allclose(pixel(picture(tmp_path / "x.png"))[1], 128, atol=3)


def test_a_space_without_a_wrong_hit_has_no_confusions(tmp_path):
    space = np.eye(3, dtype=np.float32)
    links = np.stack([np.arange(3)] * 2, 1)
    found = inspect_space(space, space, links, {})
    assert found.confusions == ()
    assert found.class_recall == {}
    assert "every text finds its own image first" in render(found, "mine", [], [], ())
