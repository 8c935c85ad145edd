"""The parts of the deployment file that say what a collection holds, and how it is searched."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tiepoint.config.sections import Name, Section

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
