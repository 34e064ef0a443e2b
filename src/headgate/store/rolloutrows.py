"""Rollouts as rows; `sql` alone calls this."""

from typing import Any

import msgspec
import sqlalchemy as sa

from headgate.errors import Conflict
from headgate.rollouts.rollout import Rollout, under_way
from headgate.rollouts.state import Move
from headgate.store import tables


def add(connection: sa.Connection, rollout: Rollout) -> Rollout:
    """Insert it under the next number of its endpoint. Raises Conflict while another has not ended."""
    table, plan = tables.rollout, rollout.plan
    mine = sa.and_(table.c.project == plan.project, table.c.endpoint == plan.endpoint)
    require_none(connection, plan.project, plan.endpoint)
    last = connection.execute(sa.select(sa.func.max(table.c.number)).where(mine)).scalar()
    numbered = msgspec.structs.replace(rollout, number=(last or 0) + 1)
    key = {"project": plan.project, "endpoint": plan.endpoint, "number": numbered.number}
    connection.execute(table.insert().values(key | _kept(numbered)))
    return numbered


def require_none(connection: sa.Connection, project: str, endpoint: str) -> None:
    """Nothing, or Conflict while a rollout of the endpoint has not ended."""
    running = find(connection, project=project, endpoint=endpoint, ended=False)
    if running:
        raise under_way(running[0])


def move(connection: sa.Connection, rollout: Rollout, move: Move) -> Rollout:
    """Append `move`. Raises Conflict unless the history kept is the one `rollout` has."""
    table, plan, after = tables.rollout, rollout.plan, rollout.after(move)
    statement = table.update().where(
        table.c.project == plan.project,
        table.c.endpoint == plan.endpoint,
        table.c.number == rollout.number,
        table.c.moves == len(rollout.moves),
    )
    if not connection.execute(statement.values(_kept(after))).rowcount:
        raise Conflict(f"rollout {rollout.number} of '{plan.endpoint}' moved meanwhile; look again")
    return after


def find(
    connection: sa.Connection, *, project: str | None = None, endpoint: str | None = None, ended: bool | None = None
) -> list[Rollout]:
    """By project, endpoint and number."""
    table = tables.rollout
    query = sa.select(table.c.record)
    for column, wanted in ((table.c.project, project), (table.c.endpoint, endpoint), (table.c.ended, ended)):
        if wanted is not None:
            query = query.where(column == wanted)
    found = [msgspec.json.decode(row.record, type=Rollout) for row in connection.execute(query)]
    return sorted(found, key=lambda each: (each.plan.project, each.plan.endpoint, each.number))


def _kept(rollout: Rollout) -> dict[str, Any]:
    record = msgspec.json.encode(rollout).decode()
    return {"moves": len(rollout.moves), "ended": rollout.state.ended, "record": record}
