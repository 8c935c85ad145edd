"""Asks the collection by image, by report and by findings, and explains what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tiepoint import __version__
from tiepoint.errors import QueryError
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.host import Host
from tiepoint.index.collection import Collection
from tiepoint.sequences.volumes import Sliced
from tiepoint.types import VOLUME, Hit
from tiepoint_medical.knowledge.logic import Status, contradictions
from tiepoint_medical.matching.findings import FindingSpace
from tiepoint_medical.matching.result import Match, Neighbour
from tiepoint_medical.reports.report import ReportReader

_EXPECTED_FROM = 15
"""How many neighbours of an image tell which findings to expect."""

_EXPECTED_SHARE = 0.5
"""Share of the neighbours that has to agree on a finding for it to be expected."""

_SENTENCES = 3


class Matcher:
    """Finds and explains cases in one collection.

    Args:
        host: An open host.
        name: The collection.
        reader: Reads reports.
        space: The vectors of findings.
    """

    def __init__(self, host: Host, name: str, reader: ReportReader, space: FindingSpace) -> None:
        self._host, self._name = host, name
        self.reader, self.space = reader, space

    @property
    def collection(self) -> Collection:
        """The collection of the cases."""
        return self._host.collection(self._name)

    def match(
        self,
        *,
        image: Any = None,
        text: str | None = None,
        patient: str | None = None,
        study: str | None = None,
        k: int = 5,
        calibration: MatchProbability | None = None,
        abstain_below: float = 0.0,
    ) -> Match:
        """See `MedicalService.match`; patient and study are pseudonyms here."""
        if image is None and not (text and text.strip()):
            raise QueryError("there is nothing to match", hint="Give an image or a text.")
        profile: Mapping[str, Status] = self.reader.read(text).profile if text else {}
        others = None if patient is None else f'patient != "{patient}"'
        expected = False
        vector = self.space.vector(profile)
        if vector is None and image is not None:
            profile, vector = self._expected(image, others)
            expected = vector is not None
        hits = self._search(image, text, vector, others, k, "patient")
        neighbours = tuple(self._neighbour(hit, profile, text) for hit in hits)
        priors: tuple[Neighbour, ...] = ()
        if patient is not None:
            own = f'patient == "{patient}"' + (f' and study != "{study}"' if study else "")
            found = self._search(image, text, vector, own, k, None)
            priors = tuple(self._neighbour(hit, profile, text) for hit in found)
        probability = self._probability(hits, calibration)
        abstained, reason = _judged(hits, probability, abstain_below)
        return Match(
            query=dict(profile),
            expected=expected,
            probability=probability,
            abstained=abstained,
            reason=reason,
            hits=neighbours,
            priors=priors,
            provenance=self._provenance(),
        )

    def _search(
        self,
        image: Any,
        text: str | None,
        vector: Any,
        where: str | None,
        k: int,
        group: str | None,
    ) -> list[Hit]:
        return self._host.search(
            image=None if isinstance(image, Sliced) else image,
            parts={VOLUME: image} if isinstance(image, Sliced) else None,
            text=text,
            vector=None if vector is None else {"findings": vector},
            where=where,
            k=k,
            collection=self._name,
            group_by=group,
        )

    def _expected(self, image: Any, where: str | None) -> tuple[dict[str, Status], Any]:
        """Return what the nearest other images let expect, as a profile and as a vector."""
        hits = self._search(image, None, None, where, _EXPECTED_FROM, "patient")
        if not hits:
            return {}, None
        scores = np.array([hit.score for hit in hits], np.float32)
        spread = float(scores.std()) or 1.0
        weights = np.exp((scores - scores.max()) / spread)
        profiles = [_stated(hit.metadata) for hit in hits]
        vectors = [self.space.vector(profile) for profile in profiles]
        nothing = np.full(self.space.dim, np.nan, np.float32)
        found = np.stack([nothing if one is None else one for one in vectors])
        expected: dict[str, Status] = {}
        total = float(weights.sum())
        for finding in {key for profile in profiles for key in profile}:
            share = sum(
                float(weight)
                for weight, profile in zip(weights, profiles, strict=True)
                if profile.get(finding) == "present"
            )
            if share / total >= _EXPECTED_SHARE:
                expected[finding] = "uncertain"
        return expected, self.space.expected(found, np.asarray(weights, np.float32))

    def _neighbour(self, hit: Hit, profile: Mapping[str, Status], text: str | None) -> Neighbour:
        report = hit.parts.get("report", "")
        theirs = _stated(hit.metadata)
        against = contradictions(profile, theirs, self.reader.vocabulary)
        clashing = tuple(dict.fromkeys(one.finding for one in against))
        supports = tuple(
            finding
            for finding, status in sorted(profile.items())
            if theirs.get(finding) == status
            or (status == "uncertain" and theirs.get(finding) == "present")
        )
        return Neighbour(
            case=hit.id,
            patient=str(hit.metadata.get("patient", "")),
            study=str(hit.metadata.get("study", "")),
            score=hit.score,
            contributions=tuple(c._asdict() for c in hit.contributions),
            report=report,
            present=tuple(key for key, status in theirs.items() if status == "present"),
            supports=supports,
            contradicts=clashing,
            sentences=self._sentences(report, {*supports, *clashing}, text),
        )

    def _sentences(self, report: str, findings: set[str], text: str | None) -> tuple[str, ...]:
        """Return the sentences on these findings; else those that share most words."""
        read = self.reader.read(report)
        numbers = [s.sentence for s in read.statements if s.finding in findings]
        if not numbers and text:
            asked = set(text.lower().split())
            shared = [
                (len(asked & set(read.sentence_text(number).lower().split())), -number)
                for number in range(len(read.sentences))
            ]
            numbers = [-number for count, number in sorted(shared, reverse=True) if count > 1]
        return tuple(read.sentence_text(n) for n in list(dict.fromkeys(numbers))[:_SENTENCES])

    def _probability(
        self, hits: Sequence[Hit], calibration: MatchProbability | None
    ) -> float | None:
        if calibration is None or not hits:
            return None
        score = [hits[0].score]
        return float(calibration(score, score, len(self.collection))[0])

    def _provenance(self) -> dict[str, Any]:
        deployment = self._host.deployment
        aligner = None if deployment.alignment is None else deployment.alignment.type
        return {
            "tiepoint": __version__,
            "collection": self._name,
            "cases": len(self.collection),
            "encoders": {
                name: self._host.encoder(name).fingerprint for name in deployment.encoders
            },
            "alignment": aligner,
        }


def _stated(metadata: Mapping[str, Any]) -> dict[str, Status]:
    statuses: tuple[Status, ...] = ("present", "absent", "uncertain")
    return {str(key): status for status in statuses for key in metadata.get(status, ())}


def _judged(
    hits: Sequence[Hit], probability: float | None, limit: float
) -> tuple[bool, str | None]:
    if not hits:
        return True, "no case of another patient was found"
    if probability is None:
        return False, "the archive was not calibrated: there is no probability"
    if probability < limit:
        return True, f"the probability {probability:.2f} is below {limit:.2f}"
    return False, None
