"""A draft as the files that other systems take."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tiepoint.errors import InputError
from tiepoint.saving import replace_together
from tiepoint_adapters.dicom.reading import read_dicom
from tiepoint_medical.matching.draft import Draft as Drafted
from tiepoint_medical.results.draft import Draft, DraftSentence, ReportedFinding
from tiepoint_medical.results.fhir import Release, fhir_bundle
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


def _dicom(make: Callable[[Sequence[Any], Draft], Any], images: Sequence[Any], of: Draft) -> bytes:
    stream = io.BytesIO()
    make(images, of).save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _fhir(release: Release, images: Sequence[Any], of: Draft) -> bytes:
    bundle = fhir_bundle(images, of, release)
    return (json.dumps(bundle, indent=2, ensure_ascii=False) + "\n").encode()


FORMS: Mapping[str, Callable[[Sequence[Any], Draft], bytes]] = {
    "findings.dcm": partial(_dicom, measurement_report),
    "report.dcm": partial(_dicom, text_report),
    "fhir-r5.json": partial(_fhir, "R5"),
    "fhir-r4.json": partial(_fhir, "R4"),
}
"""What a draft goes out as, by the name of the file: TID 1500, Basic Text SR, and FHIR."""


def result(name: str, draft: Draft, files: Sequence[Path]) -> bytes:
    """Return a draft in one of its forms.

    Args:
        name: One of `FORMS`.
        draft: The results.
        files: The DICOM files of the study that they are about.

    Raises:
        InputError: There is no DICOM file, or one without identifiers; or there is nothing to say.
    """
    return FORMS[name](_images(draft, files), draft)


def write_results(draft: Draft, files: Sequence[Path], out: Path) -> list[Path]:
    """Write a draft in all its forms; returns the files.

    Args:
        draft: The results.
        files: The DICOM files of the study that they are about.
        out: The folder that takes them.

    Raises:
        InputError: See `result`.
    """
    images = _images(draft, files)
    contents = {out / name: make(images, draft) for name, make in FORMS.items()}
    out.mkdir(parents=True, exist_ok=True)
    replace_together(contents)
    return list(contents)


def _images(draft: Draft, files: Sequence[Path]) -> list[Any]:
    if not draft.sentences:
        raise InputError("nothing was drafted, so there are no results to write")
    return [read_dicom(file, pixels=False).dataset for file in files]
