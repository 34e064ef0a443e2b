"""A server that is away delays nobody, and is told later; one that refuses is not asked for ever."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headgate.clock import HeldClock
from headgate.controller.telling import Telling
from headgate.errors import BadConfiguration, BadInput, NotFound, Unavailable
from headgate.events import Event, EventKind
from headgate.store.sql import SqlStore
from headgate.tracking.entries import Ending, Entry, Ran
from headgate.tracking.outbox import Outbox
from headgate.vocabulary import SECOND, Micros

T0 = Micros(1_700_000_000 * SECOND)


class Server:
    """Takes entries, or does not."""

    def __init__(self) -> None:
        self.took: list[str] = []
        self.fails: Exception | None = None

    def send(self, entry: Entry) -> None:
        if self.fails is not None:
            raise self.fails
        self.took.append(entry.id)


def entries(event: Event) -> Iterator[Entry]:
    if event.subject == "gone":
        raise NotFound("run", "gone")
    if event.kind is EventKind.ROLLOUT:
        id_ = event.subject
        yield Ran(id=id_, name=id_, experiment="e", started=Micros(0), ended=Micros(1), ending=Ending.FINISHED)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    found = SqlStore(tmp_path / "store.sqlite")
    yield found
    found.close()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(T0)


@pytest.fixture
def telling(store: SqlStore, server: Server, clock: HeldClock, tmp_path: Path) -> Callable[[], Telling]:
    def made() -> Telling:
        return Telling(
            wanted=lambda: True,
            events=store,
            entries=entries,
            send=server.send,
            outbox=Outbox(tmp_path / "outbox"),
            place=tmp_path / "read.json",
            wall=clock,
        )

    return made


def happens(store: SqlStore, *subjects: str) -> None:
    for each in subjects:
        store.add_event(Event(T0, EventKind.ROLLOUT, "default", each, "ann"))


def test_it_is_told_from_when_it_was_named(store: SqlStore, server: Server, telling: Callable[[], Telling]) -> None:
    happens(store, "before")
    told = telling()
    told.turn()
    happens(store, "a", "b")
    told.turn()
    telling().turn()
    assert server.took == ["a", "b"]


def test_what_it_did_not_take_is_kept_and_told_later(
    store: SqlStore, server: Server, clock: HeldClock, telling: Callable[[], Telling]
) -> None:
    told = telling()
    told.turn()
    server.fails = Unavailable("away")
    happens(store, "a", "b")
    [left] = told.turn()
    assert (left.entry.id, left.tries, left.said, left.refused) == ("a", 1, "away", False)
    server.fails = None
    after = telling()
    after.turn()
    # Of two promotions the later one has to move the alias last.
    assert server.took == []
    clock.move_to(Micros(T0 + 6 * SECOND))
    after.turn()
    assert server.took == ["a", "b"]


def test_what_is_gone_keeps_nothing_behind_it(store: SqlStore, server: Server, telling: Callable[[], Telling]) -> None:
    told = telling()
    told.turn()
    happens(store, "gone", "a")
    told.turn()
    assert server.took == ["a"]


def test_a_killed_controller_tells_all_of_it(
    store: SqlStore, server: Server, telling: Callable[[], Telling], tmp_path: Path
) -> None:
    telling().turn()
    read = (tmp_path / "read.json").read_bytes()
    happens(store, "a", "b")
    server.fails = Unavailable("away")
    telling().turn()
    (tmp_path / "read.json").write_bytes(read)  # it ended before it kept how far it had read
    server.fails = None
    telling().gather()
    assert [each.entry.id for each in Outbox(tmp_path / "outbox").waiting()] == ["a", "b"]


def test_a_wrong_password_waits_for_whoever_mends_it(
    store: SqlStore, server: Server, telling: Callable[[], Telling]
) -> None:
    told = telling()
    told.turn()
    server.fails = BadConfiguration("tracking.yaml", "HTTP 401")
    happens(store, "a")
    assert [each.refused for each in told.turn()] == [False]


@pytest.mark.parametrize("error", [BadInput("tracking server", "refused", "no"), KeyError("run")])
def test_what_it_refuses_is_not_tried_again(
    store: SqlStore, server: Server, clock: HeldClock, telling: Callable[[], Telling], error: Exception
) -> None:
    told = telling()
    told.turn()
    server.fails = error
    happens(store, "a", "b")
    assert [each.refused for each in told.turn()] == [True, True]
    server.fails = None
    clock.move_to(Micros(T0 + 10_000 * SECOND))
    assert (told.turn(), server.took) == ([], [])
