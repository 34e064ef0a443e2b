"""What conformance cannot see: several processes, both databases' faults, and durability settings."""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from headgate.errors import BadConfiguration, BadInput, Unavailable
from headgate.events import Event, EventKind
from headgate.store import engines
from headgate.store.sql import SqlStore
from headgate.vocabulary import Micros


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.full)])
def test_processes_never_share_a_number(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, together: Callable[..., list[str]]
) -> None:
    # The processes open the store at once too: one of them makes the schema, the others wait for it.
    where = request.getfixturevalue("postgres_url") if database == "postgres" else str(tmp_path / "store.sqlite")
    assert together(*(["register", where, str(i)] for i in range(4))) == ["0", "1", "2", "3"]
    store = SqlStore(where)
    kept = store.versions("default", "delay")
    store.close()
    assert [each.number for each in kept] == list(range(1, 4 * 15 + 15 + 1))
    assert len({each.digest for each in kept}) == len(kept)


def test_sqlite_is_durable_and_lets_readers_read(tmp_path: Path) -> None:
    engine = engines.open_engine(tmp_path / "store.sqlite")
    with engines.reading(engine) as connection:
        read = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")}
        assert read == {"journal_mode": "wal", "synchronous": 2}
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM endpoint").scalar() == 0
        with engines.writing(engine) as writer:
            writer.exec_driver_sql("INSERT INTO endpoint VALUES ('p', 'e', '')")
        assert connection.exec_driver_sql("SELECT count(*) FROM endpoint").scalar() == 0, "a reader sees one state"
    with engines.reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM endpoint").scalar() == 1
    engine.dispose()


def test_a_failed_call_leaves_nothing(tmp_path: Path) -> None:
    engine = engines.open_engine(tmp_path / "store.sqlite")

    def fails_halfway() -> None:
        with engines.writing(engine) as connection:
            connection.exec_driver_sql("INSERT INTO endpoint VALUES ('p', 'e', '')")
            raise KeyError

    with pytest.raises(KeyError):
        fails_halfway()
    with engines.reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM endpoint").scalar() == 0
    engine.dispose()


def test_a_store_locked_for_too_long_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.05)
    store = SqlStore(tmp_path / "store.sqlite")
    blocker = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        store.put_endpoint("default", "delays", "x")
    assert store.endpoints() == [], "reading goes on meanwhile"
    blocker.execute("ROLLBACK")
    blocker.close()
    store.put_endpoint("default", "delays", "x")
    assert store.endpoints() == [("default", "delays", "x")]
    store.close()


def test_an_alias_cannot_outlive_its_version(tmp_path: Path) -> None:
    engine = engines.open_engine(tmp_path / "store.sqlite")
    with pytest.raises(sa.exc.IntegrityError), engines.writing(engine) as connection:
        connection.exec_driver_sql("INSERT INTO alias VALUES ('p', 'm', 'champion', 1)")
    engine.dispose()


@pytest.mark.parametrize(
    "where",
    ["mysql://host/name", "://", "sqlite://", "sqlite:///:memory:", "postgresql://[::1/x", "postgresql://h:x/y"],
)
def test_a_place_that_is_none(where: str) -> None:
    with pytest.raises(BadConfiguration, match="store"):
        SqlStore(where)


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="does not exist"):
        SqlStore(tmp_path / "absent" / "store.sqlite")


def test_an_unreachable_server_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        SqlStore(f"postgresql://postgres@/none?host={tmp_path}")


def test_a_full_disk_is_called_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engines.open_engine(tmp_path / "store.sqlite")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "")

    complaint = sa.exc.OperationalError("", None, sqlite3.OperationalError("disk I/O error"))
    with pytest.raises(Unavailable, match="disk I/O error"), engines.translated(engine.url):
        raise complaint
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(Unavailable, match="its disk is full"), engines.translated(engine.url):
        raise complaint
    engine.dispose()


def test_words_that_are_no_text_are_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    """As a terminal of another encoding sends them."""
    with contextlib.closing(SqlStore(tmp_path / "store.sqlite")) as store:
        for why in ("caf\udce9", "\ud83d"):
            with pytest.raises(BadInput, match="UTF-8"):
                store.add_event(Event(Micros(1), EventKind.ALIASED, "default", "m:1", "ann", why))
            with pytest.raises(BadInput, match="UTF-8"):
                store.events("default", why)
        assert store.events("default") == []
