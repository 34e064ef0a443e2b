"""The history's rows: appended one after the other, each sealed behind the last; `sql` alone calls this."""

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from headgate.events import FIRST, Event, EventKind, Sealed, seal
from headgate.store import tables
from headgate.vocabulary import Micros

_APPENDING: Final = 0x6865616465766E74
"""Key of the PostgreSQL advisory lock under which the history grows; any fixed number will do."""


def take_turns(connection: sa.Connection) -> None:
    """Let one writer at a time append, until its transaction ends.

    SQLite's transaction holds the write lock already; in PostgreSQL two writers would seal behind the same record.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_APPENDING)))


def append(connection: sa.Connection, event: Event) -> None:
    """Add `event` as the newest record."""
    take_turns(connection)
    table = tables.event
    last = connection.execute(sa.select(table.c.seal).order_by(table.c.id.desc()).limit(1)).scalar()
    previous = last or FIRST
    details = msgspec.json.encode(event.details, order="sorted").decode()
    sealed = {"details": details, "previous": previous, "seal": seal(event, previous)}
    connection.execute(table.insert().values(msgspec.structs.asdict(event) | sealed))


def records(connection: sa.Connection, after: int, limit: int) -> list[Sealed]:
    """Records behind number `after`, oldest first; at most `limit`."""
    table = tables.event
    query = sa.select(table).where(table.c.id > after).order_by(table.c.id).limit(max(0, limit))
    return [Sealed(row.id, event_of(row), row.previous, row.seal) for row in connection.execute(query)]


def event_of(row: sa.Row[Any]) -> Event:
    """The event a row holds."""
    return Event(
        Micros(row.at),
        EventKind(row.kind),
        row.project,
        row.subject,
        row.actor,
        row.why,
        msgspec.json.decode(row.details),
        row.before,
        row.after,
    )
