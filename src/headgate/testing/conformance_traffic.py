"""What every `TrafficStore` and `RevisionReports` must do, as checks anybody can run on theirs.

A traffic check takes a function that opens one more view of the same, initially empty place: a writer's or a
reader's. A reports check takes an empty place.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import sleep
from typing import Final

from headgate.errors import BadInput, Conflict
from headgate.testing.conformance_store import expect
from headgate.traffic.ports import RevisionReports, TrafficStore
from headgate.traffic.traffic import Capture, Member, Policy, Shadow, Traffic
from headgate.vocabulary import Ack, OnFailure

Open = Callable[[], TrafficStore]


def some_traffic(revision: int = 1, *, endpoint: str = "delays", project: str = "default") -> Traffic:
    """Traffic with every field away from its default."""
    return Traffic(
        project,
        endpoint,
        revision,
        "m:1",
        [Member("m:1", "sha256:aa", 0.9, proved=True), Member("m:2", "sha256:bb", 0.1, forced=True)],
        "salt",
        [Shadow("m:3", 0.5)],
        "customer",
        15.0,
        Policy(Ack.BUFFERED, OnFailure.ANSWER, 250, Capture(12.5, ["a"], ["b"]), 3600.0),
    )


def reads_what_was_swapped(opened: Open) -> None:
    """Every field of every endpoint comes back."""
    store = opened()
    expect(store.read() == {}, "nothing at first")
    first, other = some_traffic(), some_traffic(4, endpoint="other", project="second")
    store.swap(first, 0)
    store.swap(other, 0)
    expect(store.read() == {("default", "delays"): first, ("second", "other"): other}, "every field")
    second = some_traffic(2)
    store.swap(second, 1)
    expect(store.read()["default", "delays"] == second, "the newest")


def refuses_a_stale_writer(opened: Open) -> None:
    """A writer that did not see the present revision changes nothing."""
    store = opened()
    store.swap(some_traffic(3), 0)
    for traffic, expected in ((some_traffic(4), 2), (some_traffic(4), 0), (some_traffic(9), 8)):
        _refused(store, traffic, expected)
    _refused(store, some_traffic(3), 3)
    _refused(store, some_traffic(2), 3)
    _refused(store, some_traffic(2, endpoint="never"), 1)
    expect(store.read() == {("default", "delays"): some_traffic(3)}, "and nothing has changed")


def names_stay_names(opened: Open) -> None:
    """A name that is not one is refused before anything is written."""
    store = opened()
    for name in ("", "..", "a/b", "A", "a.b", "x" * 64, "é"):
        for traffic in (some_traffic(endpoint=name), some_traffic(project=name)):
            try:
                store.swap(traffic, 0)
            except BadInput:
                continue
            raise AssertionError("a name outside the rule was accepted")
    expect(store.read() == {}, "nothing was written")


def every_change_is_noticed(opened: Open) -> None:
    """`changed` is true before the first read and after every swap, and false when nothing happened."""
    store = opened()
    expect(store.changed(), "before the first read")
    store.read()
    expect(not store.changed(), "not when nothing happened")
    for revision in range(1, 60):
        store.swap(some_traffic(revision), revision - 1)
        expect(store.changed(), "after every swap, however quick")
        if revision % 3:
            read = store.read()["default", "delays"].revision
            expect(read == revision, "the newest is read")
            expect(not store.changed(), "and then nothing more")


def every_beat_is_felt(opened: Open) -> None:
    """Readers feel each beat, and no swap: whoever publishes once may be gone."""
    writer, reader = opened(), opened()
    before = reader.pulse()
    expect(reader.pulse() == before, "the same until somebody calls `beat`")
    writer.swap(some_traffic(), 0)
    expect(reader.pulse() == before, "a swap is none")
    for _ in range(3):
        sleep(0.02)  # file systems stamp with a clock that ticks every few milliseconds; beats are far rarer
        writer.beat()
        expect(reader.pulse() != before, "another after every beat")
        before = reader.pulse()
    expect(reader.read() == {("default", "delays"): some_traffic()}, "and nothing else has changed")


def one_writer_wins(opened: Open) -> None:
    """Of writers that saw the same revision, one succeeds; no success is ever lost."""
    stores = [opened() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        expect(sum(pool.map(partial(climb, last=40), stores)) == 40, "as many successes as revisions")


def climb(store: TrafficStore, last: int) -> int:
    """How many of the revisions up to `last` this writer published, beside others that try the same."""
    won = 0
    while (present := store.read().get(("default", "delays"))) is None or present.revision < last:
        revision = 0 if present is None else present.revision
        try:
            store.swap(some_traffic(revision + 1), revision)
        except Conflict:
            continue
        won += 1
    return won


def reports_replace(reports: RevisionReports) -> None:
    """The last report of each worker stands."""
    expect(reports.obeyed() == {}, "nothing at first")
    reports.report("w0", {"default/delays": 1})
    reports.report("w1", {})
    reports.report("w0", {"default/delays": 2, "default/other": 1})
    expect(reports.obeyed() == {"w0": {"default/delays": 2, "default/other": 1}, "w1": {}}, "the last of each")


def workers_have_names(reports: RevisionReports) -> None:
    """A worker's name follows the rule for names."""
    for name in ("", "..", "a/b", "W"):
        try:
            reports.report(name, {})
        except BadInput:
            continue
        raise AssertionError("a name outside the rule was accepted")
    expect(reports.obeyed() == {}, "nothing was kept")


TRAFFIC_CHECKS: Final[tuple[Callable[[Open], None], ...]] = (
    reads_what_was_swapped,
    refuses_a_stale_writer,
    names_stay_names,
    every_change_is_noticed,
    every_beat_is_felt,
    one_writer_wins,
)
REPORT_CHECKS: Final[tuple[Callable[[RevisionReports], None], ...]] = (reports_replace, workers_have_names)


def _refused(store: TrafficStore, traffic: Traffic, expected: int) -> None:
    try:
        store.swap(traffic, expected)
    except Conflict:
        return
    raise AssertionError(f"a swap that expected revision {expected} was accepted")
