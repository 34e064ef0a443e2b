"""Alerts, silences and deliveries as rows; `sqlalerts` alone calls this."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from headgate.alerts.alert import Alert, Silence
from headgate.alerts.delivery import Delivery, Outcome
from headgate.errors import Conflict
from headgate.store import tables
from headgate.vocabulary import Micros


def change_alert(connection: sa.Connection, alert: Alert) -> None:
    """Insert revision 1, or put a later one in the place of the one before it. Raises Conflict."""
    key = {"project": alert.finding.project, "key": alert.key, "episode": alert.episode}
    values = {
        "endpoint": alert.finding.endpoint,
        "raised": int(alert.raised),
        "stands": alert.stands,
        "revision": alert.revision,
        "record": msgspec.json.encode(alert).decode(),
    }
    if not _changed(connection, tables.alert, key, values):
        raise Conflict(f"alert {alert.id} was changed meanwhile; look again")


def alerts(
    connection: sa.Connection, *, project: str | None = None, endpoint: str | None = None, standing: bool = False
) -> list[Alert]:
    """By project and endpoint, the newest first."""
    table = tables.alert
    query = sa.select(table.c.record)
    for column, wanted in ((table.c.project, project), (table.c.endpoint, endpoint)):
        if wanted is not None:
            query = query.where(column == wanted)
    if standing:
        query = query.where(table.c.stands)
    return in_order([msgspec.json.decode(row.record, type=Alert) for row in connection.execute(query)])


def in_order(found: list[Alert]) -> list[Alert]:
    """Alerts as listings have them, whatever a database's language is."""
    return sorted(found, key=lambda each: (each.finding.project, each.finding.endpoint, -each.raised, each.id))


def last_alert(connection: sa.Connection, project: str, key: str) -> Alert | None:
    """The alert of the key's last episode."""
    table = tables.alert
    query = sa.select(table.c.record).where(table.c.project == project, table.c.key == key)
    row = connection.execute(query.order_by(table.c.episode.desc()).limit(1)).first()
    return None if row is None else msgspec.json.decode(row.record, type=Alert)


def put_silence(connection: sa.Connection, silence: Silence) -> None:
    """Insert it, or replace the endpoint's last one."""
    key = {"project": silence.project, "endpoint": silence.endpoint}
    values = {
        "begun": int(silence.begun),
        "until": int(silence.until),
        "by": silence.by,
        "because": silence.because,
    }
    statement = _insert(connection, tables.silence).values(key | values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def silences(connection: sa.Connection, project: str | None = None) -> list[Silence]:
    """By project and endpoint."""
    table = tables.silence
    query = sa.select(table) if project is None else sa.select(table).where(table.c.project == project)
    found = [
        Silence(row.project, row.endpoint, Micros(row.begun), Micros(row.until), row.by, row.because)
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda each: (each.project, each.endpoint))


def change_delivery(connection: sa.Connection, delivery: Delivery) -> None:
    """Insert revision 1, or put a later one in the place of the one before it. Raises Conflict."""
    values = {
        "alert": delivery.alert.id,
        "waits": delivery.outcome is Outcome.WAITING,
        "revision": delivery.revision,
        "record": msgspec.json.encode(delivery).decode(),
    }
    if not _changed(connection, tables.delivery, {"project": delivery.project, "id": delivery.id}, values):
        raise Conflict(f"the delivery of alert {delivery.alert.id} to {delivery.channel} was changed meanwhile")


def deliveries(connection: sa.Connection, project: str, alert: str) -> list[Delivery]:
    """Those of one alert, in the order they were planned."""
    table = tables.delivery
    return _found(connection, sa.and_(table.c.project == project, table.c.alert == alert))


def forget(connection: sa.Connection, project: str, endpoint: str, before: Micros) -> int:
    """Remove alerts that were over before a moment, but the last of each key, and deliveries decided before it."""
    kept = alerts(connection, project=project, endpoint=endpoint)
    last = {each.key: each.episode for each in sorted(kept, key=lambda each: each.episode)}
    gone = [each for each in kept if each.ended is not None and each.ended < before and each.episode < last[each.key]]
    for each in gone:
        table = tables.alert
        one = table.c.project == project, table.c.key == each.key, table.c.episode == each.episode
        connection.execute(table.delete().where(*one))
    forgotten = {each.id for each in gone}
    for each in kept:
        _forget_deliveries(connection, each, None if each.id in forgotten else before)
    return len(gone)


def _forget_deliveries(connection: sa.Connection, alert: Alert, before: Micros | None) -> None:
    """Remove the deliveries of an alert: all, or those that ended and were decided before a moment."""
    table, project = tables.delivery, alert.finding.project
    for each in deliveries(connection, project, alert.id):
        if before is None or (each.ended is not None and each.decided < before):
            connection.execute(table.delete().where(table.c.project == project, table.c.id == each.id))


def waiting(connection: sa.Connection) -> list[Delivery]:
    """Those that are to be tried, in the order they were planned."""
    return _found(connection, tables.delivery.c.waits)


def _found(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> list[Delivery]:
    query = sa.select(tables.delivery.c.record).where(wanted)
    found = [msgspec.json.decode(row.record, type=Delivery) for row in connection.execute(query)]
    return sorted(found, key=lambda each: each.order)


def _changed(connection: sa.Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> bool:
    """Whether the row was as it had to be; what came of it is asked of the row itself, as everywhere in the store."""
    statement: sa.Executable
    if values["revision"] == 1:
        statement = _insert(connection, table).values(key | values).on_conflict_do_nothing().returning(table.c.revision)
    else:
        there = [table.c[name] == value for name, value in key.items()]
        before = table.c.revision == values["revision"] - 1
        statement = table.update().where(*there, before).values(values).returning(table.c.revision)
    return connection.execute(statement).first() is not None


def _insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
