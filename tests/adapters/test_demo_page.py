"""The demo's page needs nothing but itself, escapes what it shows, and says what was found."""

import html
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from tiepoint import registry
from tiepoint.errors import InputError
from tiepoint.types import Contribution, Hit, Skipped
from tiepoint_adapters.demo.answers import Answer, Section
from tiepoint_adapters.demo.exhibits import Exhibit, Exhibited, Part, exhibits
from tiepoint_adapters.demo.filling import Filling
from tiepoint_adapters.demo.page import render
from tiepoint_adapters.demo.pictures import Picture
from tiepoint_adapters.demo.questions import Question, image_to_text
from tiepoint_adapters.demo.report import print_report

HOSTILE = '<script>alert("x")</script>'
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Reader(HTMLParser):
    """Collects the elements of a page, and checks that they are nested as they must be."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def pictures(tmp_path: Path) -> list[Picture]:
    pictures = []
    for name, colour in (("a", "red"), ("b", "blue")):
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (300, 200), colour).save(path)
        captions = {"english": f"{colour} {HOSTILE}", "chinese": "红色"}
        pictures.append(Picture(name, path, captions, "somebody"))
    return pictures


def contribution(route: str, value: float) -> Contribution:
    return Contribution(route, value, value, 1.0, value)


def page(pictures: list[Picture], encoded: int = 1, exhibits: Sequence[Exhibit] = ()) -> str:
    asked = Question("hybrid", HOSTILE, {"text": HOSTILE}, frozenset(["b"]), "en")
    hits = [
        Hit("a", 1.5, None, (contribution("text->image", 2.0), contribution("words->text", -0.5))),
        Hit("b", 1.0, None, (contribution("text->image", 1.0),)),
    ]
    heard = (contribution("image->text", 0.3),)
    caption = Hit("a/chinese", 0.3, None, heard, {"language": "zh"}, {"text": "红色"})
    unseen = Question("image-image", "others", {"image": str(pictures[0].path)}, picture="a")
    changed = Question(
        "image-image", "a, crop", {"image": Image.new("RGB", (50, 50))}, frozenset("a")
    )
    sections = [
        Section("hybrid", [Answer(asked, hits, 4.2)]),
        Section("image-text", [Answer(image_to_text(pictures[0]), [caption], 5.0)]),
        Section("image-image", [Answer(unseen, hits, 6.0), Answer(changed, [], 6.0)]),
    ]
    filling = Filling(2, 4, 0.5, 0.1, encoded, [Skipped("c.jpg", HOSTILE)])
    facts = {"preset": "fast", "deployment": "d.yaml", "warm_up_s": 1.0}
    return render(sections, pictures, filling, facts, exhibits)


def test_what_a_plugin_shows_is_escaped_and_has_its_picture(pictures):
    one = Exhibited(HOSTILE, [HOSTILE], b"jpeg", Path("clip.mp4"))
    shown = [Exhibit("yard", HOSTILE, HOSTILE, [Part(HOSTILE, [one], "zh"), Part("none", [])])]
    text = page(pictures, exhibits=shown)
    reader = Reader()
    reader.feed(text)
    assert HOSTILE not in text
    assert not reader.open
    assert "data:image/jpeg;base64,anBlZw==" in [i["src"] for i in reader.all("img")]
    assert "yard" in [section["id"] for section in reader.all("section")]


def test_a_plugin_that_cannot_show_anything_is_told_of_and_left_out(tmp_path, capsys):
    def broken(folder: Path, preset: str) -> Exhibit:
        raise InputError("no street is installed")

    def whole(folder: Path, preset: str) -> Exhibit:
        assert folder.is_dir()
        return Exhibit("", preset, "", [])

    undo = [
        registry.register(registry.EXHIBITS, name, show)
        for name, show in (("a_broken", broken), ("a_whole", whole))
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "names", lambda group: ["a_broken", "a_whole"])
        [shown] = exhibits(tmp_path, "fast")
    for take_away in undo:
        take_away()
    assert (shown.name, shown.title) == ("a_whole", "fast")
    assert shown.took_s > 0
    assert "goes on without a_broken: no street is installed" in capsys.readouterr().err


def test_the_page_refers_to_nothing_outside_itself_and_runs_nothing(pictures):
    text = page(pictures)
    reader = Reader()
    reader.feed(text)
    assert not reader.open
    assert not reader.all("script")
    assert not reader.all("link")
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    assert not re.search(r"url\(|@import|https?:", text)
    assert not [
        name for _, attributes in reader.elements for name in attributes if name[:2] == "on"
    ]
    [policy] = [m["content"] for m in reader.all("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_texts_are_shown_as_text(pictures):
    text = page(pictures)
    assert HOSTILE not in text
    assert text.count(html.escape(HOSTILE).replace("&quot;", "&#34;")) >= 3


def test_every_picture_has_words_and_every_text_its_language(pictures):
    reader = Reader()
    reader.feed(page(pictures))
    assert all(image["alt"].strip() for image in reader.all("img"))
    assert reader.all("html") == [{"lang": "en"}]
    assert "zh" in [p.get("lang") for p in reader.all("p")]


def test_bars_are_in_the_scale_of_the_question_and_mark_negative_ones(pictures):
    text = page(pictures)
    widths = re.findall(r'<i class="(c\d(?: minus)?)" style="width:([\d.]+)%">', text)
    assert widths[:3] == [("c0", "100.0"), ("c1 minus", "25.0"), ("c0", "50.0")]


def test_the_bar_of_a_weak_cosine_is_short_even_where_it_is_the_best(pictures):
    [width] = re.findall(r"image → text.*?\n.*?width:([\d.]+)%", page(pictures))
    assert width == "30.0"


def test_a_rate_is_told_only_where_every_picture_was_encoded(pictures):
    assert "<b>4/s</b>" in page(pictures, encoded=2)
    cached = page(pictures, encoded=1)
    assert "/s</b>" not in cached
    assert "<b>1</b>of their vectors came from the cache" in cached


def test_where_nothing_is_expected_nothing_is_said_of_it(pictures, capsys):
    asked = Question("text-image", "a \x1b[31mcat", {"text": "a cat"})
    hit = Hit("a", 0.2, None, (contribution("text->image", 0.2),))
    sections = [Section("text-image", [Answer(asked, [hit], 4.2)])]
    filling = Filling(2, 4, 0.5, 0.1, 2, [])
    facts = {"preset": "fast", "deployment": "d.yaml", "warm_up_s": 1.0}
    assert "Found first" not in render(sections, pictures, filling, facts)
    print_report(sections, filling, 1.0)
    told = capsys.readouterr().out
    assert "\\x1b[31mcat" in told
    assert "expected" not in told.lower()
    assert "–" not in told


def test_the_page_says_what_was_found_and_what_was_not(pictures):
    text = page(pictures)
    assert "found at 2" in text
    assert "found first" in text
    assert "not in the first 5" in text
    assert "<td>0 of 1</td><td>1 of 1</td>" in text
    assert "1 file could not be used" in text


def test_light_and_dark_are_both_designed(pictures):
    assert "@media (prefers-color-scheme: dark)" in page(pictures)
