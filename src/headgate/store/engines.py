"""A database opened the way the store needs it: SQLite in WAL mode or PostgreSQL, brought to the newest schema.

`sql` alone calls this; it is where the two databases differ.
"""

import contextlib
import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from headgate.errors import BadConfiguration, BadInput, IntegrityError, MissingExtra, NewerSchema, Unavailable
from headgate.store import atomic, onlooker, revisions
from headgate.store.migrate import upgrade

BUSY_SECONDS: Final = 30.0
"""How long a writer waits for another one before it gives up."""
WRITE: Final = "headgate_write"
_PROBE: Final = 65_536
"""Bytes a disk must still take not to be called full; SQLite's write-ahead index grows by half of that."""
_MIGRATING: Final = 0x68656164
"""Key of the PostgreSQL advisory lock under which the schema is moved; any fixed number will do."""


def open_engine(where: str | os.PathLike[str]) -> sa.Engine:
    """The database at a path (SQLite) or URL (``postgresql://…``, ``sqlite:///…``), its schema up to date.

    SQLite that this user may not write is opened for reading. Raises NewerSchema when its revision is unknown,
    MissingExtra without a driver, BadConfiguration for a URL that is not one or an old schema that cannot be moved,
    NotFound when it is not there and cannot be made, Unavailable when the database cannot be reached.
    """
    url = _url(where)
    with translated(url):
        if url.get_backend_name() == "sqlite":
            return _open_sqlite(url)
        return _open_postgres(url)


@contextlib.contextmanager
def translated(url: sa.URL) -> Iterator[None]:
    """Turns what the database at `url` complains of into Headgate's own errors."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise BadInput(
            "text", "utf8", f"{error.object!r} is not UTF-8 text, which is all the store can hold"
        ) from error
    except sa.exc.OperationalError as error:
        if isinstance(error.orig, sqlite3.Error) and url.database and _is_full(Path(url.database).parent):
            raise Unavailable("the store cannot be used now: its disk is full; free some space") from error
        raise Unavailable(f"the store cannot be used now: {_reason(error)}") from error
    except sa.exc.DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and not isinstance(error, sa.exc.IntegrityError):
            raise IntegrityError(f"the store is damaged: {_reason(error)}; restore it from a backup") from error
        raise


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that sees one state of the store."""
    with translated(engine.url), engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that is durable when the context ends and never was when it raises.

    Raises BadConfiguration where this user may only read.
    """
    onlooker.refuse_writing(engine)
    with translated(engine.url), engine.connect() as connection, connection.execution_options(**{WRITE: True}).begin():
        yield connection


def _url(where: str | os.PathLike[str]) -> sa.URL:
    if isinstance(where, os.PathLike) or "://" not in where:
        return sa.URL.create("sqlite", database=os.fspath(where))
    try:
        url = sa.make_url(where)
    except (sa.exc.ArgumentError, ValueError) as error:  # a port that is no number is not SQLAlchemy's own error
        raise BadConfiguration("store", "must be a path, sqlite:///PATH or postgresql://USER@HOST/NAME") from error
    match url.get_backend_name():
        case "sqlite":
            return url
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
        case _:
            raise BadConfiguration("store", "must be a path, sqlite:///PATH or postgresql://USER@HOST/NAME")


def _open_sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise BadConfiguration("store", "SQLite needs a file; headgate.testing has a store in memory")
    path = Path(url.database)
    if not path.parent.is_dir():
        raise BadConfiguration("store", f"the directory {path.parent} does not exist")
    writable = onlooker.may_write(path)
    if writable:
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    else:
        engine = onlooker.onlooker(url, path, BUSY_SECONDS)
    sa.event.listen(engine, "connect", _configure_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    if not writable:
        with _disposed_on_error(engine), reading(engine) as connection:
            _require_newest(connection)
        return engine
    # SQLite does not wait its turn when the journal mode is changed, so openers take turns here.
    with _disposed_on_error(engine), atomic.locked(path.with_name(path.name + ".lock")):
        with engine.connect() as connection:
            _set_wal(connection)
        with writing(engine) as connection:
            _bring_up_to_date(connection)
    return engine


def _open_postgres(url: sa.URL) -> sa.Engine:
    try:
        engine = sa.create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise MissingExtra("a PostgreSQL store", "postgres") from error
    with _disposed_on_error(engine), writing(engine) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
        _bring_up_to_date(connection)
    return engine


@contextlib.contextmanager
def _disposed_on_error(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says, not where the driver guesses
    for pragma in ("foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes the write lock before it reads: two that read first would both go on from the same state
    # and one of them would have to fail.
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_wal(connection: sa.Connection) -> None:
    raw: Any = connection.connection.dbapi_connection
    (mode,) = raw.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        raw.execute("PRAGMA journal_mode = WAL").fetchone()


def _bring_up_to_date(connection: sa.Connection) -> None:
    if not _is_newest(connection):
        upgrade(connection)


def _require_newest(connection: sa.Connection) -> None:
    if not _is_newest(connection):
        raise BadConfiguration(
            "store", "an older Headgate made it and this user cannot write it; run once as its owner"
        )


def _is_newest(connection: sa.Connection) -> bool:
    """Whether the schema is the newest. Raises NewerSchema when it is newer than this Headgate."""
    revision = _revision(connection)
    if revision is not None and not revisions.is_known(revision):
        raise NewerSchema("the store was migrated by a newer Headgate; install that version or newer")
    return revision == revisions.head()


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    return None if found is None else str(found)


def _is_full(folder: Path) -> bool:
    """Whether `folder` takes nothing more; SQLite calls that an input/output error and keeps the reason to itself."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            os.posix_fallocate(probe.fileno(), 0, _PROBE)
    except OSError as error:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return False


def _reason(error: sa.exc.DBAPIError) -> str:
    """The database's own first line, without the statement and its values."""
    return str(error.orig).strip().split("\n", 1)[0]
