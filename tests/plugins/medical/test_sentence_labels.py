"""The 400 hand-labelled sentences: how often their findings are read as a reader does."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tiepoint_medical.reports.assertion import Assertions
from tiepoint_medical.reports.mentions import MentionFinder
from tiepoint_medical.reports.report import report_reader

DATA = Path(os.environ.get("TIEPOINT_DATA", "../shared/data"))
REPORTS = DATA / "iu_reports_text_only" / "indiana_reports.csv"
ADDED_LATER = {"hypoinflation", "cystic_fibrosis"}
STRENGTH = ("absent", "uncertain", "present")


@pytest.mark.skipif(not REPORTS.is_file(), reason="needs the Indiana reports (TIEPOINT_DATA)")
@pytest.mark.parametrize("part", ["tuning", "final"])
def test_findings_are_read_as_by_hand(part: str) -> None:
    with REPORTS.open(encoding="utf-8") as file:
        reports = {row["uid"]: row for row in csv.DictReader(file)}
    finder, assertions = MentionFinder(report_reader().vocabulary), Assertions()
    counts: Counter[str] = Counter()
    for (uid, section, number, digest), wanted in labels(part).items():
        sentence = re.split(r"(?<=[.!?])\s+", reports[uid][section].strip())[int(number)]
        assert hashlib.sha256(sentence.encode()).hexdigest().startswith(digest)
        mentions = [m for m in finder.find(sentence, "en") if not m.normal]
        found: dict[str, str] = {}
        for mention, status in zip(mentions, assertions.of(sentence, mentions, "en"), strict=True):
            known = found.get(mention.finding, status)
            found[mention.finding] = max(known, status, key=STRENGTH.index)
        for finding in (wanted.keys() | found.keys()) - ADDED_LATER:
            right, said = wanted.get(finding), found.get(finding)
            counts["right"] += 2 * (right == said)
            counts["of"] += (right is not None) + (said is not None)
            for status in ("absent", "uncertain"):
                counts[f"{status} right"] += 2 * (right == said == status)
                counts[f"{status} of"] += (right == status) + (said == status)
    assert counts["right"] / counts["of"] >= 0.95
    for status in ("absent", "uncertain"):
        assert counts[f"{status} right"] / counts[f"{status} of"] >= 0.95


def labels(part: str) -> dict[tuple[str, str, str, str], dict[str, str]]:
    """Return the agreed labels by sentence."""
    made: dict[tuple[str, str, str, str], dict[str, str]] = defaultdict(dict)
    with Path(__file__).with_name("iu_sentence_labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["part"] == part:
                sentence = made[row["uid"], row["section"], row["sentence"], row["sha256"]]
                if row["agreed"]:
                    sentence[row["finding"]] = row["agreed"]
    assert len(made) == 200
    return made
