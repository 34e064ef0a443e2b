"""Watches and their days as rows; `sqlwatches` alone calls this."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from headgate.errors import Conflict
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.state import WatchState
from headgate.store import tables
from headgate.vocabulary import Micros


def find(connection: sa.Connection, project: str, endpoint: str) -> WatchState | None:
    """What was kept last."""
    table = tables.watch
    query = sa.select(table.c.record).where(table.c.project == project, table.c.endpoint == endpoint)
    row = connection.execute(query).first()
    return None if row is None else msgspec.json.decode(row.record, type=WatchState)


def keep(connection: sa.Connection, state: WatchState) -> WatchState:
    """Insert it as revision 1, or put it in the place of the one of its revision. Raises Conflict."""
    table = tables.watch
    after = msgspec.structs.replace(state, revision=state.revision + 1)
    key = {"project": state.project, "endpoint": state.endpoint}
    values = {"revision": after.revision, "record": msgspec.json.encode(after).decode()}
    statement: sa.Executable
    if state.revision == 0:
        statement = _insert(connection, table).values(key | values).on_conflict_do_nothing().returning(table.c.revision)
    else:
        there = [table.c[name] == value for name, value in key.items()]
        statement = table.update().where(*there, table.c.revision == state.revision)
        statement = statement.values(values).returning(table.c.revision)
    # What came of it is asked of the row: not every driver counts rows that were left as they were as none.
    if connection.execute(statement).first() is None:
        raise Conflict(f"the watch of '{state.endpoint}' went on meanwhile; look again")
    return after


def add(connection: sa.Connection, project: str, endpoint: str, day: Day) -> None:
    """Lay a day together with what there is of it."""
    table = tables.watch_day
    key = {"project": project, "endpoint": endpoint, "start": int(day.start), "version": day.version}
    there = [table.c[name] == value for name, value in key.items()]
    row = connection.execute(sa.select(table.c.record).where(*there)).first()
    whole = day if row is None else msgspec.json.decode(row.record, type=Day).merged(day)
    values = {"record": msgspec.json.encode(whole).decode()}
    statement = _insert(connection, table).values(key | values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def days(
    connection: sa.Connection, project: str, endpoint: str, start: Micros | None = None, end: Micros | None = None
) -> list[Day]:
    """Those that begin in [start, end), by day and version."""
    table = tables.watch_day
    query = sa.select(table.c.record).where(table.c.project == project, table.c.endpoint == endpoint)
    if start is not None:
        query = query.where(table.c.start >= start)
    if end is not None:
        query = query.where(table.c.start < end)
    found = [msgspec.json.decode(row.record, type=Day) for row in connection.execute(query)]
    return sorted(found, key=lambda each: (each.start, each.version))


def _insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
