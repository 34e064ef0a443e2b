"""The tables as written and all migrations applied are one schema, and every road leads there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from headgate.errors import NewerSchema
from headgate.store import engines, revisions
from headgate.store.migrate import upgrade
from headgate.store.tables import metadata


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    opened = engines.open_engine(tmp_path / "store.sqlite")
    yield opened
    opened.dispose()


def _schema(engine: sa.Engine) -> set[tuple[str, str]]:
    query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND name NOT LIKE 'sqlite%'"
    with engines.reading(engine) as connection:
        rows = connection.exec_driver_sql(query).fetchall()
    return {(name, " ".join(sql.split()) if sql else "") for name, sql in rows}


def test_migrations_lead_to_the_tables(engine: sa.Engine) -> None:
    with engines.reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_to_the_letter(engine: sa.Engine, tmp_path: Path) -> None:
    direct = sa.create_engine(sa.URL.create("sqlite", database=str(tmp_path / "direct.sqlite")))
    metadata.create_all(direct)
    made = _schema(direct)
    direct.dispose()
    assert _schema(engine) == made


def test_every_table_belongs_to_projects() -> None:
    assert all("project" in table.c for table in metadata.tables.values())


def test_one_line_of_revisions() -> None:
    assert revisions.known() == tuple(f"{i:04}" for i in range(1, len(revisions.known()) + 1))
    files = {each.name for each in (revisions.MIGRATIONS / "versions").glob("*.py")} - {"__init__.py"}
    assert all(revisions.FILE.fullmatch(name) for name in files)
    assert len(files) == len(revisions.known())


def test_opened_from_every_older_revision(tmp_path: Path) -> None:
    for revision in revisions.known():
        path = tmp_path / f"{revision}.sqlite"
        old = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
        with old.begin() as connection:
            upgrade(connection, revision)
        old.dispose()
        engine = engines.open_engine(path)
        with engines.reading(engine) as connection:
            assert MigrationContext.configure(connection).get_current_revision() == revisions.head()
        engine.dispose()


def test_an_upgrade_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(connection: sa.Connection) -> None:
        upgrade(connection)
        raise KeyError

    monkeypatch.setattr(engines, "upgrade", fails)
    with pytest.raises(KeyError):
        engines.open_engine(tmp_path / "store.sqlite")
    monkeypatch.undo()
    engine = engines.open_engine(tmp_path / "store.sqlite")
    assert {name for name, _ in _schema(engine)} >= set(metadata.tables)
    engine.dispose()


@pytest.mark.full
def test_postgres_too(postgres_url: str) -> None:
    engine = engines.open_engine(postgres_url)
    with engines.reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    with engines.writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(NewerSchema):
        engines.open_engine(postgres_url)
