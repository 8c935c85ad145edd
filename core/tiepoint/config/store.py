"""The part of the deployment file that says where collections are durable."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from tiepoint.config.sections import Name, Section


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
