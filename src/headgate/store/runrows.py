"""Runs of the loop as rows, and what was said that begins them; `sqlruns` alone calls this."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from headgate.errors import Conflict
from headgate.retraining.run import Call, Run, under_way
from headgate.store import tables
from headgate.vocabulary import Micros


def add(connection: sa.Connection, run: Run) -> Run:
    """Insert it under the next number of its endpoint. Raises Conflict while another has not ended."""
    earlier = find(connection, run.project, run.endpoint)
    if earlier and not earlier[-1].ended:
        raise under_way(earlier[-1])
    numbered = msgspec.structs.replace(run, number=earlier[-1].number + 1 if earlier else 1)
    key = {"project": run.project, "endpoint": run.endpoint, "number": numbered.number}
    connection.execute(tables.run.insert().values(key | _kept(numbered)))
    return numbered


def keep(connection: sa.Connection, run: Run, before: int) -> None:
    """Put it in the place of its revision `before`. Raises Conflict where another is there."""
    table = tables.run
    statement = table.update().where(
        table.c.project == run.project,
        table.c.endpoint == run.endpoint,
        table.c.number == run.number,
        table.c.revision == before,
    )
    if not connection.execute(statement.values(_kept(run))).rowcount:
        raise Conflict(f"run {run.number} of '{run.endpoint}' moved meanwhile; look again")


def find(
    connection: sa.Connection, project: str | None = None, endpoint: str | None = None, *, ended: bool | None = None
) -> list[Run]:
    """By project, endpoint and number."""
    table = tables.run
    query = sa.select(table.c.record)
    for column, wanted in ((table.c.project, project), (table.c.endpoint, endpoint), (table.c.ended, ended)):
        if wanted is not None:
            query = query.where(column == wanted)
    found = [msgspec.json.decode(row.record, type=Run) for row in connection.execute(query)]
    return sorted(found, key=lambda each: (each.project, each.endpoint, each.number))


def call(connection: sa.Connection, said: Call) -> bool:
    """Insert it; False where its key is taken."""
    table = tables.run_call
    key = {"project": said.project, "endpoint": said.endpoint, "key": said.key}
    values = key | {"at": int(said.at), "record": msgspec.json.encode(said).decode()}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(values).on_conflict_do_nothing().returning(table.c.key)
    return connection.execute(statement).first() is not None


def calls(connection: sa.Connection, project: str, endpoint: str, since: Micros) -> list[Call]:
    """Those from `since` on, the first one first."""
    table = tables.run_call
    query = sa.select(table.c.record).where(
        table.c.project == project, table.c.endpoint == endpoint, table.c.at >= int(since)
    )
    found = [msgspec.json.decode(row.record, type=Call) for row in connection.execute(query)]
    return sorted(found, key=lambda each: (each.at, each.key))


def _kept(run: Run) -> dict[str, Any]:
    return {"ended": run.ended, "revision": run.revision, "record": msgspec.json.encode(run).decode()}
