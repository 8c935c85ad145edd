"""A draft as the files that other systems take."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tiepoint.errors import InputError
from tiepoint.saving import replace_together
from tiepoint_adapters.dicom.reading import read_dicom
from tiepoint_medical.matching.draft import Draft as Drafted
from tiepoint_medical.results.draft import Draft, DraftSentence, ReportedFinding
from tiepoint_medical.results.fhir import fhir_bundle
from tiepoint_medical.results.structured_reports import measurement_report, text_report

_PRESENCE = {"present": True, "absent": False}


def outgoing(drafted: Drafted, radlex: Mapping[str, str | None]) -> Draft:
    """Return a draft as results say it; what is uncertain is in its sentences alone.

    Args:
        drafted: As `drafted` makes it.
        radlex: The RadLex class of each finding that has one.
    """
    sources: dict[tuple[str, bool], list[str]] = {}
    for sentence in drafted.sentences:
        for finding, status in sentence.findings.items():
            if status in _PRESENCE:
                sources.setdefault((finding, _PRESENCE[status]), []).append(sentence.case)
    findings = tuple(
        ReportedFinding(name.replace("_", " "), present, radlex.get(name), None, tuple(cases))
        for (name, present), cases in sources.items()
    )
    sentences = tuple(DraftSentence(one.text, (one.case,)) for one in drafted.sentences)
    return Draft(findings, sentences, notice=drafted.notice)


def write_results(draft: Draft, files: Sequence[Path], out: Path) -> list[Path]:
    """Write a draft as DICOM reports and FHIR bundles; returns the files.

    Args:
        draft: The results.
        files: The DICOM files of the study that they are about.
        out: The folder that takes `findings.dcm` (TID 1500), `report.dcm` (Basic Text SR),
            `fhir-r5.json` and `fhir-r4.json`.

    Raises:
        InputError: There is no DICOM file, or one without identifiers; or there is nothing to say.
    """
    if not draft.sentences:
        raise InputError("nothing was drafted, so there are no results to write")
    images = [read_dicom(file, pixels=False).dataset for file in files]
    contents: dict[Path, bytes] = {}
    for name, make in (("findings.dcm", measurement_report), ("report.dcm", text_report)):
        stream = io.BytesIO()
        make(images, draft).save_as(stream, enforce_file_format=True)
        contents[out / name] = stream.getvalue()
    contents[out / "fhir-r5.json"] = _json(fhir_bundle(images, draft, "R5"))
    contents[out / "fhir-r4.json"] = _json(fhir_bundle(images, draft, "R4"))
    out.mkdir(parents=True, exist_ok=True)
    replace_together(contents)
    return list(contents)


def _json(bundle: dict[str, object]) -> bytes:
    return (json.dumps(bundle, indent=2, ensure_ascii=False) + "\n").encode()
