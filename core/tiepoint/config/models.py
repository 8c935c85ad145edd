"""The deployment file as data: every key, its type, its default, and what it means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
"""How encoders, collections, fields and sources may be called."""

MetadataType = Literal["string", "int", "float", "bool", "strings", "ints", "floats"]
Metric = Literal["cosine", "inner_product", "euclidean", "manhattan"]
IndexKind = Literal["exact", "hnsw", "ivf", "lsh", "int8", "binary"]


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


class ServerSection(Section):
    """How a Milvus server or cluster is used; nothing of it applies to an embedded store."""

    token: SecretStr | None = Field(
        default=None,
        title="Token",
        description="`user:password` or an API key; best as ${MILVUS_TOKEN}.",
    )
    ca_certificate: Path | None = Field(
        default=None,
        title="CA certificate",
        description="PEM file of the authority that signed the server's certificate (TLS).",
    )
    client_certificate: Path | None = Field(
        default=None,
        title="Client certificate",
        description="PEM file of our own certificate, where the server asks for one.",
    )
    client_key: Path | None = Field(
        default=None, title="Client key", description="PEM file of that certificate's key."
    )
    timeout_s: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        title="Timeout",
        description="Seconds in which a call is tried again before it fails.",
    )
    consistency: Literal["strong", "session", "bounded", "eventually"] = Field(
        default="strong",
        title="Consistency",
        description="Which writes a search must see; `strong` is all that were acknowledged.",
    )
    index: Literal["hnsw", "ivf_sq8", "diskann", "auto"] = Field(
        default="hnsw",
        title="Index",
        description="The server's vector index, chosen when the collection is created.",
    )
    partition_key: Name | None = Field(
        default=None,
        title="Partition key",
        description="A string or int of the metadata that every item has, by which the server"
        " keeps the rows apart: searches that test it for equality read that part alone.",
    )

    @model_validator(mode="after")
    def _certificates_belong_together(self) -> ServerSection:
        parts = (self.client_certificate, self.client_key)
        if any(parts) and not all((*parts, self.ca_certificate)):
            raise ValueError("client_certificate needs client_key and ca_certificate")
        return self


class StoreSection(Section):
    """Where collections are durable."""

    uri: str = Field(
        default="./tiepoint-data",
        title="URI",
        description="A local folder (embedded Milvus Lite), relative to the deployment file, or"
        " `http[s]://host:port[/database]` of a Milvus server or cluster.",
    )
    server: ServerSection = Field(
        default_factory=ServerSection,
        title="Server",
        description="How the server is used, where the URI names one.",
    )


class IndexSection(Section):
    """How the vectors of an embedded collection are searched."""

    kind: Literal["auto"] | IndexKind = Field(
        default="auto",
        title="Kind",
        description=(
            "`exact`; `hnsw`, a graph over 8-bit copies; `ivf`, inverted lists of them; `lsh`, "
            "random hyperplanes; `int8` and `binary` keep only copies of 8 or 1 bit a dimension "
            "in memory and the vectors on disk. `auto` chooses by size, memory and recall."
        ),
    )
    recall: float = Field(
        default=0.99,
        ge=0.5,
        le=1.0,
        title="Recall",
        description=(
            "The share of the true 10 nearest that a search is tuned to find; 1 searches exactly."
        ),
    )
    memory_mib: int | None = Field(
        default=None,
        ge=1,
        title="Memory",
        description="What a field's vectors may take of memory, in MiB; half the machine's if not given.",
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
    metric: Metric = Field(
        default="cosine",
        title="Metric",
        description=(
            "How vectors are compared. Given vectors are stored at unit length for `cosine`, as "
            "they are for the others; the score of a distance is its negative."
        ),
    )
    index: IndexSection | None = Field(
        default=None,
        title="Index",
        description="How this field's vectors are searched; as the collection says if not given.",
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
    index: IndexSection = Field(
        default_factory=IndexSection,
        title="Index",
        description="How the vectors of the fields are searched.",
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
