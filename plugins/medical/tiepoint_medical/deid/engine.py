"""One object without what identifies its patient: header, nested sequences, private elements."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from tiepoint.errors import InputError
from tiepoint_adapters.dicom.kinds import Kind, kind_of
from tiepoint_adapters.dicom.reading import DicomObject
from tiepoint_adapters.dicom.values import DAMAGE, text_of
from tiepoint_medical.deid.identities import Identities, shifted
from tiepoint_medical.deid.options import Dates, DeidOptions
from tiepoint_medical.deid.profile import Action, actions
from tiepoint_medical.deid.scrubbing import REMOVED, Scrubber, identifiers

IMPLEMENTATION_UID = UID("2.25.317261848063312437236146346118275364021")
IMPLEMENTATION_NAME = "TIEPOINT"
METHOD = "tiepoint: PS3.15 2026c E.1 Basic Profile"
MAX_DEPTH = 64

_PERSONS = "PN"
_FREE_TEXTS = frozenset(("LT", "ST", "UT", "UC"))
_SHORT_TEXTS = frozenset(("LO", "SH", "CS", "AE", "UR"))
_TIMES = frozenset(("DA", "DT", "TM"))
_NO_PART_OF_A_DATA_SET = frozenset((0x0000, 0x0002))  # groups of a message, and of a file
_UNKNOWN = frozenset(("UN", "OB or OW"))
_DUMMIES: Mapping[str, Any] = {
    "AE": REMOVED,
    "AS": "000Y",
    "CS": REMOVED,
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "DS": "0",
    "IS": "0",
    "LO": REMOVED,
    "LT": REMOVED,
    "SH": REMOVED,
    "ST": REMOVED,
    "UC": REMOVED,
    "UT": REMOVED,
    "PN": REMOVED,
    "UR": "urn:removed",
    "FL": 0.0,
    "FD": 0.0,
    "SL": 0,
    "SS": 0,
    "UL": 0,
    "US": 0,
    "SV": 0,
    "UV": 0,
    "OB": b"\0\0",
    "OW": b"\0\0",
}
# Empty would do; new ones keep what belongs together together.
_NUMBERS = frozenset(("AccessionNumber", "StudyID"))
# Codes are long numbers, too, and say nothing of a patient.
_CODES = frozenset(
    (
        "CodeValue",
        "LongCodeValue",
        "URNCodeValue",
        "CodingSchemeDesignator",
        "CodingSchemeVersion",
        "ContextIdentifier",
        "MappingResource",
    )
)
# What a short word would be found in; and what says how an object is built, and nothing else.
_MIN_LETTERS_IN_CODES = 5
_STRUCTURAL = frozenset(
    [
        "ValueType",
        "RelationshipType",
        "ContinuityOfContent",
        "CompletionFlag",
        "VerificationFlag",
        "PreliminaryFlag",
        "Modality",
        "ImageType",
        "FrameType",
        "PhotometricInterpretation",
        "PresentationLUTShape",
        "SpecificCharacterSet",
        "GraphicType",
        "TemporalRangeType",
        "SegmentationType",
        "SegmentsOverlap",
        "ConversionType",
        "PatientPosition",
        "VolumetricProperties",
        "VolumeBasedCalculationTechnique",
        "LossyImageCompression",
        "PixelPresentation",
        "DimensionOrganizationType",
        "ContentLabel",
        "PresentationIntentType",
        "PixelIntensityRelationship",
        "WaveformOriginality",
        "ComplexImageComponent",
        "AcquisitionContrast",
        "MappingResource",
    ]
)
# Of type 3 everywhere, and an optional sequence without items is an error; the others that the
# profile empties are of type 2 somewhere.
_NEVER_EMPTY = "ReferencedStudySequence"
_OLDEST_YEARS = 89
_NOT_DEIDENTIFIABLE = {
    Kind.DOCUMENT: "the object holds a document that is no DICOM, in which anything may stand",
    Kind.DIRECTORY: "a DICOMDIR lists patients; make a new one of the new files",
    Kind.VIDEO: "text in a compressed video is not looked for",
}


@dataclass(slots=True)
class Deidentified:
    """An object after de-identification.

    Attributes:
        dataset: The new object, ready to be written.
        patient: The patient's pseudonym.
        original: What the pseudonym vault may keep, by keyword, of the patient and the study.
        uids: The old UIDs by the new ones.
        changed: How many elements were removed, emptied, replaced, cleaned or renamed.
    """

    dataset: FileDataset
    patient: str
    original: dict[str, str] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)


def deidentify(
    part: DicomObject, identities: Identities, options: DeidOptions | None = None
) -> Deidentified:
    """Return an object without what identifies its patient; the pixels stay as they are.

    Attributes of PS3.15 Table E.1-1 become what it says. Beyond the table: private and unknown
    elements and all remaining names of persons are removed, all UIDs that are not registered
    are replaced, and the object's own identifiers are taken out of every text that stays.

    Args:
        part: The object; it is not changed.
        identities: Gives the new identities.
        options: What may stay; nothing beyond the basic profile if not given.

    Raises:
        InputError: It is of a kind that cannot be de-identified, or a damaged one.
    """
    if part.truncated:
        raise InputError("the object is cut short")
    refused = _NOT_DEIDENTIFIABLE.get(kind_of(part.dataset))
    if refused is not None:
        raise InputError(refused, hint="It was left out.")
    try:
        return _Run(part, identities, options or DeidOptions()).result()
    except DAMAGE as error:
        # What pydicom says would quote the header.
        raise InputError(f"its header is damaged ({type(error).__name__})") from error


class _Run:
    """The work on one object."""

    def __init__(self, part: DicomObject, identities: Identities, options: DeidOptions) -> None:
        self.part = part
        self.identities = identities
        self.options = options
        self.actions = actions(options.columns)
        source = part.dataset
        self.patient = identities.patient(
            text_of(source, "PatientID") or text_of(source, "PatientName") or "unknown",
            text_of(source, "IssuerOfPatientID") or "",
        )
        self.days = identities.shift_days(self.patient)
        found = identifiers(source)
        self.scrubber = Scrubber(found)
        self.coded_scrubber = Scrubber(
            frozenset(word for word in found if len(word) >= _MIN_LETTERS_IN_CODES)
        )
        self.uids: dict[str, str] = {}
        self.changed: dict[str, int] = {}

    def result(self) -> Deidentified:
        source = self.part.dataset
        body = Dataset()
        self._walk(source, body, 0, strict=False)
        self._say_so(body)
        dataset = FileDataset(
            "",
            body,
            preamble=b"\0" * 128,
            file_meta=self._meta(body),
            is_little_endian=self.part.transfer_syntax != ExplicitVRBigEndian,
        )
        original = {
            word: value
            for word in (
                "PatientName",
                "PatientID",
                "IssuerOfPatientID",
                "PatientBirthDate",
                "PatientSex",
                "AccessionNumber",
                "StudyID",
                "StudyDate",
                "StudyTime",
                "ReferringPhysicianName",
            )
            if (value := text_of(source, word)) is not None
        }
        return Deidentified(dataset, self.patient, original, self.uids, self.changed)

    def _walk(self, source: Dataset, target: Dataset, depth: int, *, strict: bool) -> None:
        if depth > MAX_DEPTH:
            return
        for tag in list(source.keys()):
            try:
                made = self._element(source[tag], depth, strict=strict)
            except DAMAGE:
                made = self._noted("removed as damaged")
            if made is not None:
                target.add(made)

    def _element(self, element: DataElement, depth: int, *, strict: bool) -> DataElement | None:
        tag, vr = element.tag, element.VR
        if tag.group in _NO_PART_OF_A_DATA_SET:
            return self._noted("removed as no part of a data set")
        if tag.is_private or not dictionary_has_tag(tag) or vr in _UNKNOWN:
            return self._noted("removed as private or unknown")
        if 0x5000 <= tag.group <= 0x50FF or 0x6000 <= tag.group <= 0x60FF:
            return self._noted("removed overlays and curves")
        action = self.actions.get(int(tag))
        if action is Action.REMOVE:
            return self._noted("removed")
        if vr in _TIMES and action is not None and self.options.dates is not Dates.REMOVE:
            return self._time(element)
        if action is Action.EMPTY:
            return self._emptied(element)
        if action is Action.UID:
            return self._uid(element)
        if action is Action.DUMMY:
            return self._dummy(element, depth)
        if action is Action.KEEP:
            return self._kept(element)
        return self._cleaned(element, depth, strict=strict)

    def _kept(self, element: DataElement) -> DataElement:
        age = str(element.value) if element.keyword == "PatientAge" else ""
        if age.endswith("Y") and age[:-1].isdigit() and int(age[:-1]) > _OLDEST_YEARS:
            return DataElement(element.tag, "AS", f"{_OLDEST_YEARS + 1:03d}Y")
        return copy.deepcopy(element)

    def _emptied(self, element: DataElement) -> DataElement | None:
        self._noted("emptied")
        if element.keyword == "PatientID" and not element.is_empty:
            return DataElement(element.tag, element.VR, self.patient)
        if element.keyword == "PatientName" and not element.is_empty:
            return DataElement(element.tag, element.VR, self.patient)
        if element.keyword in _NUMBERS and not element.is_empty:
            number = self.identities.text(element.keyword, str(element.value))
            return DataElement(element.tag, element.VR, number)
        if element.VR != "SQ":
            return DataElement(element.tag, element.VR, None)
        return None if element.keyword == _NEVER_EMPTY else DataElement(element.tag, "SQ", [])

    def _dummy(self, element: DataElement, depth: int) -> DataElement | None:
        self._noted("replaced")
        if element.keyword in ("PatientID", "PatientName"):
            return DataElement(element.tag, element.VR, self.patient)
        if element.VR == "SQ":
            return self._sequence(element, depth, strict=True)
        if element.VR == "UI":
            return self._uid(element)
        if element.is_empty:
            return DataElement(element.tag, element.VR, None)
        if element.VR not in _DUMMIES:
            return self._noted("removed")
        return DataElement(element.tag, element.VR, _DUMMIES[element.VR])

    def _uid(self, element: DataElement) -> DataElement:
        values = _many(element)
        renamed = [self._renamed(str(value)) for value in values]
        return DataElement(element.tag, "UI", renamed if len(renamed) != 1 else renamed[0])

    def _renamed(self, old: str) -> str:
        plain = UID(old.strip())
        if not plain or plain.name != plain or plain.startswith("1.2.840.10008."):
            return str(plain)  # registered in PS3.6: it identifies a class, a syntax or a scheme
        new = self.identities.uid(plain)
        self.uids[new] = str(plain)
        return new

    def _time(self, element: DataElement) -> DataElement | None:
        if self.options.dates is Dates.KEEP or element.VR == "TM":
            return copy.deepcopy(element)
        if element.keyword == "PatientBirthDate":
            return self._emptied(element)
        moved = [shifted(str(value), self.days) for value in _many(element)]
        self._noted("shifted")
        kept = [value for value in moved if value is not None]
        return DataElement(element.tag, element.VR, kept if len(kept) != 1 else kept[0])

    def _cleaned(self, element: DataElement, depth: int, *, strict: bool) -> DataElement | None:
        """What the table does not name, or allows to be cleaned."""
        vr = element.VR
        if vr == "SQ":
            return self._sequence(element, depth, strict=strict)
        if vr == "UI":
            return self._uid(element)
        if vr == _PERSONS:
            return self._emptied(element)
        if vr in ("DA", "DT"):
            removed = self.options.dates is Dates.REMOVE
            return self._emptied(element) if removed else self._time(element)
        if vr in _FREE_TEXTS and strict:
            return self._dummy(element, depth)
        if vr in _FREE_TEXTS or vr in _SHORT_TEXTS:
            return element if element.keyword in _CODES else self._scrubbed(element)
        return copy.deepcopy(element)

    def _scrubbed(self, element: DataElement) -> DataElement:
        values = [str(value) for value in _many(element)]
        if element.VR == "CS":
            known = element.keyword in _STRUCTURAL
            scrubbed = values if known else [self.coded_scrubber.scrub(v, False) for v in values]
        else:
            free = element.VR in _FREE_TEXTS or element.VR == "LO"
            scrubbed = [self.scrubber.scrub(value, free) for value in values]
        if scrubbed == values:
            return copy.deepcopy(element)
        self._noted("cleaned")
        limit = {"LO": 64, "SH": 16, "CS": 16, "AE": 16}.get(element.VR)
        short = [value if limit is None else value[:limit] for value in scrubbed]
        return DataElement(element.tag, element.VR, short if len(short) != 1 else short[0])

    def _sequence(self, element: DataElement, depth: int, *, strict: bool) -> DataElement:
        items = []
        for item in element.value or []:
            cleaned = Dataset()
            self._walk(item, cleaned, depth + 1, strict=strict)
            items.append(cleaned)
        return DataElement(element.tag, "SQ", items)

    def _noted(self, what: str) -> DataElement | None:
        """Count what was done to an element; returns None, which is what a removed one becomes."""
        self.changed[what] = self.changed.get(what, 0) + 1
        return None

    def _say_so(self, body: Dataset) -> None:
        """Write what was done, as PS3.15 E.1.1 and E.3 ask for."""
        body.PatientIdentityRemoved = "YES"
        body.DeidentificationMethod = METHOD
        codes = []
        for value, meaning in self.options.codes:
            code = Dataset()
            code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
            codes.append(code)
        body.DeidentificationMethodCodeSequence = codes
        body.LongitudinalTemporalInformationModified = {
            Dates.REMOVE: "REMOVED",
            Dates.SHIFT: "MODIFIED",
            Dates.KEEP: "UNMODIFIED",
        }[self.options.dates]

    def _meta(self, body: Dataset) -> FileMetaDataset:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = body.get("SOPClassUID") or UID("")
        meta.MediaStorageSOPInstanceUID = body.get("SOPInstanceUID") or UID("")
        meta.TransferSyntaxUID = self.part.transfer_syntax or ExplicitVRLittleEndian
        meta.ImplementationClassUID = IMPLEMENTATION_UID
        meta.ImplementationVersionName = IMPLEMENTATION_NAME
        return meta


def _many(element: DataElement) -> list[Any]:
    value = element.value
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, MultiValue | list) else [value]
