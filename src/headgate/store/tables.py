"""The tables as they are now; the migrations lead here and a test holds the two together."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

_ROW = BigInteger().with_variant(Integer, "sqlite")
"""A row's own number; SQLite counts by itself only under its plain INTEGER."""

version = Table(
    "version",
    metadata,
    Column("project", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("engine", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("parent", Text),
    Column("data_digest", Text),
    Column("code", Text),
    Column("why", Text, nullable=False),
    UniqueConstraint("project", "model", "digest", name="version_digest"),
)

alias = Table(
    "alias",
    metadata,
    Column("project", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    ForeignKeyConstraint(
        ["project", "model", "number"], ["version.project", "version.model", "version.number"], name="alias_version"
    ),
)

evaluation = Table(
    "evaluation",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("report", LargeBinary, nullable=False),
    Index("evaluation_version", "project", "version"),
)

event = Table(
    "event",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("before", Text, nullable=False, server_default=text("''")),
    Column("after", Text, nullable=False, server_default=text("''")),
    Column("previous", Text, nullable=False, server_default=text("''")),
    Column("seal", Text, nullable=False, server_default=text("''")),
    Index("event_subject", "project", "subject"),
)

endpoint = Table(
    "endpoint",
    metadata,
    Column("project", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("spec", Text, nullable=False),
)

key = Table(
    "key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("successor", Text),
    Column("rate", Float),
    Column("burst", Float),
    Index("key_name", "project", "name"),
)

_running = text("NOT ended")

rollout = Table(
    "rollout",
    metadata,
    Column("project", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("moves", Integer, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("record", Text, nullable=False),
    Index("rollout_running", "project", "endpoint", unique=True, postgresql_where=_running, sqlite_where=_running),
)

lease = Table(
    "lease",
    metadata,
    Column("project", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("input_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("reviewer", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)

skip = Table(
    "skip",
    metadata,
    Column("project", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("input_id", Text, primary_key=True),
    Column("reviewer", Text, primary_key=True),
)

_stands = text("stands")

alert = Table(
    "alert",
    metadata,
    Column("project", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("episode", Integer, primary_key=True, autoincrement=False),
    Column("endpoint", Text, nullable=False),
    Column("raised", BigInteger, nullable=False),
    Column("stands", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("record", Text, nullable=False),
    Index("alert_standing", "project", "key", unique=True, postgresql_where=_stands, sqlite_where=_stands),
    Index("alert_endpoint", "project", "endpoint"),
)

silence = Table(
    "silence",
    metadata,
    Column("project", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("begun", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("because", Text, nullable=False),
)

_waits = text("waits")

delivery = Table(
    "delivery",
    metadata,
    Column("project", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("alert", Text, nullable=False),
    Column("waits", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("record", Text, nullable=False),
    Index("delivery_waiting", "waits", postgresql_where=_waits, sqlite_where=_waits),
    Index("delivery_alert", "project", "alert"),
)

watch = Table(
    "watch",
    metadata,
    Column("project", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("record", Text, nullable=False),
)

watch_day = Table(
    "watch_day",
    metadata,
    Column("project", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Text, primary_key=True),
    Column("record", Text, nullable=False),
)

diagnosis = Table(
    "diagnosis",
    metadata,
    Column("project", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("began", BigInteger, primary_key=True, autoincrement=False),
    Column("record", Text, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("project", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("ended", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("record", Text, nullable=False),
)

run_call = Table(
    "run_call",
    metadata,
    Column("project", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
)
