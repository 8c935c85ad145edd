"""Results as DICOM structured reports: TID 1500 with findings, and a Basic Text SR (TID 2000)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    ComprehensiveSR,
    ContainerContentItem,
    DeviceObserverIdentifyingAttributes,
    EnhancedSR,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    RelationshipTypeValues,
    TextContentItem,
    TrackingIdentifier,
    UIDRefContentItem,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import BasicTextSRStorage, generate_uid

from tiepoint_medical.reports.language import language_of
from tiepoint_medical.results.draft import OWN_SCHEME, Draft, ReportedFinding, header_of, study_of

MANUFACTURER = "tiepoint"
SERIES_DESCRIPTION = "Unverified machine output"
SERIES_NUMBER = 990

_PRESENCE = CodedConcept("705057003", "SCT", "Presence")
_PRESENT = CodedConcept("52101004", "SCT", "Present")
_ABSENT = CodedConcept("2667000", "SCT", "Absent")
_PROBABILITY = CodedConcept("match-probability", OWN_SCHEME, "Calibrated match probability")
_OPTIONS: dict[str, Any] = {
    "manufacturer": MANUFACTURER,
    "is_complete": True,
    "is_verified": False,
    "is_final": False,
    "performed_procedure_codes": None,
    "requested_procedures": None,
    "specific_character_set": "ISO_IR 192",  # a draft may be Chinese, whatever its images are
}
_NO_UNITS = CodedConcept("1", "UCUM", "no units")
_IMAGING = CodedConcept("363679005", "SCT", "Imaging procedure")
_SECTIONS = {
    "findings": (
        CodedConcept("121070", "DCM", "Findings"),
        CodedConcept("121071", "DCM", "Finding"),
    ),
    "impression": (
        CodedConcept("121072", "DCM", "Impressions"),
        CodedConcept("121073", "DCM", "Impression"),
    ),
}


def measurement_report(images: Sequence[Any], draft: Draft) -> Dataset:
    """Return the findings as a Comprehensive SR by TID 1500, ready to be written or sent.

    Args:
        images: Data sets of the study's images, which are the evidence.
        draft: What was found.

    Raises:
        InputError: See `study_of`.
    """
    study_of(images)
    uid = generate_uid()
    content = MeasurementReport(
        observation_context=_context(uid),
        procedure_reported=_IMAGING,
        imaging_measurements=[_group(finding) for finding in draft.findings] or None,
        title=codes.DCM.ImagingMeasurementReport,
    )
    report = ComprehensiveSR(
        evidence=[header_of(image) for image in images],
        content=content[0],
        series_number=SERIES_NUMBER,
        instance_number=1,
        series_instance_uid=generate_uid(),
        sop_instance_uid=uid,
        **_OPTIONS,
    )
    return _marked(report)


def text_report(images: Sequence[Any], draft: Draft) -> Dataset:
    """Return the drafted report as a Basic Text SR; each sentence names its source cases.

    Args:
        images: Data sets of the study's images, which are the evidence.
        draft: The sentences, and what made them.

    Raises:
        InputError: See `study_of`.
    """
    study_of(images)
    uid = generate_uid()
    root = ContainerContentItem(
        name=CodedConcept("18748-4", "LN", "Diagnostic imaging report"), template_id="2000"
    )
    contains = RelationshipTypeValues.CONTAINS
    content = [
        _language(draft),
        *_device(uid),
        _text(CodedConcept("121106", "DCM", "Comment"), f"{draft.notice} Made by {draft.model}."),
    ]
    for name, (title, kind) in _SECTIONS.items():
        sentences = [one for one in draft.sentences if one.section == name]
        if sentences:
            section = ContainerContentItem(name=title, relationship_type=contains)
            section.ContentSequence = [
                _text(kind, f"{one.text} [{', '.join(one.sources)}]") for one in sentences
            ]
            content.append(section)
    root.ContentSequence = content
    report = EnhancedSR(
        evidence=[header_of(image) for image in images],
        content=root,
        series_number=SERIES_NUMBER + 1,
        instance_number=1,
        series_instance_uid=generate_uid(),
        sop_instance_uid=uid,
        **_OPTIONS,
    )
    # highdicom has no class for Basic Text SR; these items are all of those that it allows.
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = BasicTextSRStorage
    return _marked(report)


def _marked(report: Dataset) -> Dataset:
    """Say in the header, too, that nobody has checked it."""
    report.SeriesDescription = SERIES_DESCRIPTION
    report.ManufacturerModelName = "tiepoint-medical"
    report.SoftwareVersions = version("tiepoint-medical")
    report.DeviceSerialNumber = version("tiepoint-medical")
    report.ContentDate, report.ContentTime = _now()
    report.PreliminaryFlag = "PRELIMINARY"
    return report


def _now() -> tuple[str, str]:
    now = dt.datetime.now()
    return now.strftime("%Y%m%d"), now.strftime("%H%M%S")


def _context(uid: str) -> ObservationContext:
    device = DeviceObserverIdentifyingAttributes(
        uid=generate_uid(entropy_srcs=["tiepoint-medical", version("tiepoint-medical")]),
        name="tiepoint-medical",
        manufacturer_name=MANUFACTURER,
        model_name=version("tiepoint-medical"),
    )
    observer = ObserverContext(
        observer_type=codes.DCM.Device, observer_identifying_attributes=device
    )
    return ObservationContext(observer_device_context=observer)


def _group(finding: ReportedFinding) -> MeasurementsAndQualitativeEvaluations:
    measurements = None
    if finding.probability is not None:
        probability = round(finding.probability, 4)
        measurements = [Measurement(_PROBABILITY, value=probability, unit=_NO_UNITS)]
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=generate_uid(), identifier=finding.name[:64]),
        finding_type=_coded(finding),
        qualitative_evaluations=[
            QualitativeEvaluation(_PRESENCE, _PRESENT if finding.present else _ABSENT)
        ],
        measurements=measurements,
    )


def _coded(finding: ReportedFinding) -> CodedConcept:
    if finding.radlex is not None:
        return CodedConcept(finding.radlex, "RADLEX", finding.name[:64])
    return CodedConcept(finding.name[:16], OWN_SCHEME, finding.name[:64])


def _text(name: CodedConcept, text: str) -> TextContentItem:
    return TextContentItem(name, text, relationship_type=RelationshipTypeValues.CONTAINS)


def _language(draft: Draft) -> CodeContentItem:
    said = " ".join(sentence.text for sentence in draft.sentences)
    chinese = language_of(said) == "zh"
    return CodeContentItem(
        CodedConcept("121049", "DCM", "Language of Content Item and Descendants"),
        CodedConcept(*("zh", "RFC5646", "Chinese") if chinese else ("en", "RFC5646", "English")),
        relationship_type=RelationshipTypeValues.HAS_CONCEPT_MOD,
    )


def _device(uid: str) -> list[Any]:
    context = RelationshipTypeValues.HAS_OBS_CONTEXT
    return [
        CodeContentItem(
            CodedConcept("121005", "DCM", "Observer Type"),
            CodedConcept("121007", "DCM", "Device"),
            relationship_type=context,
        ),
        UIDRefContentItem(
            CodedConcept("121012", "DCM", "Device Observer UID"),
            generate_uid(entropy_srcs=["tiepoint-medical", version("tiepoint-medical")]),
            relationship_type=context,
        ),
        TextContentItem(
            CodedConcept("121013", "DCM", "Device Observer Name"),
            "tiepoint-medical",
            relationship_type=context,
        ),
    ]
