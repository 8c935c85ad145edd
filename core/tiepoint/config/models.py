"""The deployment file as data: every key, its type, its default, and what it means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, model_validator

from tiepoint.config.sections import ComponentSection as ComponentSection
from tiepoint.config.sections import Section as Section
from tiepoint.config.service import AuthSection, ServeSection, TelemetrySection

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
"""How encoders, collections, fields and sources may be called."""

Language = Literal[
    "arabic",
    "chinese",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hungarian",
    "italian",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
]
"""Languages whose words can be told from stop words, or stemmed."""

MetadataType = Literal["string", "int", "float", "bool", "strings", "ints", "floats"]
Metric = Literal["cosine", "inner_product", "euclidean", "manhattan"]
IndexKind = Literal["exact", "hnsw", "ivf", "lsh", "int8", "binary"]


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


class DecaySection(Section):
    """A strength that falls with the distance of a number or date from an origin."""

    field: Name = Field(
        title="Field",
        description="A metadata field of numbers, or of dates (ISO 8601, or seconds since 1970).",
    )
    shape: Literal["gauss", "exp", "linear"] = Field(
        default="gauss", title="Shape", description="How the strength falls with the distance."
    )
    origin: float | str = Field(
        title="Origin",
        description="The value of full strength: a number, a date, or `now`.",
        examples=["now", "2026-05-01", 100.0],
    )
    scale: float | str = Field(
        title="Scale",
        description="The distance at which the strength is `at_scale`: a number, or such as `7d`.",
        examples=["7d", "12h", 25.0],
    )
    offset: float | str = Field(
        default=0.0, title="Offset", description="The distance up to which the strength is full."
    )
    at_scale: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        title="At scale",
        description="The strength at the distance `scale` beyond the offset.",
    )


class BoostSection(Section):
    """A bonus by metadata: for items that pass a filter, or by a decay, or both."""

    where: str | None = Field(
        default=None,
        title="Where",
        description="Which items get it, in the language of `--filter`; all if not given.",
    )
    decay: DecaySection | None = Field(
        default=None, title="Decay", description="How much of it an item gets; all if not given."
    )
    value: float = Field(
        title="Value",
        description="Added to the score at full strength; negative to push items down.",
        allow_inf_nan=False,
    )


class FusionSection(ComponentSection):
    """How routes are combined: an entry point in `tiepoint.fusions`."""

    type: str = Field(
        default="weighted",
        title="Type",
        description="`weighted`, `rrf`, `max`, `saved` (a fitted one), or another entry point.",
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


class SearchSection(Section):
    """How the parts of a query that are not simply asked for count."""

    negative_weight: float = Field(
        default=1.0,
        gt=0,
        le=100,
        title="Negative weight",
        description="What `negative` parts take away, relative to what the same part would add.",
    )
    like_weight: float = Field(
        default=0.75,
        gt=0,
        le=100,
        title="Like weight",
        description="What likeness to the items in `like` adds (beta of Rocchio's feedback).",
    )
    unlike_weight: float = Field(
        default=0.25,
        gt=0,
        le=100,
        title="Unlike weight",
        description="What likeness to the items in `unlike` takes away (gamma of Rocchio's).",
    )
    session_hours: float = Field(
        default=24.0,
        gt=0,
        le=24 * 365,
        title="Session hours",
        description="How long after its last turn a search session is kept.",
    )


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
        description=(
            "What a field's vectors may take of memory, in MiB; half the machine's if not given."
        ),
    )


class WordsSection(Section):
    """How the text of a field becomes the words that BM25 counts."""

    languages: tuple[Language, ...] = Field(
        default=("english", "chinese"),
        title="Languages",
        description=(
            "Languages of the text: the stop words of all of them do not count, and words are"
            " stemmed in the first one but Chinese. Chinese is always taken apart into words."
        ),
        examples=[["german", "english"]],
    )
    stop_words: tuple[str, ...] = Field(
        default=(),
        max_length=10_000,
        title="Stop words",
        description="Further words that do not count.",
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
    words: bool | WordsSection = Field(
        default=False,
        title="Words",
        description=(
            "Index the text for BM25 word search (text fields only): true for English and"
            " Chinese, or the languages."
        ),
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
