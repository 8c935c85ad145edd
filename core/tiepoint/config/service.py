"""The parts of the deployment file that say how a host is served, and to whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from tiepoint.config.sections import ComponentSection, Section

Scope = Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9_-]*(:(\*|[a-z][a-z0-9_-]*))?)$")]
"""What a caller may do: `search`, `items:write`, `security:read`, `security:*`, or `*`."""


class TlsSection(Section):
    """The server's own certificate; without it, TLS is left to what stands before the server."""

    certificate: Path = Field(
        title="Certificate", description="PEM file of the certificate and its chain."
    )
    key: Path = Field(title="Key", description="PEM file of the certificate's key.")


class LimitsSection(Section):
    """How much is taken on at once; what goes beyond is refused and may come again."""

    body_mib: float = Field(
        default=32.0, gt=0, le=4096, title="Body", description="Largest request, in MiB."
    )
    files_mib: float = Field(
        default=512.0,
        gt=0,
        le=65_536,
        title="Files",
        description="Largest form of files, such as a DICOM study, in MiB; each of its files may"
        " have `body_mib`.",
    )
    request_s: float = Field(
        default=60.0, gt=0, le=3600, title="Request", description="Longest answer, in seconds."
    )
    at_once: int = Field(
        default=64,
        ge=1,
        le=10_000,
        title="At once",
        description="Requests that are worked on or wait; one more is told to come again (429).",
    )
    per_minute: int = Field(
        default=100_000,
        ge=1,
        title="Per minute",
        description="Requests of one caller in a minute; one more is told to come again (429).",
    )
    items: int = Field(
        default=1000, ge=1, le=10_000, title="Items", description="Most items in one request."
    )


class ServeSection(ComponentSection):
    """How a host is reached over the network: an entry point in `tiepoint.servers`."""

    type: str = Field(default="http", title="Type", description="`http`, or another entry point.")
    address: str = Field(
        default="127.0.0.1",
        title="Address",
        description="The address to listen at; one that is not loopback needs `auth`.",
    )
    port: int = Field(
        default=8080, ge=0, le=65_535, title="Port", description="0 takes any that is free."
    )
    root_path: str = Field(
        default="",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        title="Root path",
        description="Where a proxy shows the service, such as `/tiepoint`.",
    )
    names: tuple[str, ...] = Field(
        default=(),
        title="Names",
        description="Host names that the service is called by, beside its address and localhost;"
        " a request for another name is refused.",
        examples=[["search.example.org", "*.example.org"]],
    )
    origins: tuple[str, ...] = Field(
        default=(),
        title="Origins",
        description="Web pages of other origins that may call the service (CORS); none if empty.",
        examples=[["https://shop.example.org"]],
    )
    proxies: tuple[str, ...] = Field(
        default=(),
        title="Proxies",
        description="Addresses of proxies whose word on a caller's address is taken.",
    )
    fetch: tuple[str, ...] = Field(
        default=(),
        title="Fetch",
        description="Beginnings of URLs that a query's part may name; none is fetched if empty.",
        examples=[["https://images.example.org/catalogue/"]],
    )
    files: tuple[Path, ...] = Field(
        default=(),
        title="Files",
        description="Folders whose files callers may name as parts; none if empty.",
    )
    pages: bool = Field(default=True, title="Pages", description="Whether web pages are served.")
    state: Path | None = Field(
        default=None,
        title="State",
        description="The folder of what the service keeps (jobs, sign-ins, audit, files that"
        " callers sent); beside the store if not given.",
    )
    database: SecretStr | None = Field(
        default=None,
        title="Database",
        description="URL of a PostgreSQL in which several replicas share jobs, sign-ins,"
        " idempotency keys and the audit, in place of a file in `state`; needs"
        " `tiepoint[postgresql]`.",
        examples=["postgresql://tiepoint:${PASSWORD}@db/tiepoint"],
    )
    drain_s: float = Field(
        default=15.0,
        ge=0,
        le=600,
        title="Drain",
        description="Seconds that requests under way get when the service ends.",
    )
    tls: TlsSection | None = Field(default=None, title="TLS", description="Serve HTTPS.")
    limits: LimitsSection = Field(
        default_factory=LimitsSection, title="Limits", description="How much is taken on."
    )

    @field_validator("database")
    @classmethod
    def _database_is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith("postgresql://"):
            raise ValueError("write it like postgresql://user:password@host/name")
        return url


class OidcSection(Section):
    """Tokens (JWT) of an identity provider, by OpenID Connect."""

    issuer: str = Field(
        pattern=r"^https?://",
        title="Issuer",
        description="The provider's address, exactly as its tokens name it (`iss`).",
    )
    audience: str = Field(title="Audience", description="Our name in its tokens (`aud`).")
    jwks: str | None = Field(
        default=None,
        title="JWKS",
        description="URL or file of the provider's public keys; found through the issuer if not"
        " given.",
    )
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"], ...] = Field(
        default=("RS256", "ES256"),
        min_length=1,
        title="Algorithms",
        description="Signatures that are accepted.",
    )
    claim: str = Field(
        default="scope",
        title="Claim",
        description="The claim with scopes or roles: words in a text, or a list.",
    )
    roles: dict[str, tuple[Scope, ...]] = Field(
        default_factory=dict,
        title="Roles",
        description="What each of the provider's roles may do; without any, the claim names"
        " scopes.",
        examples=[{"radiologist": ["medical:*", "search"]}],
    )


class AuthSection(Section):
    """Who may call the service; without this section, whoever reaches the loopback address."""

    keys: Path = Field(
        default=Path("tiepoint-keys.json"),
        title="Keys",
        description="The file of keys, which holds only their hashes; see `tiepoint keys`.",
    )
    oidc: OidcSection | None = Field(
        default=None, title="OIDC", description="Tokens that are accepted beside keys."
    )
    anonymous: tuple[Scope, ...] = Field(
        default=(), title="Anonymous", description="What callers without a key may do."
    )
    session_hours: float = Field(
        default=12.0,
        gt=0,
        le=24 * 30,
        title="Session hours",
        description="How long a sign-in to the pages lasts.",
    )


class TelemetrySection(Section):
    """What the service tells of its work."""

    log: Literal["text", "json"] = Field(
        default="text", title="Log", description="Lines for people, or a JSON object a line."
    )
    traces: str | None = Field(
        default=None,
        pattern=r"^https?://",
        title="Traces",
        description="Where OpenTelemetry traces go (OTLP over HTTP); needs `tiepoint[telemetry]`.",
        examples=["http://127.0.0.1:4318/v1/traces"],
    )
    service: str = Field(
        default="tiepoint", title="Service", description="The name of this service in traces."
    )
    sampled: float = Field(
        default=1.0, ge=0, le=1, title="Sampled", description="The share of requests traced."
    )

    @model_validator(mode="after")
    def _name_is_given(self) -> TelemetrySection:
        if not self.service.strip():
            raise ValueError("the service needs a name")
        return self
