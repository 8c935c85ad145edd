"""The plugin's options in a deployment file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from tiepoint.plugin import PluginConfig


class MedicalConfig(PluginConfig):
    """Options under `plugins.medical`."""

    state: Path = Field(
        default=Path("./tiepoint-medical"),
        title="State",
        description="The folder of the site's key and of the records; for this user only.",
    )
    database: SecretStr | None = Field(
        default=None,
        title="Database",
        description="postgresql://user:password@host/name; SQLite in the state folder if absent.",
    )
    collection: str = Field(
        default="cases", title="Collection", description="The collection of the cases."
    )
    inbox: Path | None = Field(
        default=None,
        title="Inbox",
        description="The folder of `tiepoint medical listen`: taken in while the plugin runs.",
    )
    inbox_every_s: float = Field(
        default=30,
        gt=0,
        title="Seconds between looks",
        description="How often the inbox is looked at; it is taken in when it has come to rest.",
    )
    vocabularies: tuple[Path, ...] = Field(
        default=(),
        title="Vocabularies",
        description="YAML files with further findings, or names of known ones.",
    )
    viewer: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s]*\{study\}[^\s]*$",
        title="Viewer",
        description="Where another viewer shows a study, such as OHIF:"
        " https://ohif.example/viewer?StudyInstanceUIDs={study}. The page links to it.",
    )
    abstain_below: float = Field(
        default=0.3,
        ge=0,
        le=1,
        title="Abstain below",
        description="The calibrated probability under which no match is offered as one.",
    )
