"""The deployment file as data: every key, its type, its default, and what it means."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
"""How encoders, collections, fields and sources may be called."""

MetadataType = Literal["string", "int", "float", "bool", "strings", "ints", "floats"]


class Section(BaseModel):
    """A part of the deployment file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ComponentSection(BaseModel):
    """A part that names an entry point by `type`; its other keys are that component's options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = Field(title="Type", description="Which component: the name of its entry point.")

    @property
    def options(self) -> dict[str, Any]:
        """The keys other than `type`: keyword arguments of the component."""
        return dict(self.model_extra or {})


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


class BoostSection(Section):
    """A fixed bonus for items whose metadata pass a filter."""

    where: str = Field(title="Where", description="The filter, in the language of `--filter`.")
    value: float = Field(
        title="Value",
        description="Added to the score of each item that passes.",
        allow_inf_nan=False,
    )


class FusionSection(ComponentSection):
    """How routes are combined: an entry point in `tiepoint.fusions`."""

    type: str = Field(
        default="weighted", title="Type", description="`weighted`, `rrf`, or another entry point."
    )
    candidates: int = Field(
        default=100,
        ge=1,
        le=10_000,
        title="Candidates",
        description="How many items each route proposes, at least; never fewer than asked for.",
    )
    boosts: dict[Name, BoostSection] = Field(
        default_factory=dict, title="Boosts", description="Bonuses by metadata, by name."
    )


class StoreSection(Section):
    """Where collections are durable."""

    uri: str = Field(
        default="./tiepoint-data",
        title="URI",
        description="A local folder (embedded Milvus Lite). Relative to the deployment file.",
    )


class FieldSection(Section):
    """One field of a collection: a part of its items that can be searched."""

    encoder: Name | None = Field(
        default=None,
        title="Encoder",
        description="The encoder of this field's vectors; without one the field has no vectors.",
    )
    dimensions: int | None = Field(
        default=None,
        ge=1,
        le=32_768,
        title="Dimensions",
        description="Instead of an encoder: the parts of this field are vectors of this length.",
    )
    modality: str | None = Field(
        default=None,
        title="Modality",
        description="The modality of the part; the encoder's main one if not given.",
    )
    words: bool = Field(
        default=False,
        title="Words",
        description="Index the text for BM25 word search (text fields only).",
    )


class CollectionSection(Section):
    """Items that are searched together: their fields and their metadata."""

    fields: dict[Name, FieldSection] = Field(
        title="Fields", description="The parts of an item, by name.", min_length=1
    )
    metadata: dict[Name, MetadataType] = Field(
        default_factory=dict,
        title="Metadata",
        description="The typed values of an item, by name; they can be filtered on.",
        examples=[{"price": "float", "color": "string", "tags": "strings"}],
    )


class EngineSection(Section):
    """How much of the machine is used."""

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
    fusion: FusionSection = Field(
        default_factory=FusionSection, title="Fusion", description="How routes are combined."
    )
    engine: EngineSection = Field(
        default_factory=EngineSection, title="Engine", description="How the work is done."
    )
    plugins: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        title="Plugins",
        description="The plugins to load, by the name of their entry point, with their options.",
    )
