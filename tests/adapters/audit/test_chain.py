"""Logs that were begun with an earlier release hash to what they hold."""

from __future__ import annotations

import pytest

from tiepoint_adapters.audit.chain import BEGINNING, Hashing, Link, verified

ALERT = (1, "2026-01-02T03:04:05+00:00", "ada", "viewed", "größe", {"b": 1.5, "a": "ü"}, BEGINNING)
MATCH = (1, 1700000000.5, "ada", "viewed", "größe", {"b": 1.5, "a": "ü"}, BEGINNING)
REQUEST = (BEGINNING, 1, 1700000000.5, "key:ada", "127.0.0.1", "viewed", "/größe")


@pytest.mark.parametrize(
    ("hashing", "said", "digest"),
    [
        (Hashing(True), ALERT, "931f1b1613e4d944aa0c0331d13d80638ec4a5a719994932d615a880130e43ea"),
        (
            Hashing(True, b"a secret"),
            ALERT,
            "eeab8f3a4aac67bbec30732ef09cf15c113fe7cc6914f97f75e93a0c219ed614",
        ),
        (Hashing(False), MATCH, "13b5a4653e7e3e9bc0ef5a6733293303cbf45989d781ea2921169f2beac12188"),
        (
            Hashing(False),
            REQUEST,
            "a2c65458771425e830a3459edd0a97b61520d734d9f45b19be7aec8ed110fb9c",
        ),
    ],
)
def test_hashes_are_those_of_logs_that_there_are(hashing, said, digest):
    assert hashing(said) == digest


def test_check_may_begin_within_a_chain():
    links = [Link(3, "b", "c", "c"), Link(4, "c", "d", "d")]
    assert verified(links, after=2, before="b").intact
    assert verified(links, after=2, before="x").broken_at == 3
    assert verified(links).broken_at == 1
    assert verified(links, head="b", after=2, before="b").intact
