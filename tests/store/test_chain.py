"""The sealed history: whatever is done to its rows behind its back, the first record that does not fit is named."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from headgate.events import FIRST, Event, EventKind, first_broken, seal
from headgate.store.migrate import upgrade
from headgate.store.sql import SqlStore
from headgate.vocabulary import Micros


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def filled(path: Path, count: int = 6) -> SqlStore:
    store = SqlStore(path)
    for i in range(count):
        details: dict[str, str | int | float | bool | None] = {"n": i, "share": i / 7}
        store.add_event(Event(Micros(i), EventKind.APPLIED, "default", f"e{i}", "ann", "why", details, "old", "new"))
    return store


def behind_its_back(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for each in statements:
            assert connection.execute(each).rowcount > 0
    connection.close()


@pytest.mark.parametrize(
    "column", ["at", "kind", "project", "subject", "actor", "why", "details", "before", "after", "previous", "seal"]
)
def test_a_word_changed_breaks_its_own_record(path: Path, column: str) -> None:
    store = filled(path)
    values = {"at": "77", "kind": "'aliased'", "details": """'{"n":2,"share":0.3}'"""}
    behind_its_back(path, f'UPDATE event SET "{column}" = {values.get(column, repr("0" * 64))} WHERE id = 3')  # noqa: S608
    broken = first_broken(store.sealed())
    store.close()
    assert broken is not None
    assert broken.number == 3


@pytest.mark.parametrize(
    ("statements", "number"),
    [
        (("DELETE FROM event WHERE id = 3",), 4),
        (("DELETE FROM event WHERE id <= 2",), 3),
        (("UPDATE event SET id = 30 WHERE id = 3", "UPDATE event SET id = 3 WHERE id = 4"), 3),
        (("UPDATE event SET seal = '', previous = '' WHERE id <= 2",), 3),
        (("UPDATE event SET seal = '', previous = '' WHERE id = 3",), 3),
        (
            (
                "INSERT INTO event (id, at, kind, project, subject, actor, why, details) "
                "VALUES (100, 1, 'applied', 'default', 'e', 'x', '', '{}')",
            ),
            100,
        ),
    ],
    ids=["taken out", "beginning cut", "moved", "beginning unsealed", "unsealed", "put in"],
)
def test_records_taken_out_put_in_or_moved_are_noticed(path: Path, statements: tuple[str, ...], number: int) -> None:
    store = filled(path)
    behind_its_back(path, *statements)
    broken = first_broken(store.sealed())
    store.close()
    assert broken is not None
    assert broken.number == number


def test_a_whole_history_is_whole_and_goes_on(path: Path) -> None:
    store = filled(path)
    store.close()
    again = filled(path)
    records = again.sealed()
    again.close()
    assert (len(records), first_broken(records), records[0].previous) == (12, None, FIRST)
    assert len({each.seal for each in records}) == 12, "records of the same words have seals of their own"


def test_records_older_than_the_chain_stand_before_it(path: Path) -> None:
    old = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    with old.begin() as connection:
        upgrade(connection, "0001")
        for i in range(3):
            connection.exec_driver_sql(
                "INSERT INTO event (at, kind, project, subject, actor, why, details) "
                "VALUES (?, 'applied', 'default', 'e', 'ann', '', '{}')",
                (i,),
            )
    old.dispose()
    store = filled(path, 2)
    records = store.sealed()
    store.close()
    assert [bool(each.seal) for each in records] == [False, False, False, True, True]
    assert first_broken(records) is None
    assert records[3].previous == FIRST


def test_no_two_events_are_written_alike() -> None:
    """Words cannot move from one field into the next without another seal."""
    said = [
        Event(Micros(1), EventKind.READ, "a", "bc", "d"),
        Event(Micros(1), EventKind.READ, "ab", "c", "d"),
        Event(Micros(1), EventKind.READ, "a", "b", "cd"),
        Event(Micros(1), EventKind.READ, "a", "bc", "d", before="x"),
        Event(Micros(1), EventKind.READ, "a", "bc", "d", after="x"),
        Event(Micros(1), EventKind.READ, "a", "bc", "d", "x"),
        Event(Micros(1), EventKind.READ, "a", "bc", "d", details={"x": None}),
        Event(Micros(1), EventKind.READ, "a", "bc", "d", details={"x": "None"}),
        Event(Micros(1), EventKind.READ, "a", "bc", "d", details={"x": 1}),
        Event(Micros(1), EventKind.READ, "a", "bc", "d", details={"x": 1.0}),
        Event(Micros(1), EventKind.READ, "a", "bc", "d", details={"x": True}),
    ]
    assert len({seal(each, FIRST) for each in said}) == len(said)
    assert seal(said[0], FIRST) != seal(said[0], "1" * 64)


def test_the_order_of_details_does_not_matter() -> None:
    one, other = ({"b": 1, "a": 2}, {"a": 2, "b": 1})
    assert seal(Event(Micros(1), EventKind.READ, "a", "b", "c", "", {**one}), FIRST) == seal(
        Event(Micros(1), EventKind.READ, "a", "b", "c", "", {**other}), FIRST
    )
