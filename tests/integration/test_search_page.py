"""The examples of the page on searching do what it says."""

from __future__ import annotations

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "search.md"


def test_the_examples_of_the_page_run(tmp_path):
    names = {"folder": tmp_path / "store"}
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, globs=names)
    assert tried > 20
    assert failed == 0
