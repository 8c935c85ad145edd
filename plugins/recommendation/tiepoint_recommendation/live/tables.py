"""The tables of what was shown and of the rules, beside those of events and catalogue."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

_NUMBER = BigInteger().with_variant(Integer, "sqlite")

impressions = Table(
    "impressions",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("request", String, nullable=False),
    Column("user", String, nullable=False),
    Column("item", String, nullable=False),
    Column("place", Integer, nullable=False),
    Column("experiment", String, nullable=False),
    Column("arm", String, nullable=False),
    Column("policy", String, nullable=False),
    Column("propensity", Float(53), nullable=False),
    Column("candidates", Integer, nullable=False),
    Column("best", Boolean, nullable=False),
    Column("score", Float(53), nullable=False),
    Column("shown_s", Float(53), nullable=False),
    Column("clicked_s", Float(53)),
    Index("impressions_of_user", "user", "item", "shown_s"),
    Index("impressions_of_arm", "experiment", "arm"),
)

rules = Table(
    "rules",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("content", JSON, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_s", Float(53), nullable=False),
    Column("undone_by", Text),
    Column("undone_s", Float(53)),
)
