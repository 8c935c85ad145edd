"""How a collection lies in Milvus: its fields, and rows there and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tiepoint.config.collections import MetadataType, Metric
from tiepoint.config.store import ServerSection
from tiepoint.errors import SchemaError
from tiepoint.index.analysis import plain_terms
from tiepoint.index.base import CollectionSchema, Row, VectorField
from tiepoint.index.filters import milvus_field
from tiepoint.index.validation import (
    MAX_DIGEST_BYTES,
    MAX_LIST_LENGTH,
    MAX_TEXT_BYTES,
)
from tiepoint.types import MAX_ID_BYTES, MetadataValue

MAX_SERVER_PARTS_BYTES = 65_000
"""What a Milvus server keeps of an item's parts together: the limit of a JSON field."""

_ANCHOR_DIM = 2
_BATCH_BYTES = 64 << 20
_NO_KEY: dict[MetadataType | None, str | int] = {"string": "", "int": 0}
"""The partition key of a tombstone, by the key's type."""
_INDEXES: dict[str, dict[str, Any]] = {
    "hnsw": {"index_type": "HNSW", "params": {"M": 16, "efConstruction": 200}},
    "ivf_sq8": {"index_type": "IVF_SQ8", "params": {"nlist": 1024}},
    "diskann": {"index_type": "DISKANN", "params": {}},
    "auto": {"index_type": "AUTOINDEX", "params": {}},
}
_MIN_BREADTH = 64
_MAX_BREADTH = 32_768
_PROBED_LISTS = 64
_METRIC_TYPES: dict[Metric, str] = {
    "cosine": "COSINE",
    "inner_product": "IP",
    "euclidean": "L2",
}
_LISTS: dict[MetadataType, MetadataType] = {"strings": "string", "ints": "int", "floats": "float"}


def vector_field(name: str) -> str:
    """Return the Milvus field of a vector field."""
    return f"v_{name}"


def present_field(name: str) -> str:
    """Return the Milvus field that says whether an item has this vector."""
    return f"has_{name}"


def text_field(name: str) -> str:
    """Return the Milvus field of a text that BM25 indexes (on a server only)."""
    return f"t_{name}"


def words_field(name: str) -> str:
    """Return the Milvus field of a text's BM25 vectors (on a server only)."""
    return f"b_{name}"


class Layout:
    """The Milvus schema of one collection, and the translation of its rows.

    Every row has `id` (the key), `seq`, `deleted` (a tombstone), `parts` (JSON), `digest`;
    `v_<name>` and `has_<name>` by vector field (a missing vector is zeros, because Milvus Lite
    3.2.2 refuses a batch in which all of a field's vectors are null); `m_<name>` by metadata.

    On a server the texts are fields with a BM25 function and the vectors have an index. The
    embedded form has neither: its tier answers, and there they would only cost (a BM25
    function halves the rate of insertion in Milvus Lite, with Chinese words it quarters it).
    The embedded form has instead a first vector field of two dimensions, `anchor`: Milvus
    Lite checks the values of the first vector field one by one in Python at each insertion,
    and copies that field of all rows at each query.

    Args:
        schema: The collection.
        embedded: Whether it lies in Milvus Lite in this process.
        server: The index and the partition key, on a server.

    Raises:
        SchemaError: The partition key is no string or int of the metadata.
    """

    def __init__(
        self, schema: CollectionSchema, *, embedded: bool, server: ServerSection | None = None
    ) -> None:
        self.schema = schema
        self._embedded = embedded
        self._server = server or ServerSection()
        self._partition_key = None if embedded else self._server.partition_key
        self._lists = {name for name, kind in schema.metadata.items() if kind in _LISTS}
        self._blank: dict[str, Any] = {milvus_field(name): None for name in schema.metadata}
        if embedded:
            self._blank["anchor"] = [0.0] * _ANCHOR_DIM
        else:
            self._blank |= {text_field(name): "" for name in schema.texts}
        for field in schema.vectors:
            self._blank[vector_field(field.name)] = np.zeros(field.dim, np.float32)
            self._blank[present_field(field.name)] = False
        if self._partition_key is not None:
            kind = schema.metadata.get(self._partition_key)
            if kind not in _NO_KEY:
                raise SchemaError(
                    f"the partition key {self._partition_key!r} is no string or int of the"
                    " metadata",
                    where=f"collection {schema.name!r}",
                    hint="Name another one as store.server.partition_key, or none.",
                )
            self._blank[milvus_field(self._partition_key)] = _NO_KEY[kind]

    @property
    def output_fields(self) -> list[str]:
        """The fields that `from_entity` needs."""
        vectors = [vector_field(field.name) for field in self.schema.vectors]
        present = [present_field(field.name) for field in self.schema.vectors]
        metadata = [milvus_field(name) for name in self.schema.metadata]
        return ["id", "seq", "deleted", "parts", "digest", *vectors, *present, *metadata]

    def row_bytes(self) -> int:
        """Return about how many bytes a row takes on its way."""
        return 500 + 4 * sum(field.dim for field in self.schema.vectors)

    def milvus_schema(self) -> Any:
        """Return the `pymilvus.CollectionSchema`."""
        from pymilvus import DataType, MilvusClient

        made = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        made.add_field("id", DataType.VARCHAR, max_length=MAX_ID_BYTES, is_primary=True)
        made.add_field("seq", DataType.INT64)
        made.add_field("deleted", DataType.BOOL)
        made.add_field("parts", DataType.JSON)
        made.add_field("digest", DataType.VARCHAR, max_length=MAX_DIGEST_BYTES)
        if self._embedded:
            made.add_field("anchor", DataType.FLOAT_VECTOR, dim=_ANCHOR_DIM)
        for field in self.schema.vectors:
            made.add_field(vector_field(field.name), DataType.FLOAT_VECTOR, dim=field.dim)
            made.add_field(present_field(field.name), DataType.BOOL)
        for name, kind in self.schema.metadata.items():
            spread = {"is_partition_key": True} if name == self._partition_key else {}
            made.add_field(
                milvus_field(name), nullable=not spread, **_metadata_options(kind), **spread
            )
        if not self._embedded:
            self._add_texts(made)
        return made

    def index_params(self) -> Any:
        """Return the `pymilvus` index parameters of a collection on a server."""
        from pymilvus import MilvusClient

        params = MilvusClient.prepare_index_params()
        for field in self.schema.vectors:
            params.add_index(
                vector_field(field.name),
                metric_type=_metric_type(field),
                **_INDEXES[self._server.index],
            )
        for name in self.schema.texts:
            params.add_index(
                words_field(name), index_type="SPARSE_INVERTED_INDEX", metric_type="BM25"
            )
        return params

    def search_params(self, field: str, k: int) -> dict[str, Any]:
        """Return the `pymilvus` parameters of a search for the k nearest vectors."""
        breadth = min(max(_MIN_BREADTH, 2 * k), _MAX_BREADTH)
        options = {
            "hnsw": {"ef": breadth},
            "ivf_sq8": {"nprobe": _PROBED_LISTS},
            "diskann": {"search_list": breadth},
            "auto": {},
        }
        asked = next(vector for vector in self.schema.vectors if vector.name == field)
        return {"metric_type": _metric_type(asked), "params": options[self._server.index]}

    def entities(self, rows: Sequence[Row], first_sequence: int) -> Iterator[dict[str, Any]]:
        """Yield rows as Milvus takes them, numbered from `first_sequence`."""
        for sequence, row in enumerate(rows, first_sequence):
            entity = self._blank | {
                "id": row.id,
                "seq": sequence,
                "deleted": False,
                "parts": row.parts,
                "digest": row.digest,
            }
            for name, value in row.metadata.items():
                entity[milvus_field(name)] = value
            for name, vector in row.vectors.items():
                entity[vector_field(name)] = vector
                entity[present_field(name)] = True
            if not self._embedded:
                self._fill_texts(row, entity)
            if self._partition_key is not None and self._partition_key not in row.metadata:
                raise SchemaError(
                    f"the item has no {self._partition_key!r}, the store's partition key",
                    where=f"item {row.id!r:.80}",
                    hint="Give it one, or name another partition key in a new store.",
                )
            yield entity

    def batches(self, entities: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        """Yield entities in lists of up to 64 MiB, in order."""
        batch: list[dict[str, Any]] = []
        size = 0
        for entity in entities:
            entity_size = self.row_bytes() + sum(4 * len(part) for part in entity["parts"].values())
            if batch and size + entity_size > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
            batch.append(entity)
            size += entity_size
        if batch:
            yield batch

    def tombstones(self, ids: Sequence[str], first_sequence: int) -> Iterator[dict[str, Any]]:
        """Yield the rows that stand for deleted items, numbered from `first_sequence`."""
        for sequence, item in enumerate(ids, first_sequence):
            yield self._blank | {
                "id": item,
                "seq": sequence,
                "deleted": True,
                "parts": {},
                "digest": "",
            }

    def metadata_of(
        self, entity: Mapping[str, Any], names: Iterable[str] | None = None
    ) -> dict[str, MetadataValue]:
        """Return an entity's metadata (all of it, or by these names); a null is missing."""
        metadata: dict[str, MetadataValue] = {}
        for name in self.schema.metadata if names is None else names:
            value = entity[milvus_field(name)]
            if value is not None:
                metadata[name] = list(value) if name in self._lists else value
        return metadata

    def from_entity(self, entity: Mapping[str, Any]) -> tuple[int, Row | str]:
        """Return the sequence number and the row, or the id of a deleted item."""
        sequence = int(entity["seq"])
        if entity["deleted"]:
            return sequence, str(entity["id"])
        metadata = self.metadata_of(entity)
        vectors = {
            field.name: np.asarray(entity[vector_field(field.name)], np.float32)
            for field in self.schema.vectors
            if entity[present_field(field.name)]
        }
        row = Row(entity["id"], vectors, metadata, dict(entity["parts"]), entity["digest"])
        return sequence, row

    def _add_texts(self, made: Any) -> None:
        from pymilvus import DataType, Function, FunctionType

        for name in self.schema.texts:
            made.add_field(
                text_field(name),
                DataType.VARCHAR,
                max_length=MAX_TEXT_BYTES,
                enable_analyzer=True,
                # The terms are made here, as for the tier; the tokeniser just takes them apart.
                analyzer_params={"tokenizer": "standard"},
            )
            made.add_field(words_field(name), DataType.SPARSE_FLOAT_VECTOR)
            made.add_function(
                Function(
                    name=f"bm25_{name}",
                    function_type=FunctionType.BM25,
                    input_field_names=[text_field(name)],
                    output_field_names=[words_field(name)],
                )
            )

    def _fill_texts(self, row: Row, entity: dict[str, Any]) -> None:
        length = sum(len(name) + len(part.encode()) for name, part in row.parts.items())
        if length > MAX_SERVER_PARTS_BYTES:
            raise SchemaError(
                f"the parts have {length:,} bytes; a server keeps {MAX_SERVER_PARTS_BYTES:,}",
                where=f"item {row.id!r:.80}",
                hint="Split the text into several items, or use an embedded store.",
            )
        for name, analysis in self.schema.texts.items():
            terms = plain_terms(row.parts.get(name, ""), analysis, MAX_TEXT_BYTES)
            entity[text_field(name)] = terms


def _metadata_options(kind: MetadataType) -> dict[str, Any]:
    from pymilvus import DataType

    types = {
        "string": DataType.VARCHAR,
        "int": DataType.INT64,
        "float": DataType.DOUBLE,
        "bool": DataType.BOOL,
    }
    element = types[_LISTS.get(kind, kind)]
    length = {"max_length": MAX_TEXT_BYTES} if element is DataType.VARCHAR else {}
    if kind in _LISTS:
        capacity = {"max_capacity": MAX_LIST_LENGTH, "element_type": element}
        return {"datatype": DataType.ARRAY, **capacity, **length}
    return {"datatype": element, **length}


def _metric_type(field: VectorField) -> str:
    """Return Milvus's name of a field's metric.

    Raises:
        SchemaError: A server does not have it.
    """
    if field.metric not in _METRIC_TYPES:
        raise SchemaError(
            f"a Milvus server does not compare by {field.metric}",
            where=f"vector field {field.name!r}",
            hint=f"Choose {', '.join(_METRIC_TYPES)}, or an embedded store.",
        )
    return _METRIC_TYPES[field.metric]
