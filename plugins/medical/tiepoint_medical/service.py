"""What the plugin does, as plain methods: for the commands, and for a web interface."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tiepoint.errors import ConfigError, StoreError
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.host import Host
from tiepoint.saving import replace_together
from tiepoint.sequences.volumes import Sliced
from tiepoint.types import VOLUME, AddReport, Item, MetadataValue, Skipped
from tiepoint_medical.archive.incoming import Incoming, Views
from tiepoint_medical.archive.pseudonyms import Pseudonyms
from tiepoint_medical.archive.scrubbing import scrubbed
from tiepoint_medical.knowledge.vocabulary import chest_vocabulary, extended_vocabulary
from tiepoint_medical.matching.calibrating import calibrated
from tiepoint_medical.matching.draft import Draft, drafted
from tiepoint_medical.matching.findings import FindingSpace
from tiepoint_medical.matching.matcher import Matcher
from tiepoint_medical.matching.result import Match
from tiepoint_medical.records.database import Database
from tiepoint_medical.records.records import Records
from tiepoint_medical.reports.report import ReportReader
from tiepoint_medical.settings import MedicalConfig

_BATCH = 1024
"""Cases that are added together: so many that an engine with workers has something to spread."""


@dataclass
class IngestReport:
    """What became of a batch.

    Attributes:
        added: Cases that were written.
        known: Cases that an earlier run of the same job had written.
        without_report: Of those added, how many have no report.
        skipped: Inputs left out, by number of the batch and reason; places only where the
            caller shows them to who gave them.
        warnings: What could not be read of reports, with how often.
    """

    added: int = 0
    known: int = 0
    without_report: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    warnings: dict[str, int] = field(default_factory=dict)


class MedicalService:
    """Takes cases in, matches, drafts and keeps the worklist, on one host.

    Args:
        host: An open host, whose deployment has the collection.
        config: The plugin's options.
        user: Who is noted in the audit log; the system's user if not given.

    Raises:
        ConfigError: The collection is not made for cases.
    """

    def __init__(self, host: Host, config: MedicalConfig, user: str | None = None) -> None:
        self.host = host
        self.config = config
        self.user = user or getpass.getuser()
        state = config.state.expanduser()
        vocabulary = (
            extended_vocabulary(config.vocabularies) if config.vocabularies else chest_vocabulary()
        )
        self.reader = ReportReader(vocabulary)
        self.space = FindingSpace(vocabulary)
        _check_collection(host, config.collection, self.space.dim)
        self.pseudonyms = Pseudonyms.of_site(state / "site.key")
        self.records = Records(Database.at(config.database, state / "records.sqlite3"))
        self._calibration_file = state / "calibration.json"
        self.matcher = Matcher(host, config.collection, self.reader, self.space)

    def close(self) -> None:
        """Close the records."""
        self.records.close()

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

    # Ingest

    def ingest(
        self,
        incoming: Iterable[Incoming | Skipped],
        job: str = "ingest",
        progress: Callable[[IngestReport], None] | None = None,
    ) -> IngestReport:
        """Add cases; what an earlier run of the job has added is passed over.

        A case whose report or slices came later, or were corrected, is written again. Only
        pseudonyms, scrubbed reports and findings are stored: no path, no identifier.

        Args:
            incoming: Images with reports, or what could not be read of them.
            job: Names the batch, so that it goes on where it ended.
            progress: Called with what is done so far, as cases become durable.
        """
        report = IngestReport()
        done = set(self.records.done(job))
        batch: dict[str, Item] = {}
        parts: dict[str, str] = {}

        def under_way(so_far: AddReport) -> None:
            if progress is not None:
                finished = so_far.added + so_far.unchanged
                progress(replace(report, added=report.added + finished))

        def write() -> None:
            added = self.host.add(
                batch.values(), collection=self.config.collection, strict=False, progress=under_way
            )
            failed = {skipped.where for skipped in added.skipped}
            good = [id for id in batch if id not in failed]
            report.added += len(good)
            report.without_report += sum("report" not in batch[id].parts for id in good)
            report.skipped += added.skipped
            written = [parts[id] for id in good]
            self.records.finish(job, written, "done")
            done.update(written)
            self.records.finish(job, sorted(failed & parts.keys()), "skipped", "not readable")
            batch.clear()
            if progress is not None:
                progress(report)

        for one in incoming:
            if isinstance(one, Skipped):
                report.skipped.append(one)
                continue
            id = self.pseudonyms("image", one.image_id)
            parts[id] = f"{id}.{self.pseudonyms('content', one.state)}"
            if parts[id] in done:
                report.known += 1
                continue
            batch[id] = self._item(id, one, report)
            if len(batch) >= _BATCH:
                write()
        if batch:
            write()
        counts = {"added": report.added, "skipped": len(report.skipped)}
        self.records.note(self.user, "ingested", job, counts)
        return report

    def _item(self, id: str, one: Incoming, report: IngestReport) -> Item:
        text = scrubbed(one.report, one.identifiers).strip()
        read = self.reader.read(text)
        if text:
            for warning in read.warnings:
                report.warnings[warning] = report.warnings.get(warning, 0) + 1
        profile = read.profile
        parts: dict[str, Any] = {}
        if one.image is not None:
            parts["image"] = one.image if isinstance(one.image, Sliced) else Views((one.image,))
        if text:
            parts["report"] = text
        vector = self.space.vector(profile)
        if vector is not None:
            parts["findings"] = vector
        metadata: dict[str, MetadataValue] = {
            "patient": self.pseudonyms("patient", one.patient),
            "study": self.pseudonyms("study", one.study),
        }
        for status in ("present", "absent", "uncertain"):
            metadata[status] = [key for key, stated in profile.items() if stated == status]
        declared = self.host.deployment.collections[self.config.collection].metadata
        metadata |= {name: told for name, told in one.details.items() if name in declared}
        return Item(
            id,
            metadata={name: value for name, value in metadata.items() if value},
            parts=parts,
        )

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


def _check_collection(host: Host, name: str, dim: int) -> None:
    section = host.deployment.collections.get(name)
    fields = {} if section is None else section.fields
    missing = [field for field in ("image", "report", "findings") if field not in fields]
    if section is None or missing:
        raise ConfigError(
            f"the deployment has no collection {name!r} with the fields image, report and findings",
            where="collections",
            hint="See examples/medical.yaml.",
        )
    encoder = fields["image"].encoder
    if encoder is None or VOLUME not in host.encoder(encoder).modalities:
        raise ConfigError(
            "the images need an encoder of the type `volume`, since a case may have slices",
            where=f"collections.{name}.fields.image",
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


def service_of(config: Path, host: Host) -> MedicalService:
    """Return the service of a deployment on an open host, with the file's options.

    Raises:
        ConfigError: The options cannot be used.
    """
    from pydantic import ValidationError

    try:
        options = MedicalConfig.model_validate(host.deployment.plugins.get("medical", {}))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(("plugins", "medical", *map(str, problem["loc"])))
        raise ConfigError(problem["msg"], where=f"{config}: {place}", hint="Correct it.") from error
    return MedicalService(host, options)
