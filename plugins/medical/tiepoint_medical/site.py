"""What a deployment's options give without its store: reading, pseudonyms, and the records."""

from __future__ import annotations

import getpass
from pathlib import Path

from pydantic import ValidationError

from tiepoint.config.models import Deployment
from tiepoint.errors import ConfigError
from tiepoint_medical.archive.pseudonyms import Pseudonyms
from tiepoint_medical.knowledge.vocabulary import chest_vocabulary, extended_vocabulary
from tiepoint_medical.matching.findings import FindingSpace
from tiepoint_medical.records.database import Database
from tiepoint_medical.records.records import Records
from tiepoint_medical.reports.report import ReportReader
from tiepoint_medical.settings import MedicalConfig


class Site:
    """Reads reports, names patients by pseudonyms, and keeps the records; needs no store.

    Args:
        config: The plugin's options.
        user: Who is noted in the audit log; the system's user if not given.

    Raises:
        ConfigError: The site's key, or a vocabulary, cannot be used.
    """

    def __init__(self, config: MedicalConfig, user: str | None = None) -> None:
        self.config = config
        self.user = user or getpass.getuser()
        self.state = config.state.expanduser()
        vocabulary = (
            extended_vocabulary(config.vocabularies) if config.vocabularies else chest_vocabulary()
        )
        self.reader = ReportReader(vocabulary)
        self.space = FindingSpace(vocabulary)
        self.pseudonyms = Pseudonyms.of_site(self.state / "site.key")
        url = None if config.database is None else config.database.get_secret_value()
        self.records = Records(Database.at(url, self.state / "records.sqlite3"))

    def close(self) -> None:
        """Close the records."""
        self.records.close()


def options_of(deployment: Deployment, file: Path) -> MedicalConfig:
    """Return the plugin's options of a deployment.

    Args:
        deployment: Whose.
        file: The file that it was read from, for errors.

    Raises:
        ConfigError: The options cannot be used.
    """
    try:
        return MedicalConfig.model_validate(deployment.plugins.get("medical", {}))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(("plugins", "medical", *map(str, problem["loc"])))
        raise ConfigError(problem["msg"], where=f"{file}: {place}", hint="Correct it.") from error
