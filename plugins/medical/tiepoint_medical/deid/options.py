"""What may stay, beyond the basic profile."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Dates(StrEnum):
    """What becomes of dates and times."""

    REMOVE = "remove"
    SHIFT = "shift"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class DeidOptions:
    """The options of PS3.15 E.3 that a run takes; the basic profile alone takes none.

    Attributes:
        dates: Removed; shifted by the same number of days for all of a patient; or kept.
        patient_characteristics: Whether sex, age, size and weight stay.
        device: Whether what identifies the device stays.
        institution: Whether what identifies the institution stays.
        descriptors: Whether descriptions stay, without what identifies the patient.
        structured_content: Whether texts of reports stay, without what identifies the patient.
        pixels: Whether text in pictures is looked for and blacked out.
    """

    dates: Dates = Dates.REMOVE
    patient_characteristics: bool = False
    device: bool = False
    institution: bool = False
    descriptors: bool = False
    structured_content: bool = False
    pixels: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the profile's table whose rules go before the basic ones."""
        chosen = {
            "patient": self.patient_characteristics,
            "device": self.device,
            "institution": self.institution,
            "descriptors": self.descriptors,
            "content": self.structured_content,
            "dates": self.dates is not Dates.REMOVE,
        }
        return tuple(name for name, taken in chosen.items() if taken)

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """The codes of CID 7050 for (0012,0064), with their meanings."""
        dates = {
            Dates.REMOVE: None,
            Dates.SHIFT: (
                "113107",
                "Retain Longitudinal Temporal Information Modified Dates Option",
            ),
            Dates.KEEP: ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
        }[self.dates]
        chosen = (
            ("113100", "Basic Application Confidentiality Profile"),
            ("113101", "Clean Pixel Data Option") if self.pixels else None,
            ("113104", "Clean Structured Content Option") if self.structured_content else None,
            ("113105", "Clean Descriptors Option") if self.descriptors else None,
            dates,
            ("113108", "Retain Patient Characteristics Option")
            if self.patient_characteristics
            else None,
            ("113109", "Retain Device Identity Option") if self.device else None,
            ("113112", "Retain Institution Identity Option") if self.institution else None,
        )
        return tuple(code for code in chosen if code is not None)
