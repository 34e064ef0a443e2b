"""The registry, the events, the endpoints and the keys, kept in SQLite or PostgreSQL; one transaction per call.

The composition root makes one and hands it to whoever asks for `RegistryStore`, `EventLog`,
`EndpointStore`, `KeyStore`, `RolloutStore`, `LeaseStore`, `AlertStore`, `RunStore`, `WatchStore` or `DiagnosisStore`.
"""

import os
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from headgate.access.keys import Key
from headgate.errors import NotFound
from headgate.events import Event, Sealed
from headgate.registry.ports import Evaluation, Version
from headgate.review.leases import Lease
from headgate.rollouts.rollout import Edit, Rollout, edited_meanwhile
from headgate.rollouts.state import Move
from headgate.store import chain, keyrows, reviewrows, rolloutrows, tables
from headgate.store.engines import open_engine, reading, writing
from headgate.store.sqlalerts import SqlAlerts
from headgate.store.sqlruns import SqlRuns
from headgate.store.sqlwatches import SqlWatches
from headgate.vocabulary import Micros

VERSION: Final = [tables.version.c[name] for name in Version.__struct_fields__]
"""The columns of a version in the order of its fields."""


class SqlStore(SqlAlerts, SqlRuns, SqlWatches):
    """A store in the database at a path (SQLite) or URL (``postgresql://…``); safe to share between threads.

    Opening it makes the database and brings its schema up to date. Every method may raise
    headgate.errors.Unavailable when the database cannot be reached or stays locked for half a minute.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = SqlStore(pathlib.Path(folder) / "store.sqlite")
    ...     kept = store.add_version(Version("default", "delay", 0, "sha256:0", Micros(0), "onnx", "binary"))
    ...     store.set_alias("default", "delay", "champion", kept.number)
    ...     store.aliases("default", "delay")
    ...     store.close()
    {'champion': 1}
    """

    def __init__(self, where: str | os.PathLike[str]) -> None:
        self._engine = open_engine(where)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def add_version(self, version: Version) -> Version:
        """Keep it under the next free number of its model and return it so numbered.

        Registering a digest that the model has already returns the version there is.
        """
        table = tables.version
        same_model = sa.and_(table.c.project == version.project, table.c.model == version.model)
        with writing(self._engine) as connection:
            _take_turns(connection, version)
            present = connection.execute(
                sa.select(*VERSION).where(same_model, table.c.digest == version.digest)
            ).first()
            if present is not None:
                return _version(present)
            last = connection.execute(sa.select(sa.func.max(table.c.number)).where(same_model)).scalar()
            numbered = msgspec.structs.replace(version, number=(last or 0) + 1)
            connection.execute(table.insert().values(msgspec.structs.asdict(numbered)))
            return numbered

    def versions(self, project: str, model: str | None = None) -> list[Version]:
        """By model and number."""
        table = tables.version
        query = sa.select(*VERSION).where(table.c.project == project).order_by(table.c.model, table.c.number)
        if model is not None:
            query = query.where(table.c.model == model)
        with reading(self._engine) as connection:
            # Databases sort text by their language; the order promised is the one of Python's strings.
            return sorted((_version(row) for row in connection.execute(query)), key=lambda each: each.model)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Append it; evaluations are never changed."""
        with writing(self._engine) as connection:
            connection.execute(tables.evaluation.insert().values(msgspec.structs.asdict(evaluation)))

    def evaluations(self, project: str, version: str) -> list[Evaluation]:
        """In the order they were added."""
        table = tables.evaluation
        query = (
            sa.select(table.c.project, table.c.version, table.c.at, table.c.passed, table.c.report)
            .where(table.c.project == project, table.c.version == version)
            .order_by(table.c.id)
        )
        with reading(self._engine) as connection:
            return [
                Evaluation(row.project, row.version, Micros(row.at), row.passed, bytes(row.report))
                for row in connection.execute(query)
            ]

    def set_alias(self, project: str, model: str, alias: str, number: int) -> None:
        """Point ``model@alias`` at a version that exists; headgate.errors.NotFound otherwise."""
        key = {"project": project, "model": model, "alias": alias}
        version = tables.version.c
        target = sa.select(version.number).where(
            version.project == project, version.model == model, version.number == number
        )
        with writing(self._engine) as connection:
            if connection.execute(target).first() is None:
                raise NotFound("version", f"{model}:{number}")
            _upsert(connection, tables.alias, key, {"number": number})

    def aliases(self, project: str, model: str) -> dict[str, int]:
        """Version numbers by alias."""
        table = tables.alias
        query = sa.select(table.c.alias, table.c.number).where(table.c.project == project, table.c.model == model)
        with reading(self._engine) as connection:
            return {row.alias: row.number for row in sorted(connection.execute(query))}

    def add_event(self, event: Event) -> None:
        """Append it, sealed behind the record before it."""
        with writing(self._engine) as connection:
            chain.append(connection, event)

    def sealed(self, after: int = 0, limit: int = 1000) -> list[Sealed]:
        """Records of all projects behind number `after`, oldest first; at most `limit`."""
        with reading(self._engine) as connection:
            return chain.records(connection, after, limit)

    def put_keys(self, keys: Sequence[Key], event: Event) -> None:
        """Keep keys, new and changed ones, and what is to be remembered of it, in one step.

        Raises Conflict when a new key bears the name of one in force.
        """
        with writing(self._engine) as connection:
            chain.take_turns(connection)  # two makers of one name must not both find it free
            keyrows.put(connection, keys)
            chain.append(connection, event)

    def keys(self, project: str | None = None) -> list[Key]:
        """Every key there ever was, of one project or of all, oldest first."""
        with reading(self._engine) as connection:
            return keyrows.find(connection, project)

    def events(self, project: str, subject: str | None = None, limit: int = 100) -> list[Event]:
        """Newest first, by the order in which they were added; at most `limit`."""
        table = tables.event
        query = sa.select(table).where(table.c.project == project).order_by(table.c.id.desc()).limit(max(0, limit))
        if subject is not None:
            query = query.where(table.c.subject == subject)
        with reading(self._engine) as connection:
            return [chain.event_of(row) for row in connection.execute(query)]

    def put_endpoint(
        self, project: str, name: str, spec: str, before: str | None = None, *, idle: bool = False
    ) -> None:
        """Keep the YAML text of an endpoint in place of `before`; Conflict when another text is there by now.

        Where the endpoint has to be `idle`, Conflict while a rollout of it has not ended too.
        """
        with writing(self._engine) as connection:
            if idle:
                chain.take_turns(connection)  # nobody may begin a rollout between this look and the write
                rolloutrows.require_none(connection, project, name)
            _put_endpoint(connection, project, name, Edit(before, spec))

    def endpoints(self, project: str | None = None) -> list[tuple[str, str, str]]:
        """(project, name, spec), sorted."""
        table = tables.endpoint
        query = sa.select(table.c.project, table.c.name, table.c.spec)
        if project is not None:
            query = query.where(table.c.project == project)
        with reading(self._engine) as connection:
            return sorted((row.project, row.name, row.spec) for row in connection.execute(query))

    def add_rollout(self, rollout: Rollout, event: Event, edit: Edit | None = None) -> Rollout:
        """Keep it under its endpoint's next number, with its event and the edited file.

        Raises Conflict while another runs, or when the file is another by now.
        """
        with writing(self._engine) as connection:
            chain.take_turns(connection)  # two who begin at once must not both find the endpoint free
            numbered = rolloutrows.add(connection, rollout)
            if edit is not None:
                _put_endpoint(connection, rollout.plan.project, rollout.plan.endpoint, edit)
            chain.append(connection, event)
            return numbered

    def move_rollout(self, rollout: Rollout, move: Move, event: Event, edit: Edit | None = None) -> Rollout:
        """Append `move` to its history, with its event and the edited file; Conflict if either changed meanwhile."""
        with writing(self._engine) as connection:
            after = rolloutrows.move(connection, rollout, move)
            if edit is not None:
                _put_endpoint(connection, rollout.plan.project, rollout.plan.endpoint, edit)
            chain.append(connection, event)
            return after

    def rollouts(self, project: str | None = None, endpoint: str | None = None) -> list[Rollout]:
        """By project, endpoint and number."""
        with reading(self._engine) as connection:
            return rolloutrows.find(connection, project=project, endpoint=endpoint)

    def running(self) -> list[Rollout]:
        """Those that have not ended, of all projects."""
        with reading(self._engine) as connection:
            return rolloutrows.find(connection, ended=False)

    def take_case(self, project: str, endpoint: str, lease: Lease, now: Micros) -> bool:
        """Give the case to the lease's reviewer, unless another has its place and keeps it beyond `now`."""
        with writing(self._engine) as connection:
            return reviewrows.take(connection, project, endpoint, lease, now)

    def leases(self, project: str, endpoint: str, now: Micros) -> list[Lease]:
        """Those that are in force at `now`."""
        with reading(self._engine) as connection:
            return reviewrows.held(connection, project, endpoint, now)

    def skip_case(self, project: str, endpoint: str, input_id: str, reviewer: str) -> None:
        """Never offer the case to that reviewer again, and take it back."""
        with writing(self._engine) as connection:
            reviewrows.skip(connection, project, endpoint, input_id, reviewer)

    def skipped(self, project: str, endpoint: str, reviewer: str) -> frozenset[str]:
        """The inputs that reviewer skipped."""
        with reading(self._engine) as connection:
            return reviewrows.skipped(connection, project, endpoint, reviewer)


def _put_endpoint(connection: sa.Connection, project: str, name: str, edit: Edit) -> None:
    """Write the text in one statement where the row is as it was read. Raises Conflict where it is not."""
    table = tables.endpoint
    statement: sa.Executable
    if edit.before is None:
        values = {"project": project, "name": name, "spec": edit.after}
        statement = _insert(connection, table).values(values).on_conflict_do_nothing().returning(table.c.name)
    else:
        there = sa.and_(table.c.project == project, table.c.name == name, table.c.spec == edit.before)
        statement = table.update().where(there).values(spec=edit.after).returning(table.c.name)
    # What came of it is asked of the row: not every driver counts rows that were left as they were as none.
    if connection.execute(statement).first() is None:
        raise edited_meanwhile(name)


def _take_turns(connection: sa.Connection, version: Version) -> None:
    """Let one writer at a time number the versions of a model.

    SQLite's transaction holds the write lock already; PostgreSQL's readers do not wait for writers, so two
    of them would see the same last number.
    """
    if connection.dialect.name == "postgresql":
        name = f"{version.project}/{version.model}"
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))


def _upsert(connection: sa.Connection, table: sa.Table, key: dict[str, str], values: dict[str, Any]) -> None:
    """Insert the row or, where its key is taken, replace its values; in one statement, so no writer loses."""
    statement = _insert(connection, table).values(key | values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def _insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _version(row: sa.Row[Any]) -> Version:
    return Version(*tuple(row))
