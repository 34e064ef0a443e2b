"""What every store of runs must do, as checks anybody can run on theirs; `conformance_store` says how."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol

from headgate.errors import Conflict
from headgate.events import Event, EventKind
from headgate.registry.ports import EventLog
from headgate.retraining.run import (
    Call,
    Cutting,
    Firing,
    Learning,
    Outcome,
    Probed,
    Proved,
    Run,
    RunStore,
    Source,
    Stage,
)
from headgate.testing.conformance_store import expect, refuses
from headgate.vocabulary import Digest, Micros


class Store(RunStore, EventLog, Protocol):
    """Runs, and the history that their steps are in."""


def a_run(endpoint: str = "late", *, project: str = "default", at: int = 5) -> Run:
    """One that has just fired."""
    firing = Firing(at=Micros(at), source=Source.ALARM, why="the risk grew \u2603", key="a-1")
    return Run(
        project=project, endpoint=endpoint, fired=Micros(at), firings=(firing,), champion="m:1", entered=Micros(at)
    )


def an_event() -> Event:
    """What is remembered of a step."""
    return Event(Micros(5), EventKind.RETRAINING, "default", "late", "controller")


def a_call(key: str = "1", *, at: int = 7, endpoint: str = "late") -> Call:
    """What somebody's program said."""
    return Call(endpoint=endpoint, source=Source.MESSAGE, at=Micros(at), why="merged", who="key ci", key=key)


def runs_are_numbered_and_kept_whole(store: Store) -> None:
    """Runs are numbered by endpoint, with their event, and every field is read as it was kept."""
    first = store.add_run(a_run(), an_event())
    other = store.add_run(a_run("other"), an_event())
    expect((first.number, other.number) == (1, 1), "each endpoint counts its own")
    full = first.with_(
        cut=Cutting(digest=Digest("sha256:0"), choice="everything", why="é", as_of=Micros(9), end=Micros(8), rows=3),
        learned=Learning(model="m.onnx", metrics={"auc": 0.5}, parameters={"a": None}),
        challenger="m:2",
        proof=Proved(outcome="passed", may_promote=True, why="b", at=Micros(9)),
        rollout=4,
        promoted=Micros(10),
        probed=Probed(verdict="keep", why="c", at=Micros(11)),
    ).end(Outcome.PROMOTED, Micros(12), "d", "ann")
    store.keep_run(full, first.revision, an_event())
    expect(store.runs("default", "late") == [full], "it is read as it was kept")
    expect(store.runs() == [full, other], "by project, endpoint and number")
    expect(store.open_runs() == [other], "those that go on alone")
    expect(store.runs("second") == [], "nothing for strangers")
    expect(store.add_run(a_run(), an_event()).number == 2, "the next begins once it has ended")
    expect(len(store.events("default")) == 4, "with their events")


def one_run_of_an_endpoint_at_a_time(store: Store) -> None:
    """Of many who begin one, one does; the others change nothing."""
    store.add_run(a_run(), an_event())
    expect(refuses(partial(store.add_run, a_run(), an_event())), "a second is refused while the first goes on")
    expect(len(store.events("default")) == 1, "and leaves no event")

    def begun(_: int) -> bool:
        try:
            store.add_run(a_run("other"), an_event())
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        expect(sum(threads.map(begun, range(4))) == 1, "of four at once one begins")


def one_step_of_a_run_at_a_time(store: Store) -> None:
    """Who goes on from a revision that is there no more is refused, and nothing is kept of it."""
    run = store.add_run(a_run(), an_event())
    first, second = run.to(Stage.CUTTING, Micros(6), "a"), run.end(Outcome.CANCELLED, Micros(6), "b")
    store.keep_run(first, run.revision)
    expect(refuses(partial(store.keep_run, second, run.revision, an_event())), "who looked before is refused")
    expect(store.runs("default", "late") == [first], "the first step stays")
    expect(len(store.events("default")) == 1, "without an event of the second")
    expect(refuses(partial(store.keep_run, a_run("other"), 1)), "a run that was never begun is none")


def what_is_said_twice_counts_once(store: Store) -> None:
    """A call is kept under its key, and told in order."""
    expect(store.add_call(a_call("2", at=9)) and store.add_call(a_call("1")), "two keys are two calls")
    expect(not store.add_call(a_call("1", at=11)), "the same key is no news")
    expect(store.add_call(a_call("1", endpoint="other")), "of another endpoint it is")
    expect(store.calls("default", "late", Micros(0)) == [a_call("1"), a_call("2", at=9)], "the first one first")
    expect(store.calls("default", "late", Micros(8)) == [a_call("2", at=9)], "from a moment on")


CHECKS: Final[tuple[Callable[[Store], None], ...]] = (
    runs_are_numbered_and_kept_whole,
    one_run_of_an_endpoint_at_a_time,
    one_step_of_a_run_at_a_time,
    what_is_said_twice_counts_once,
)
