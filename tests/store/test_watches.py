"""Watches are kept by one at a time, with their days or not at all: in memory, SQLite and PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest

from headgate.errors import Conflict
from headgate.evaluation.estimate import Estimate
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.state import Kept, WatchState, WatchStore, begun
from headgate.monitors.watch.times import Times
from headgate.store.sql import SqlStore
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import DAY, Micros

FIRST = begun("default", "late", Micros(10 * DAY))
FULL = msgspec.structs.replace(
    FIRST, late=3, kept={"errors": Kept("m", Micros(1), '{"a": "☃ \\u0000"}', "broken", {"k": Micros(2**53)})}
)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.full)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WatchStore]:
    match request.param:
        case "memory":
            yield MemoryStore()
            return
        case "sqlite":
            opened = SqlStore(tmp_path / "store.sqlite")
        case _:
            opened = SqlStore(request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


def day(number: int, version: str = "late:1", volume: int = 1) -> Day:
    figures = {"auc": Estimate("auc", None, None, None, 0, "one class only")}
    latency = Times.of(np.array([3, 2**40]))
    return Day(version=version, start=Micros(number * DAY), volume=volume, latency=latency, figures=figures)


def test_what_is_kept_is_read_as_it_was(store: WatchStore) -> None:
    assert store.watch("default", "late") is None
    kept = store.keep_watch(FULL, [day(3), day(4, "")])
    assert kept == msgspec.structs.replace(FULL, revision=1) == store.watch("default", "late")
    assert store.watch("p", "late") is None
    assert store.watched_days("default", "late") == [day(3), day(4, "")]
    assert store.watched_days("default", "late", Micros(4 * DAY)) == [day(4, "")]
    assert store.watched_days("default", "late", None, Micros(4 * DAY)) == [day(3)]
    assert store.watched_days("p", "late") == []


def test_of_many_who_begin_or_go_on_one_does_and_days_add_up_once(store: WatchStore) -> None:
    state = FIRST
    for revision in range(1, 3):

        def tries(_: int, state: WatchState = state) -> bool:
            try:
                store.keep_watch(state, [day(3)])
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(tries, range(8))) == 1
        found = store.watch("default", "late")
        assert found is not None
        assert found.revision == revision
        assert [each.volume for each in store.watched_days("default", "late")] == [revision]
        state = found


def test_a_state_of_an_older_headgate_is_read() -> None:
    """One without what was added since: what a monitor found."""
    plain = msgspec.to_builtins(FULL)
    del plain["kept"]["errors"]["found"]
    assert msgspec.convert(plain, WatchState).kept["errors"].found == {}
