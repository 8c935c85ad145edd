"""Results as FHIR: a bundle of DiagnosticReport, ImagingStudy and Observations, R5 or R4."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, Literal

from tiepoint.errors import InputError
from tiepoint_adapters.dicom.values import number_of, text_of
from tiepoint_medical.results.draft import Draft, ReportedFinding, study_of

Release = Literal["R5", "R4"]

_RADLEX = "http://radlex.org"
_SNOMED = "http://snomed.info/sct"
_DICOM_UIDS = "urn:dicom:uid"
_MODALITIES = "http://dicom.nema.org/resources/ontology/DCM"
_LOINC = "http://loinc.org"
_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"


def fhir_bundle(images: Sequence[Any], draft: Draft, release: Release = "R5") -> dict[str, Any]:
    """Return a result as a collection bundle of FHIR resources, validated, as plain data.

    The report and its observations are `preliminary`, made by a Device, and carry the notice;
    no name of a patient is written, only the identifier.

    Args:
        images: Data sets of the study's images.
        draft: What was found, and the sentences.
        release: `R5`, or `R4` (its last edition, R4B).

    Raises:
        InputError: See `study_of`; or no such release.
    """
    if release not in ("R5", "R4"):
        raise InputError(f"there is no FHIR release {release!r} here", hint="Give R5 or R4.")
    study = study_of(images)
    names = ["Patient", "Device", "ImagingStudy", "DiagnosticReport"]
    links = {name: f"urn:uuid:{uuid.uuid4()}" for name in names}
    observations = [
        (f"urn:uuid:{uuid.uuid4()}", _observation(finding, links, release))
        for finding in draft.findings
    ]
    device: dict[str, Any] = {"resourceType": "Device", "version": [_version()]}
    device |= (
        {"name": [{"value": "tiepoint-medical", "type": "registered-name"}]}
        if release == "R5"
        else {"deviceName": [{"name": "tiepoint-medical", "type": "manufacturer-name"}]}
    )
    resources = [
        (links["Patient"], _patient(study)),
        (links["Device"], device),
        (links["ImagingStudy"], _imaging_study(images, links, release)),
        *observations,
        (
            links["DiagnosticReport"],
            _report(draft, links, [link for link, _ in observations], release),
        ),
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _now(),
        "entry": [{"fullUrl": link, "resource": resource} for link, resource in resources],
    }
    return validated(bundle, release)


def validated(bundle: dict[str, Any], release: Release = "R5") -> dict[str, Any]:
    """Return a bundle as the models of the release read and write it.

    Raises:
        InputError: It is not valid.
    """
    from pydantic import ValidationError

    package = "fhir.resources" if release == "R5" else "fhir.resources.R4B"
    for entry in bundle["entry"]:
        name = entry["resource"]["resourceType"]
        model = getattr(import_module(f"{package}.{name.lower()}"), name)
        try:
            model.model_validate(entry["resource"])
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise InputError(
                f"the FHIR {name} is not valid: {first['msg']}", where=place
            ) from error
    return bundle


def _patient(study: Any) -> dict[str, Any]:
    identifier = text_of(study, "PatientID")
    return {
        "resourceType": "Patient",
        **({"identifier": [{"value": identifier}]} if identifier else {}),
    }


def _imaging_study(
    images: Sequence[Any], links: dict[str, str], release: Release
) -> dict[str, Any]:
    series: dict[str, dict[str, Any]] = {}
    for image in images:
        uid = text_of(image, "SeriesInstanceUID") or ""
        code = {"system": _MODALITIES, "code": text_of(image, "Modality") or "OT"}
        modality = {"coding": [code]} if release == "R5" else code
        entry = series.setdefault(uid, {"uid": uid, "modality": modality, "instance": []})
        instance: dict[str, Any] = {
            "uid": text_of(image, "SOPInstanceUID"),
            "sopClass": {
                "system": "urn:ietf:rfc:3986",
                "code": f"urn:oid:{text_of(image, 'SOPClassUID')}",
            },
        }
        number = number_of(image, "InstanceNumber")
        if number is not None and number >= 0:
            instance["number"] = number
        entry["instance"].append(instance)
    for entry in series.values():
        entry["numberOfInstances"] = len(entry["instance"])
    study_uid = text_of(images[0], "StudyInstanceUID")
    return {
        "resourceType": "ImagingStudy",
        "identifier": [{"system": _DICOM_UIDS, "value": f"urn:oid:{study_uid}"}],
        "status": "available",
        "subject": {"reference": links["Patient"]},
        "numberOfSeries": len(series),
        "numberOfInstances": len(images),
        "series": list(series.values()),
    }


def _observation(
    finding: ReportedFinding, links: dict[str, str], release: Release
) -> dict[str, Any]:
    code: dict[str, Any] = {"text": finding.name}
    if finding.radlex is not None:
        code["coding"] = [{"system": _RADLEX, "code": finding.radlex, "display": finding.name}]
    value = ("52101004", "Present") if finding.present else ("2667000", "Absent")
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [{"coding": [{"system": _CATEGORIES, "code": "imaging"}]}],
        "code": code,
        "subject": {"reference": links["Patient"]},
        "device": {"reference": links["Device"]},
        "valueCodeableConcept": {
            "coding": [{"system": _SNOMED, "code": value[0], "display": value[1]}]
        },
    }
    if finding.probability is not None:
        observation["component"] = [
            {
                "code": {"text": "calibrated match probability"},
                "valueQuantity": {
                    "value": round(finding.probability, 4),
                    "system": "http://unitsofmeasure.org",
                    "code": "1",
                },
            }
        ]
    if finding.sources:
        observation["note"] = [{"text": f"Source cases: {', '.join(finding.sources)}"}]
    if release == "R5":
        observation["derivedFrom"] = [{"reference": links["ImagingStudy"]}]
    return observation


def _report(
    draft: Draft, links: dict[str, str], observations: list[str], release: Release
) -> dict[str, Any]:
    study = "study" if release == "R5" else "imagingStudy"
    lines = [f"{one.text} [{', '.join(one.sources)}]" for one in draft.sentences]
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "status": "preliminary",
        "code": {
            "coding": [{"system": _LOINC, "code": "18748-4", "display": "Diagnostic imaging study"}]
        },
        "subject": {"reference": links["Patient"]},
        "issued": _now(),
        "performer": [],
        "result": [{"reference": link} for link in observations],
        study: [{"reference": links["ImagingStudy"]}],
        "conclusion": "\n".join([draft.notice, f"Made by {draft.model}.", *lines]),
    }
    return {name: value for name, value in report.items() if value != []}


def _version() -> dict[str, str]:
    return {"value": version("tiepoint-medical")}


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
