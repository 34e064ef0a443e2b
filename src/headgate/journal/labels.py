"""Which label belongs to which prediction, decided in SQL over Arrow tables (``queries.sql``).

A label names its input by id, by request id and row, or by entity and moment (the entity's last input up to
then). Revisions are ordered by when the truth was observed, then by label id; arrival order and duplicates
change nothing. A retried request counts once: its first input stands for all, and takes their labels.
"""

import atexit
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from headgate.errors import BadInput
from headgate.journal.queries import Query, over_views
from headgate.journal.tables import MOMENT
from headgate.vocabulary import Role

FOREVER: Final = 2**62
"""Microseconds beyond every event."""
INPUT_COLUMNS: Final = (
    "input_id", "at", "request_id", "row", "entity", "refusal_field", "refusal_rule", "refusal_message", "flags",
)  # fmt: skip
ANSWER_COLUMNS: Final = (
    "input_id", "assigned", "answered", "role", "probability", "prediction", "scores", "compute_us", "latency_us",
    "fallback",
)  # fmt: skip
LABEL_COLUMNS: Final = (
    "label_id", "received_at", "observed_at", "input_id", "request_id", "row", "entity", "entity_at", "value",
    "source", "actor",
)  # fmt: skip
JOINED_COLUMNS: Final = (
    "input_id", "at", "request_id", "row", "entity", "assigned", "answered", "role", "probability", "prediction",
    "scores", "compute_us", "latency_us", "fallback", "refusal_field", "refusal_rule", "refusal_message", "flags",
    "label", "label_observed_at", "label_received_at", "source",
)  # fmt: skip
JOINED_BY: Final = ("input_id", "at", "request_id", "row", "role", "answered")
"""By which rows are joined, chosen and ordered; an entity too, where labels name one."""
_NAIVE: Final = pa.timestamp("us")
# Nothing is fetched at run time, and DuckDB's time zones are an extension: times go in and come out in UTC.
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """The database of this process, which holds nothing.

    Each join has a connection of its own to it, whose relations nobody else sees. To open a database takes as long as
    ten small joins.
    """
    found = duckdb.connect(config=_CONFIG)
    atexit.register(found.close)
    return found


class Join:
    """The three relations of one endpoint, ready to be asked; close it, or use it with ``with``."""

    def __init__(self, inputs: pa.Table, answers: pa.Table, labels: pa.Table) -> None:
        self._database: Any = _database().cursor()
        self._empty = _empty(inputs, labels)
        for name, table in (("inputs", inputs), ("answers", answers), ("labels", labels)):
            self._database.register(name, retyped(table, MOMENT, _NAIVE))

    def __enter__(self) -> "Join":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def joined(
        self,
        roles: Sequence[str],
        start: int | None = None,
        end: int | None = None,
        columns: Sequence[str] = JOINED_COLUMNS,
    ) -> pa.Table:
        """One row per input in [start, end) and answer in one of `roles`; see ``queries.sql``."""
        window = {"start": -FOREVER if start is None else start, "until": FOREVER if end is None else end}
        return self.ask("joined", {"columns": list(columns), "roles": list(roles), **window})

    def ask(self, name: str, params: Mapping[str, object] | None = None) -> pa.Table:
        """The answer of the query of that name over the relations."""
        asked = self._database.sql(over_views(name, self._empty), params=dict(params or {}))
        return retyped(asked.to_arrow_table(), _NAIVE, MOMENT)


def _empty(inputs: pa.Table, labels: pa.Table) -> frozenset[str]:
    """Views that surely hold nothing: over few rows, most of the time goes into what is not there."""
    found = set[str]()
    named = inputs["request_id"].filter(pc.not_equal(inputs["request_id"], ""))
    if pc.count_distinct(named).as_py() == len(named):
        found.add("repeats")
    if not labels["input_id"].null_count:
        found |= {"by_request", "by_entity"}
    if not pc.any(pc.equal(labels["source"], Role.HUMAN.value)).as_py():
        found.add("decided")
    return frozenset(found)


def ask_joined(query: Query, joined: pa.Table, params: Mapping[str, object]) -> pa.Table:
    """The answer of a report over a joined table."""
    with _database().cursor() as database:
        database.register("joined", retyped(joined, MOMENT, _NAIVE))
        return retyped(database.sql(query.sql, params=dict(params)).to_arrow_table(), _NAIVE, MOMENT)


def ask_locked(sql: str, relations: Mapping[str, pa.Table]) -> pa.Table:
    """The answer of a query that somebody else wrote, over `relations` and nothing else.

    Raises BadInput with the database's own words where it is no query, or reaches for files or the network.

    >>> ask_locked("SELECT n + 1 AS n FROM numbers", {"numbers": pa.table({"n": [1, 2]})})["n"].to_pylist()
    [2, 3]
    """
    locked = {**_CONFIG, "enable_external_access": False, "python_enable_replacements": False}
    with duckdb.connect(config=locked) as database:
        for name, table in relations.items():
            database.register(name, retyped(table, MOMENT, _NAIVE))
        database.execute("SET lock_configuration = true")
        try:
            return retyped(database.sql(sql).to_arrow_table(), _NAIVE, MOMENT)
        except (duckdb.Error, AttributeError) as error:  # a statement that gives no rows gives no relation either
            raise BadInput("query", "sql", str(error).partition("\n")[0] or "gives no rows") from error


def retyped(table: pa.Table, old: pa.DataType, new: pa.DataType) -> pa.Table:
    """The table with every column of type `old` cast to `new`."""
    return table.cast(pa.schema([pa.field(each.name, new if each.type == old else each.type) for each in table.schema]))
