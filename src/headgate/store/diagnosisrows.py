"""Diagnoses as rows, one an endpoint and episode; `sqlwatches` alone calls this."""

from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from headgate.store import tables

if TYPE_CHECKING:
    from headgate.monitors.diagnosis.kept import Diagnosed


def keep(connection: sa.Connection, diagnosed: "Diagnosed") -> None:
    """Insert it, or put it in the place of what there is of its episode."""
    table = tables.diagnosis
    key = {"project": diagnosed.project, "endpoint": diagnosed.endpoint, "began": int(diagnosed.began)}
    values = {"record": msgspec.json.encode(diagnosed).decode()}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(key | values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def every(connection: sa.Connection, project: str, endpoint: str) -> "list[Diagnosed]":
    """Those of an endpoint, the last episode last."""
    from headgate.monitors.diagnosis.kept import Diagnosed  # noqa: PLC0415 - all of attribution

    table = tables.diagnosis
    query = sa.select(table.c.record).where(table.c.project == project, table.c.endpoint == endpoint)
    found = [msgspec.json.decode(row.record, type=Diagnosed) for row in connection.execute(query)]
    return sorted(found, key=lambda each: each.began)
