"""The deployment file as data: every key, its type, its default, and what it means."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tiepoint.config.collections import CollectionSection
from tiepoint.config.ranking import FusionSection, SearchSection
from tiepoint.config.sections import ComponentSection, Name, Section
from tiepoint.config.service import AuthSection, ServeSection, TelemetrySection
from tiepoint.config.store import StoreSection


class EncoderSection(ComponentSection):
    """One encoder, by the name of its entry point in `tiepoint.encoders`."""


class AlignmentSection(ComponentSection):
    """How modalities come into one space: an entry point in `tiepoint.aligners`."""

    encoders: dict[str, Name] = Field(
        title="Encoders",
        description="Which encoder's vectors the aligner takes, by modality.",
        examples=[{"image": "photo", "text": "words"}],
    )


class SourceSection(ComponentSection):
    """Where items come from: an entry point in `tiepoint.sources`."""

    collection: Name = Field(
        default="items", title="Collection", description="The collection that takes the items."
    )


class SinkSection(ComponentSection):
    """Where messages go: an entry point in `tiepoint.sinks`."""


class AnswerSection(ComponentSection):
    """What answers questions from hits: an entry point in `tiepoint.answerers`."""

    hits: int = Field(
        default=5, ge=1, le=100, title="Hits", description="How many hits the model sees."
    )
    unsupported: Literal["drop", "mark"] = Field(
        default="drop",
        title="Unsupported",
        description="What becomes of sentences that cite no hit.",
    )


class EngineSection(ComponentSection):
    """Where bulk work is done: an entry point in `tiepoint.engines`, and how many cores it gets."""

    type: str = Field(
        default="local", title="Type", description="`local`, `ray`, or another entry point."
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        title="Threads",
        description="Cores to use; all that the process may run on if not given.",
    )


class Deployment(Section):
    """A deployment file: what a host builds."""

    version: Literal[1] = Field(title="Version", description="Version of this file's format.")
    encoders: dict[Name, EncoderSection] = Field(
        default_factory=dict,
        title="Encoders",
        description="The encoders, by name; none where all vectors are given.",
    )
    alignment: AlignmentSection | None = Field(
        default=None, title="Alignment", description="The joint space; none if not given."
    )
    store: StoreSection = Field(
        default_factory=StoreSection, title="Store", description="Where collections are kept."
    )
    collections: dict[Name, CollectionSection] = Field(
        title="Collections", description="The collections, by name.", min_length=1
    )
    sources: dict[Name, SourceSection] = Field(
        default_factory=dict, title="Sources", description="Where items come from, by name."
    )
    sinks: dict[Name, SinkSection] = Field(
        default_factory=dict, title="Sinks", description="Where messages of plugins go, by name."
    )
    fusion: FusionSection = Field(
        default_factory=FusionSection, title="Fusion", description="How routes are combined."
    )
    answer: AnswerSection | None = Field(
        default=None,
        title="Answer",
        description="The language model that answers from hits, where one is asked to.",
    )
    search: SearchSection = Field(
        default_factory=SearchSection, title="Search", description="Defaults of searches."
    )
    engine: EngineSection = Field(
        default_factory=EngineSection, title="Engine", description="How the work is done."
    )
    plugins: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        title="Plugins",
        description="The plugins to load, by the name of their entry point, with their options.",
    )
    server: ServeSection = Field(
        default_factory=ServeSection,
        title="Server",
        description="How the host is reached over the network.",
    )
    auth: AuthSection | None = Field(
        default=None,
        title="Auth",
        description="Who may call the server; whoever reaches its loopback address if not given.",
    )
    telemetry: TelemetrySection = Field(
        default_factory=TelemetrySection,
        title="Telemetry",
        description="What the server tells of its work.",
    )
