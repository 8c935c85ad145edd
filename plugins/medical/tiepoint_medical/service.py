"""What the plugin does, as plain methods: for the commands, and for a web interface."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.models import Deployment
from tiepoint.errors import ConfigError, InputError, StoreError
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.host import Host
from tiepoint.saving import replace_together
from tiepoint.types import VOLUME, Skipped
from tiepoint_medical.archive.incoming import Incoming
from tiepoint_medical.archive.writing import IngestReport, ingest
from tiepoint_medical.matching.calibrating import calibrated
from tiepoint_medical.matching.draft import Draft, drafted
from tiepoint_medical.matching.matcher import Matcher
from tiepoint_medical.matching.occlusion import occlusion
from tiepoint_medical.matching.result import Match
from tiepoint_medical.settings import MedicalConfig
from tiepoint_medical.site import Site, options_of

if TYPE_CHECKING:
    from tiepoint_medical.results.draft import Draft as Outgoing


class MedicalService(Site):
    """Takes cases in, matches, drafts and keeps the worklist, on one host.

    Args:
        host: An open host, whose deployment has the collection.
        config: The plugin's options.
        user: Who is noted in the audit log; the system's user if not given.

    Raises:
        ConfigError: The collection is not made for cases.
    """

    def __init__(self, host: Host, config: MedicalConfig, user: str | None = None) -> None:
        super().__init__(config, user)
        self.host = host
        check_collection(host.deployment, config.collection, self.space.dim)
        _check_volumes(host, config.collection)
        self._calibration_file = self.state / "calibration.json"
        self.matcher = Matcher(host, config.collection, self.reader, self.space)

    def health(self) -> dict[str, Any]:
        """Return what `health` shows."""
        health = {
            "status": "ok",
            "findings": self.space.dim,
            "calibrated": self._calibration() is not None,
        }
        try:
            return {**health, "unread": len(self.records.worklist())}
        except StoreError as error:
            return {**health, "status": "degraded", "error": str(error)}

    def ingest(
        self,
        incoming: Iterable[Incoming | Skipped],
        job: str = "ingest",
        progress: Callable[[IngestReport], None] | None = None,
    ) -> IngestReport:
        """Add cases; see `tiepoint_medical.archive.writing.ingest`."""
        return ingest(self, self.host, incoming, job, progress)

    # Matching

    def match(
        self,
        image: Any = None,
        text: str | None = None,
        patient: str | None = None,
        study: str | None = None,
        k: int = 5,
        keep: bool = False,
    ) -> Match:
        """Return cases of other patients that resemble an image, a report, or both.

        Args:
            image: A picture or DICOM object, as encoders take it, or a volume or `Views`.
            text: A sentence or a report.
            patient: The identifier of the query's patient, whose cases are listed apart.
            study: That of the query's study, whose cases are listed nowhere.
            k: How many neighbours.
            keep: Whether the match goes onto the worklist.

        Raises:
            QueryError: Neither an image nor a text.
        """
        match = self.matcher.match(
            image=image,
            text=text,
            patient=self.pseudonyms("patient", patient) if patient else None,
            study=self.pseudonyms("study", study) if study else None,
            k=k,
            calibration=self._calibration(),
            abstain_below=self.config.abstain_below,
        )
        if keep:
            self.records.add_match(match.as_dict(), self.user)
        else:
            self.records.note(self.user, "matched", "query", {"hits": len(match.hits)})
        return match

    def draft(self, match: Match) -> Draft:
        """Return a draft from a match, each sentence with the case that it was taken from."""
        self.records.note(self.user, "drafted", "query", {"hits": len(match.hits)})
        return drafted(match, self.reader)

    def outgoing(self, draft: Draft) -> Outgoing:
        """Return a draft as results say it, with the RadLex classes of its findings."""
        from tiepoint_medical.results.outgoing import outgoing

        findings = self.reader.vocabulary.findings
        return outgoing(draft, {key: finding.radlex for key, finding in findings.items()})

    def occlusion(self, image: Any, case: str) -> NDArray[np.float32]:
        """Return by how much the resemblance with a case falls where an image is covered.

        Args:
            image: A picture or DICOM object, as encoders take it.
            case: The pseudonym of a case with an image.

        Raises:
            InputError: There is no such case, or it has no image.
        """
        section = self.host.deployment.collections[self.config.collection]
        encoder = self.host.encoder(str(section.fields["image"].encoder))
        target = self.matcher.collection.vectors("image", [case])[0]
        if not np.isfinite(target).all():
            raise InputError("there is no such case with an image", where=case)
        return occlusion(encoder, image, target)

    def calibrate(self, most: int = 300, seed: int = 0) -> MatchProbability:
        """Learn, by asking the archive's own cases of each other, what a score means.

        Raises:
            InputError: There are too few cases with findings.
        """
        found = calibrated(self.matcher, most, seed)
        content = {"size": len(self.matcher.collection), "probability": found.model_dump()}
        replace_together({self._calibration_file: json.dumps(content).encode()})
        self.records.note(self.user, "calibrated", self.config.collection, {})
        return found

    def _calibration(self) -> MatchProbability | None:
        if not self._calibration_file.is_file():
            return None
        try:
            content = json.loads(self._calibration_file.read_text("utf-8"))
            return MatchProbability.model_validate(content["probability"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                "the calibration is damaged",
                where=str(self._calibration_file),
                hint="Remove it, and calibrate again.",
            ) from error


def check_collection(deployment: Deployment, name: str, dim: int) -> None:
    """Make sure that a collection is made for cases.

    Args:
        deployment: Whose.
        name: The collection.
        dim: How many findings the vocabulary has.

    Raises:
        ConfigError: It is not.
    """
    section = deployment.collections.get(name)
    fields = {} if section is None else section.fields
    missing = [field for field in ("image", "report", "findings") if field not in fields]
    if section is None or missing:
        raise ConfigError(
            f"the deployment has no collection {name!r} with the fields image, report and findings",
            where="collections",
            hint="See examples/medical.yaml.",
        )
    if fields["findings"].dimensions != dim:
        raise ConfigError(
            f"the vocabulary has {dim} findings",
            where=f"collections.{name}.fields.findings.dimensions",
            hint=f"Write dimensions: {dim}.",
        )
    wanted = {"patient", "study", "present", "absent", "uncertain"}
    if lacking := sorted(wanted - section.metadata.keys()):
        raise ConfigError(
            f"the metadata lack {', '.join(lacking)}",
            where=f"collections.{name}.metadata",
            hint="See examples/medical.yaml.",
        )


def _check_volumes(host: Host, name: str) -> None:
    encoder = host.deployment.collections[name].fields["image"].encoder
    if encoder is None or VOLUME not in host.encoder(encoder).modalities:
        raise ConfigError(
            "the images need an encoder of the type `volume`, since a case may have slices",
            where=f"collections.{name}.fields.image",
            hint="See examples/medical.yaml.",
        )


def service_of(config: Path, host: Host) -> MedicalService:
    """Return the service of a deployment on an open host, with the file's options.

    Raises:
        ConfigError: The options cannot be used.
    """
    return MedicalService(host, options_of(host.deployment, config))
