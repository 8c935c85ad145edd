"""A storyboard has few parts in order, and the right sentence for each."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import numpy as np
import pytest

from tests.videos import packaged_clip, plain, write_video
from tiepoint.cli.main import main
from tiepoint_security.storyboard.chapters import chapters_of, labelled
from tiepoint_security.storyboard.pieces import Piece


def piece(start_s: float, vector: list[float], motion: float = 0.0) -> Piece:
    return Piece(
        start_s,
        start_s + 5,
        np.array(vector, np.float32),
        motion,
        np.zeros((2, 2, 3), np.uint8),
        start_s + 1,
    )


ONE, TWO = [1.0, 0.0], [0.0, 1.0]


def test_neighbours_that_look_alike_become_one():
    vectors = [ONE, ONE, TWO, TWO, TWO, ONE]
    pieces = [piece(5 * n, v, motion=n == 3) for n, v in enumerate(vectors)]
    chapters = chapters_of(pieces, 3)
    assert [(c.start_s, c.end_s) for c in chapters] == [(0, 10), (10, 25), (25, 30)]
    assert chapters[1].shown(None) is pieces[3]
    assert len(chapters_of(pieces, 10)) == 6
    assert len(chapters_of(pieces, 1)) == 1


def test_a_sentence_that_is_near_to_everything_does_not_win_everywhere():
    near_all = [0.8, 0.6]
    near_two = [-0.6, 0.8]
    pieces = [piece(0, ONE), piece(5, TWO)]
    fitting, gains = labelled(chapters_of(pieces, 2), pieces, np.array([near_all, near_two]))
    assert fitting == [0, 1]
    assert gains.shape == (2, 2)


def test_the_frame_is_of_the_seconds_that_fit_the_sentence_best():
    pieces = [piece(0, ONE, motion=0.5), piece(5, TWO)]
    [whole] = chapters_of(pieces, 1)
    assert whole.shown(np.array(TWO, np.float32)) is pieces[1]
    assert whole.shown(None) is pieces[0]


def test_where_nothing_stands_out_there_is_no_label():
    pieces = [piece(0, ONE), piece(5, ONE)]
    fitting, _ = labelled(chapters_of(pieces, 2), pieces, np.array([[0.9, 0.1]]))
    assert fitting == [None, None]


def test_a_film_becomes_a_page_with_times_and_labels(capfd, tmp_path):
    film = packaged_clip("bikes.mp4")
    out = tmp_path / "story"
    sentences = ["a bicycle leans on the wall of a house", "一个男人走过出租车"]
    code = main(
        [
            *("security", "summarize", str(film), "--out", str(out), "--most", "5", "--json"),
            *(word for sentence in sentences for word in ("--label", sentence)),
        ]
    )
    told = json.loads(capfd.readouterr().out)
    assert code == 0
    segments = told["segments"]
    assert segments[0]["start_s"] == 0
    assert told["duration_s"] == pytest.approx(10, abs=0.1)
    assert all(one["end_s"] == two["start_s"] for one, two in pairwise(segments))
    assert segments[-1]["label"] == sentences[0]
    assert sentences[1] in [segment["label"] for segment in segments]
    page = (out / "storyboard.html").read_text("utf-8")
    assert page.count("<li>") == len(segments) == 5
    assert sentences[1] in page
    assert not re.search(r"https?:|<script", page)
    assert all((out / segment["frame"]).stat().st_size > 1000 for segment in segments)
    assert json.loads((out / "storyboard.json").read_text("utf-8"))["segments"] == segments


@pytest.mark.parametrize(
    ("name", "line"),
    [("absent.mp4", "no such file"), ("text.mp4", "text.mp4"), ("empty.mp4", "empty")],
)
def test_what_is_no_video_is_one_line_and_code_2(capfd, tmp_path, name, line):
    (tmp_path / "text.mp4").write_text("hello " * 1000)
    (tmp_path / "empty.mp4").touch()
    code = main(["security", "summarize", str(tmp_path / name), "--out", str(tmp_path / "out")])
    told = capfd.readouterr()
    assert code == 2
    assert line in told.err
    assert len(told.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_an_empty_label_and_a_file_as_folder_are_refused(capfd, tmp_path):
    film = write_video(tmp_path / "film.mp4", plain((9, 9, 9), 20, 64))
    (tmp_path / "file").touch()
    for words, line in (
        (("--out", tmp_path / "out", "--label", " "), "a label is empty"),
        (("--out", tmp_path / "file"), "is a file"),
    ):
        code = main(["security", "summarize", str(film), *map(str, words)])
        assert code == 2
        assert line in capfd.readouterr().err
