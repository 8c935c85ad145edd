"""What reports say: sections, negation, uncertainty, side, severity, place; in two languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiepoint.errors import ConfigError, InputError
from tiepoint_medical.knowledge.logic import closure, contradictions, widened
from tiepoint_medical.knowledge.vocabulary import chest_vocabulary, extended_vocabulary
from tiepoint_medical.reports.report import MAX_CHARACTERS, ReportReader, report_reader


def read(text: str) -> dict[str, str]:
    return dict(report_reader().read(text).profile)


@pytest.mark.parametrize(
    ("sentence", "finding", "status"),
    [
        ("Small left pleural effusion.", "pleural_effusion", "present"),
        ("No pleural effusion or pneumothorax.", "pneumothorax", "absent"),
        ("The heart is not enlarged.", "cardiomegaly", "absent"),
        ("Lungs are clear of consolidation.", "consolidation", "absent"),
        ("Cardiomegaly without edema.", "cardiomegaly", "present"),
        ("Cardiomegaly without edema.", "pulmonary_edema", "absent"),
        ("Cannot exclude pneumonia in the left lower lobe.", "pneumonia", "uncertain"),
        ("Opacity which may represent atelectasis.", "opacity", "present"),
        ("Opacity which may represent atelectasis.", "atelectasis", "uncertain"),
        ("Left basilar atelectasis or scarring.", "atelectasis", "uncertain"),
        ("No opacity to suggest pneumonia.", "pneumonia", "absent"),
        ("No change in the left pneumothorax.", "pneumothorax", "present"),
        ("The endotracheal tube has been removed.", "endotracheal_tube", "absent"),
        ("Pneumonia cannot be ruled out.", "pneumonia", "uncertain"),
        ("Heart size is normal.", "cardiomegaly", "absent"),
        ("No pneumothorax, but a small effusion.", "pleural_effusion", "present"),
        ("未见胸腔积液及气胸。", "pneumothorax", "absent"),
        ("Left effusion ?pneumonia.", "pneumonia", "uncertain"),
        ("Left effusion ?pneumonia.", "pleural_effusion", "present"),
        ("Left effusion (pneumonia?).", "pneumonia", "uncertain"),
        ("Left effusion (pneumonia?).", "pleural_effusion", "present"),
        ("The patient?s left lung has a nodule.", "nodule", "present"),
        ("No effusion. ?? nodule", "nodule", "uncertain"),
        ("肺炎？", "pneumonia", "uncertain"),
        ("右肺下叶见斑片影，考虑肺炎。", "pneumonia", "uncertain"),
        ("左侧少量胸腔积液。", "pleural_effusion", "present"),
        ("肺炎不除外。", "pneumonia", "uncertain"),
    ],
)
def test_status_of_a_finding(sentence: str, finding: str, status: str) -> None:
    assert read(sentence)[finding] == status


def test_side_severity_and_place_belong_to_their_own_finding() -> None:
    report = report_reader().read("Mild right basilar atelectasis and large left effusion.")
    atelectasis, effusion = (s.attributes for s in report.statements)
    assert (atelectasis.side, atelectasis.severity) == ("right", "mild")
    assert atelectasis.regions == ("lower_lung_zone",)
    assert (effusion.side, effusion.severity) == ("left", "severe")


def test_history_and_unknown_headings_say_nothing_about_the_image() -> None:
    report = report_reader().read(
        "NDICATION: Pneumonia.\nCOMPARISON: Effusion on former study.\n"
        "HISTORY: History of tuberculosis.\nFINDINGS: Clear lungs.\nIMPRESSION: No pneumothorax."
    )
    assert [section.name for section in report.sections] == [
        "other",
        "comparison",
        "indication",
        "findings",
        "impression",
    ]
    assert set(report.profile) == {"opacity", "pneumothorax"}


def test_statements_about_former_studies_are_marked() -> None:
    report = report_reader().read("Effusion is unchanged. There is a nodule.")
    assert [s.attributes.compares for s in report.statements] == [True, False]


def test_a_report_that_contradicts_itself_is_told() -> None:
    report = report_reader().read("FINDINGS: No left effusion.\nIMPRESSION: Left effusion.")
    assert report.contradictions == ("pleural_effusion",)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("", "empty"),
        ("FINDINGS:\n", "empty"),
        ("Kein Erguss, Herz normal groß.", "neither English"),
    ],
)
def test_what_cannot_be_read_is_said_and_not_guessed(text: str, warning: str) -> None:
    report = report_reader().read(text)
    assert not report.statements
    assert warning in report.warnings[0]


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="longer than"):
        report_reader().read("x" * (MAX_CHARACTERS + 1))


def test_the_vocabulary_has_thirty_coded_findings_in_two_languages() -> None:
    findings = chest_vocabulary().findings.values()
    assert sum(f.radlex is not None and bool(f.en) and bool(f.zh) for f in findings) >= 30


def test_a_site_adds_findings_and_names(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(
        "findings:\n"
        "  azygos_lobe: {located_in: [lung], en: [azygos lobe]}\n"
        "  pneumothorax: {en: [collapsed by air]}\n",
        encoding="utf-8",
    )
    reader = ReportReader(extended_vocabulary([file]))
    profile = reader.read(
        "No azygos lobe. Lung collapsed by air. No pneumothorax elsewhere."
    ).profile
    assert profile == {"azygos_lobe": "absent", "pneumothorax": "present"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("findings: {a: {is_a: [b], en: [a]}}", "no finding"),
        ("findings: {a: {is_a: [a], en: [a]}}", "circle"),
        ("findings: {a: {colour: red}}", "Extra inputs"),
        ("findings: {a: {radlex: 12, en: [a]}}", "string"),
        ("- a", "no mapping"),
        ("a: [", "no YAML"),
    ],
)
def test_a_wrong_vocabulary_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        extended_vocabulary([file])


def test_what_follows_from_a_profile() -> None:
    vocabulary = chest_vocabulary()
    known = closure({"consolidation": "present", "pneumothorax": "absent"}, vocabulary)
    assert known["opacity"] == "present"
    assert closure({"opacity": "absent"}, vocabulary)["consolidation"] == "absent"
    assert closure({"hyperinflation": "present"}, vocabulary)["hypoinflation"] == "absent"
    assert "consolidation" in widened("opacity", vocabulary)


def test_contradictions_of_two_profiles() -> None:
    vocabulary = chest_vocabulary()
    found = contradictions({"consolidation": "present"}, {"opacity": "absent"}, vocabulary)
    assert [(one.finding, one.against) for one in found] == [("consolidation", "opacity")]
    both = contradictions({"hyperinflation": "present"}, {"hypoinflation": "present"}, vocabulary)
    assert len(both) == 1
    assert not contradictions({"nodule": "present"}, {"pneumonia": "absent"}, vocabulary)


@pytest.mark.parametrize("text", ["Small effusion?", "Heart normal. ?Effusion.", "? Effusion."])
def test_what_is_asked_is_not_stated(text):
    assert report_reader().read(text).profile["pleural_effusion"] == "uncertain"
