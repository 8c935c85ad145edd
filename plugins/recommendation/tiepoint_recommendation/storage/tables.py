"""The tables of events and of the catalogue."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

_NUMBER = BigInteger().with_variant(Integer, "sqlite")

# An event that is told twice is kept once. Led by user and time, this index also finds the
# latest events of one user.
events = Table(
    "events",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("user", String, nullable=False),
    Column("item", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("time_s", Float(53), nullable=False),
    Column("session", String, nullable=False, server_default=""),
    Column("value", Float(53)),
    Index("events_once", "user", "time_s", "item", "kind", unique=True),
    Index("events_by_session", "session", "time_s"),
    sqlite_autoincrement=True,  # a number is never given twice, also after forgetting
)

products = Table(
    "products",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("image", Text, nullable=False),
    Column("price", Float(53)),
    Column("stock", BigInteger),
    Column("brand", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("added_s", Float(53)),
    Column("metadata", JSON, nullable=False),
)

# When each product changed last, counted in changes of the catalogue; those that left it stay here,
# so that who follows the catalogue learns of it.
changes = Table(
    "product_changes",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", _NUMBER, nullable=False, index=True),
    Column("gone", Boolean, nullable=False),
)

# Who asked to be forgotten, as keyed digests: late events must not bring them back.
forgotten = Table(
    "forgotten",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("time_s", Float(53), nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String, primary_key=True),
    Column("content", Text, nullable=False),
)
