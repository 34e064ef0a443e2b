"""SQLite where this user may not write: another user's home, a read-only mount, a backup. Looked at, never touched.

`engines` alone calls this.
"""

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from headgate.errors import BadConfiguration, NotFound, Unavailable

ONLOOKER: Final = "headgate_onlooker"
"""Execution option of an engine through which nothing can be written."""


def may_write(path: Path) -> bool:
    """Whether this user may keep a database at `path`: SQLite needs its folder too, for the log beside it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     may_write(Path(folder) / "store.sqlite")
    True
    """
    # Whether it is there comes first: another process may make it between the two questions.
    return os.access(path.parent, os.W_OK | os.X_OK) and (not path.exists() or os.access(path, os.W_OK))


def onlooker(url: sa.URL, path: Path, busy_seconds: float) -> sa.Engine:
    """The database at `path` for reading alone, a new connection for every transaction.

    Raises NotFound when there is none, BadConfiguration when this user may not read it.
    """
    if not path.exists():
        raise NotFound("store", str(path), "no verb has written to it yet; --store names another")
    if not os.access(path, os.R_OK):
        raise BadConfiguration("store", f"{path} cannot be read by this user; run as its owner")
    engine = sa.create_engine(
        url,
        creator=partial(_connect, path, busy_seconds),
        poolclass=sa.NullPool,
        execution_options={ONLOOKER: True},
    )
    sa.event.listen(engine, "commit", partial(_still_the_same, path))
    sa.event.listen(engine, "handle_error", partial(_still_the_same_after, path))
    return engine


def refuse_writing(engine: sa.Engine) -> None:
    """Nothing, or BadConfiguration when `engine` is an onlooker's."""
    if engine.get_execution_options().get(ONLOOKER):
        raise BadConfiguration(
            "store", f"{engine.url.database} cannot be written by this user; run as its owner, or use another home"
        )


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    # A reader of a WAL database needs the index of its log, and cannot make one here. A log has an index beside it,
    # a live writer's or a dead one's, and `mode=ro` reads both. Without a log everything is in the database itself,
    # which `immutable` reads without an index; that nobody changed it meanwhile is looked at afterwards, for this
    # user cannot keep the owner from writing.
    before = _state(path)
    log, index = (path.with_name(f"{path.name}-{each}") for each in ("wal", "shm"))
    logged = log.exists() and (index.exists() or log.stat().st_size > 0)
    if logged and not index.exists():
        raise BadConfiguration("store", f"{log} has no index beside it; open the home once where it can be written")
    address = f"{path.absolute().as_uri()}?mode=ro{'' if logged else '&immutable=1'}"
    connection = sqlite3.connect(address, uri=True, timeout=busy_seconds, factory=_Connection)
    connection.before = None if logged else before
    return connection


class _Connection(sqlite3.Connection):
    """A connection that knows how its database looked before it was opened; None where the log takes care of that."""

    before: tuple[int, ...] | None = None


def _still_the_same(path: Path, connection: sa.Connection) -> None:
    raw: Any = connection.connection.dbapi_connection
    if raw.before not in (None, _state(path)):
        raise Unavailable("the store was changed while it was read; ask again")


def _still_the_same_after(path: Path, failure: sa.engine.ExceptionContext) -> None:
    """Half of an old page and half of a new one look like damage, and are none."""
    if failure.connection is not None:
        _still_the_same(path, failure.connection)


def _state(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return (found.st_ino, found.st_size, found.st_mtime_ns)
