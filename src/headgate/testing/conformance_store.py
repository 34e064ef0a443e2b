"""What every store must do, as checks anybody can run on theirs.

    from headgate.testing import conformance_store

    @pytest.mark.parametrize("check", conformance_store.CHECKS, ids=lambda check: check.__name__)
    def test_mine(check):
        check(MyStore(...))

Each check takes an empty store and raises AssertionError with the promise that was broken.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from headgate.errors import NotFound
from headgate.events import Event, EventKind
from headgate.registry.ports import EndpointStore, Evaluation, EventLog, RegistryStore, Version
from headgate.vocabulary import Micros


class Store(RegistryStore, EventLog, EndpointStore, Protocol):
    """Everything an installation keeps outside its files."""


def a_version(model: str = "delay", digest: str = "sha256:aa", project: str = "default") -> Version:
    """A version nobody has numbered yet."""
    return Version(project, model, 0, digest, Micros(1_700_000_000_000_000), "onnx", "binary")


def numbers_count_up(store: Store) -> None:
    """A model's versions are 1, 2, 3 …, whatever number they were handed in with."""
    given = [store.add_version(a_version(digest=f"sha256:{i}")).number for i in range(5)]
    expect(given == [1, 2, 3, 4, 5], "numbers count up from 1")
    expect(store.add_version(a_version("other", "sha256:0")).number == 1, "each model counts for itself")
    expect(store.add_version(a_version(project="second")).number == 1, "each project counts for itself")


def same_digest_same_version(store: Store) -> None:
    """Registering a package twice changes nothing."""
    first = store.add_version(a_version())
    again = store.add_version(Version("default", "delay", 9, "sha256:aa", Micros(5), "sklearn", "regression", why="x"))
    expect(again == first, "the version there is comes back as it was")
    expect(store.versions("default", "delay") == [first], "and nothing is added")


def every_field_survives(store: Store) -> None:
    """What was handed in comes back, down to the last field and the largest moment."""
    full = Version(
        "p", "m", 0, "sha256:0f", Micros(2**62), "xgboost", "multiclass", "m:7", "sha256:1e", "commit é", "why\n☃"
    )
    kept = store.add_version(full)
    expect(store.versions("p") == [kept], "a version is read as it was returned")
    for name in ("project", "model", "digest", "created_at", "engine", "task", "parent", "data_digest", "code", "why"):
        expect(getattr(kept, name) == getattr(full, name), f"{name} survives")


def versions_in_order(store: Store) -> None:
    """Listings go by model and number, and by nothing a database's language could change."""
    for model in ("b-1", "a", "b", "a-b", "ab"):
        for i in range(11):
            store.add_version(a_version(model, f"sha256:{i}"))
    listed = [(each.model, each.number) for each in store.versions("default")]
    expect(listed == sorted(listed), "by model and number")
    expect([each.number for each in store.versions("default", "b")] == list(range(1, 12)), "one model's alone")
    expect(store.versions("other") == [] and store.versions("default", "none") == [], "nothing for strangers")


def writers_take_turns(store: Store) -> None:
    """Threads that register at once each get a number of their own."""
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda i: store.add_version(a_version(digest=f"sha256:{i}")).number, range(40)))
    expect(sorted(given) == list(range(1, 41)), "no number twice and none left out")


def evaluations_append(store: Store) -> None:
    """Evaluations come back in the order they were added, bytes untouched."""
    reports = [bytes(range(256)), b"", b'{"auc": 0.7}']
    for i, report in enumerate(reports):
        store.add_evaluation(Evaluation("default", "delay:1", Micros(100 - i), i == 1, report))
    store.add_evaluation(Evaluation("default", "delay:2", Micros(0), True, b"other"))
    store.add_evaluation(Evaluation("second", "delay:1", Micros(0), True, b"other"))
    found = store.evaluations("default", "delay:1")
    expect([each.report for each in found] == reports, "in order, byte for byte")
    expect([each.passed for each in found] == [False, True, False], "with their outcome")
    expect(store.evaluations("default", "delay:3") == [], "and none for a stranger")


def aliases_move(store: Store) -> None:
    """An alias points where it was last set, and only at what exists."""
    for digest in ("sha256:1", "sha256:2"):
        store.add_version(a_version(digest=digest))
    store.set_alias("default", "delay", "champion", 1)
    store.set_alias("default", "delay", "champion", 2)
    store.set_alias("default", "delay", "baseline", 1)
    expect(store.aliases("default", "delay") == {"baseline": 1, "champion": 2}, "the last setting holds")
    for project, model, number in (("default", "delay", 3), ("default", "other", 1), ("second", "delay", 1)):
        try:
            store.set_alias(project, model, "champion", number)
        except NotFound:
            continue
        raise AssertionError("an alias pointed at a version that does not exist")
    expect(store.aliases("default", "delay") == {"baseline": 1, "champion": 2}, "a refusal changes nothing")
    expect(store.aliases("second", "delay") == {}, "projects do not see each other")


def events_newest_first(store: Store) -> None:
    """History is read backwards, per subject, as far as asked."""
    for i in range(7):
        details = {"n": i, "share": 0.5, "ok": True, "none": None, "text": "é"}
        store.add_event(
            Event(Micros(50 - i), EventKind.TRAFFIC, "default", f"e{i % 2}", "somebody", "because", details)
        )
    store.add_event(Event(Micros(0), EventKind.DIED, "second", "e0", "supervisor"))
    found = store.events("default")
    expect([each.details["n"] for each in found] == [6, 5, 4, 3, 2, 1, 0], "by the order they were added in")
    expect(found[0].details == {"n": 6, "share": 0.5, "ok": True, "none": None, "text": "é"}, "with their details")
    expect([each.details["n"] for each in store.events("default", "e1")] == [5, 3, 1], "of one subject")
    expect([each.details["n"] for each in store.events("default", limit=2)] == [6, 5], "as many as asked for")
    expect(store.events("default", limit=0) == [], "none when none are asked for")
    expect([each.kind for each in store.events("second")] == [EventKind.DIED], "projects do not see each other")


def endpoints_replace(store: Store) -> None:
    """An endpoint's text is what was put last, to the byte."""
    store.put_endpoint("default", "delays", "old")
    store.put_endpoint("default", "delays", "endpoint: delays\n# é\n")
    store.put_endpoint("default", "a", "")
    store.put_endpoint("alpha", "delays", "other")
    expect(
        store.endpoints("default") == [("default", "a", ""), ("default", "delays", "endpoint: delays\n# é\n")], "put"
    )
    expect([each[:2] for each in store.endpoints()] == sorted(each[:2] for each in store.endpoints()), "sorted")
    expect(len(store.endpoints()) == 3, "each counted once")
    expect(store.endpoints("none") == [], "nothing for strangers")


CHECKS: Final[tuple[Callable[[Store], None], ...]] = (
    numbers_count_up,
    same_digest_same_version,
    every_field_survives,
    versions_in_order,
    writers_take_turns,
    evaluations_append,
    aliases_move,
    events_newest_first,
    endpoints_replace,
)


def expect(holds: bool, promise: str) -> None:
    """Raise AssertionError naming `promise` unless it holds."""
    if not holds:
        raise AssertionError(promise)
