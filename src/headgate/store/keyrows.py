"""Keys as rows; `sql` alone calls this."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from headgate.access.grants import CallerRole
from headgate.access.keys import Key, refuse_taken
from headgate.store import tables


def put(connection: sa.Connection, keys: Sequence[Key]) -> None:
    """Insert new keys and replace known ones. Raises Conflict when a new one bears the name of one in force."""
    table = tables.key
    for key in keys:
        same_name = [each for each in find(connection, key.project) if each.name == key.name]
        values = _row(key)
        if any(each.id == key.id for each in same_name):
            connection.execute(table.update().where(table.c.id == key.id).values(values))
        else:
            refuse_taken(key, same_name)
            connection.execute(table.insert().values(values))


def find(connection: sa.Connection, project: str | None) -> list[Key]:
    """Keys of one project or of all, oldest first."""
    query = sa.select(tables.key).order_by(tables.key.c.created_at, tables.key.c.id)
    if project is not None:
        query = query.where(tables.key.c.project == project)
    return sorted((_key(row) for row in connection.execute(query)), key=lambda each: (each.created_at, each.id))


def _row(key: Key) -> dict[str, Any]:
    lists = {"roles": msgspec.json.encode(key.roles).decode(), "scopes": msgspec.json.encode(key.scopes).decode()}
    return msgspec.structs.asdict(key) | lists


def _key(row: sa.Row[Any]) -> Key:
    found = dict(row._mapping)
    found["roles"] = msgspec.json.decode(row.roles, type=tuple[CallerRole, ...])
    found["scopes"] = msgspec.json.decode(row.scopes, type=tuple[str, ...])
    return Key(**found)
