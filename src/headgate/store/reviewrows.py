"""Who has which case, as rows; `sql` alone calls this."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from headgate.review.leases import Lease
from headgate.store import tables
from headgate.vocabulary import DAY, Micros

KEPT: Micros = Micros(DAY)
"""How long leases that ran out are kept: a clock that jumps gives nobody a case somebody else has."""


def take(connection: sa.Connection, project: str, endpoint: str, lease: Lease, now: Micros) -> bool:
    """Insert or take over the lease in one statement, so that of two who try at once one has it."""
    table = tables.lease
    mine = sa.and_(table.c.project == project, table.c.endpoint == endpoint)
    connection.execute(table.delete().where(mine, table.c.until < now - KEPT))
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    key = {"project": project, "endpoint": endpoint, "input_id": lease.input_id, "place": lease.place}
    values = {"reviewer": lease.reviewer, "until": int(lease.until)}
    statement = insert(table).values(key | values)
    free = sa.or_(table.c.until <= now, table.c.reviewer == lease.reviewer)
    # What came of it is asked of the row: not every driver counts rows that a conflict left as they were as none.
    taken = statement.on_conflict_do_update(index_elements=list(key), set_=values, where=free)
    return connection.execute(taken.returning(table.c.reviewer)).first() is not None


def held(connection: sa.Connection, project: str, endpoint: str, now: Micros) -> list[Lease]:
    """In force at `now`, by input and place."""
    table = tables.lease
    query = sa.select(table.c.input_id, table.c.place, table.c.reviewer, table.c.until).where(
        table.c.project == project, table.c.endpoint == endpoint, table.c.until > now
    )
    return sorted(
        (Lease(row.input_id, row.place, row.reviewer, Micros(row.until)) for row in connection.execute(query)),
        key=lambda each: (each.input_id, each.place),
    )


def skip(connection: sa.Connection, project: str, endpoint: str, input_id: str, reviewer: str) -> None:
    """Remember it, and end the reviewer's lease."""
    key = {"project": project, "endpoint": endpoint, "input_id": input_id, "reviewer": reviewer}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(tables.skip).values(key).on_conflict_do_nothing())
    lease = tables.lease.c
    mine = [getattr(lease, name) == value for name, value in key.items()]
    connection.execute(tables.lease.delete().where(*mine))


def skipped(connection: sa.Connection, project: str, endpoint: str, reviewer: str) -> frozenset[str]:
    """The inputs a reviewer skipped."""
    table = tables.skip
    query = sa.select(table.c.input_id).where(
        table.c.project == project, table.c.endpoint == endpoint, table.c.reviewer == reviewer
    )
    return frozenset(row.input_id for row in connection.execute(query))
