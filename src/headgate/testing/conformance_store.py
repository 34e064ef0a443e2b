"""What every store must do, as checks anybody can run on theirs.

    from headgate.testing import conformance_store

    @pytest.mark.parametrize("check", conformance_store.CHECKS, ids=lambda check: check.__name__)
    def test_mine(check):
        check(MyStore(...))

Each check takes an empty store and raises AssertionError with the promise that was broken.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol

import msgspec

from headgate.access.grants import CallerRole
from headgate.access.keys import Key
from headgate.access.ports import KeyStore
from headgate.errors import Conflict, NotFound
from headgate.events import Event, EventKind, first_broken
from headgate.monitors.comparison.compared import unmeasured
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.monitors.diagnosis.kept import Diagnosed, DiagnosisStore
from headgate.monitors.standing import broken
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.state import WatchState, WatchStore
from headgate.monitors.watch.times import Times
from headgate.registry.ports import EndpointStore, Evaluation, EventLog, RegistryStore, Version
from headgate.review.leases import Lease, LeaseStore
from headgate.rollouts.plan import Plan, SetWeight
from headgate.rollouts.rollout import Edit, Rollout, RolloutStore
from headgate.rollouts.state import Action, Move
from headgate.vocabulary import Micros


class Store(
    RegistryStore, EventLog, EndpointStore, KeyStore, RolloutStore, LeaseStore, WatchStore, DiagnosisStore, Protocol
):
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
    """An endpoint's text is what was put last, to the byte, by somebody who had read what was there."""
    store.put_endpoint("default", "delays", "old")
    store.put_endpoint("default", "delays", "endpoint: delays\n# é\n", "old")
    store.put_endpoint("default", "a", "")
    store.put_endpoint("alpha", "delays", "other")
    for name, before in (("delays", "old"), ("delays", None), ("a", None), ("none", ""), ("none", "old")):
        refused = refuses(partial(store.put_endpoint, "default", name, "new", before))
        expect(refused, "what was read long ago replaces nothing")
    expect(
        store.endpoints("default") == [("default", "a", ""), ("default", "delays", "endpoint: delays\n# é\n")], "put"
    )
    expect([each[:2] for each in store.endpoints()] == sorted(each[:2] for each in store.endpoints()), "sorted")
    expect(len(store.endpoints()) == 3, "each counted once")
    expect(store.endpoints("none") == [], "nothing for strangers")


def no_change_of_a_file_is_lost(store: Store) -> None:
    """Threads that change one text at once each change what another has left."""
    store.put_endpoint("default", "late", "")

    def add(word: str) -> None:
        while True:
            ((_, _, text),) = store.endpoints("default")
            if not refuses(partial(store.put_endpoint, "default", "late", text + word, text)):
                return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, "abcdefghijkl"))
    ((_, _, text),) = store.endpoints("default")
    expect(sorted(text) == list("abcdefghijkl"), "every change is in it")


def history_is_sealed(store: Store) -> None:
    """Records of all projects form one chain, every word of an event under its seal."""
    expect(store.sealed() == [], "an empty history has no records")
    details: dict[str, str | int | float | bool | None] = {
        "share": 0.1,
        "large": 1e300,
        "text": "é\u2028",
        "none": None,
        "b": True,
        "a": -1,
    }
    full = Event(Micros(2**62), EventKind.APPLIED, "p", "s ☃", "ann", "why\n", details, "was: é", "is: 1")
    store.add_event(full)
    for i in range(5):
        store.add_event(Event(Micros(i), EventKind.TRAFFIC, "default" if i % 2 else "second", "e", "controller"))
    records = store.sealed()
    expect([each.event.at for each in records] == [2**62, 0, 1, 2, 3, 4], "oldest first, all projects")
    expect(records[0].event == full, "with every word")
    expect(first_broken(records) is None, "each sealed behind the one before")
    expect(store.sealed(records[2].number, 2) == records[3:5], "from a record on, as many as asked for")
    expect(store.events("p") == [full], "and the history of a project is drawn from it")


def appenders_take_turns(store: Store) -> None:
    """Threads that append at once leave one chain."""
    with ThreadPoolExecutor(8) as pool:
        events = [Event(Micros(i), EventKind.TRAFFIC, "default", "e", "controller") for i in range(40)]
        list(pool.map(store.add_event, events))
    records = store.sealed()
    expect(sorted(each.event.at for each in records) == list(range(40)), "none is lost")
    expect(first_broken(records) is None, "and the chain is whole")


def a_key(id_: str, name: str = "till", project: str = "default", at: int = 7) -> Key:
    """A key of that id."""
    return Key(id_, project, name, "d" * 64, (CallerRole.PREDICT,), ("default/*",), Micros(at))


def keys_are_kept_with_their_event(store: Store) -> None:
    """A key and the record of its making are there together, every field of it."""
    full = Key(
        "k1", "p", "till", "0f", tuple(CallerRole), ("p/*", "q/e"), Micros(2**62), Micros(2**62 + 1), Micros(3),
        "k2", 0.5, 1e9,
    )  # fmt: skip
    made = Event(Micros(1), EventKind.KEY_CREATED, "p", "till", "ann")
    store.put_keys([full, a_key("k0")], made)
    expect(store.keys() == [a_key("k0"), full], "oldest first, every field")
    expect(store.keys("p") == [full], "of one project")
    expect([each.event for each in store.sealed()] == [made], "with one record")
    changed = msgspec.structs.replace(a_key("k0"), revoked_at=Micros(9))
    store.put_keys([changed], Event(Micros(2), EventKind.KEY_REVOKED, "default", "till", "ann"))
    expect(store.keys("default") == [changed], "a known key is replaced")


def key_names_are_their_own(store: Store) -> None:
    """A name belongs to one key in force, and a refusal leaves neither key nor record."""
    event = Event(Micros(1), EventKind.KEY_CREATED, "default", "till", "ann")
    store.put_keys([a_key("k1")], event)
    taken = refuses(lambda: store.put_keys([a_key("other", "free"), a_key("k2", at=8)], event))
    expect(taken, "two keys in force bear one name")
    expect(store.keys() == [a_key("k1")] and len(store.sealed()) == 1, "a refusal changes nothing")
    store.put_keys([a_key("k3", project="second")], event)
    rotated = msgspec.structs.replace(a_key("k1"), successor="k4")
    store.put_keys([rotated, a_key("k4", at=9)], event)
    expect([each.id for each in store.keys("default")] == ["k1", "k4"], "a successor takes the name over")
    store.put_keys([msgspec.structs.replace(a_key("k4", at=9), expires_at=Micros(10))], event)
    store.put_keys([a_key("k5", at=10)], event)
    expect([each.id for each in store.keys("default")] == ["k1", "k4", "k5"], "and so does a key after an expired one")


def a_rollout(endpoint: str = "late", project: str = "default") -> Rollout:
    """One that has just begun."""
    plan = Plan(endpoint=endpoint, project=project, candidate="m:2", steps=(SetWeight(0.5),))
    return Rollout(plan=plan, live="m:1", started=Micros(5), actor="ann", thresholds=(1.5, 2.0))


def a_note(endpoint: str = "late") -> Event:
    """What is remembered of a rollout."""
    return Event(Micros(5), EventKind.ROLLOUT, "default", endpoint, "ann")


def one_rollout_at_a_time(store: Store) -> None:
    """A second rollout of an endpoint is refused until the first has ended, and nothing is remembered of it."""
    first = store.add_rollout(a_rollout(), a_note())
    expect(first.number == 1, "rollouts are counted from 1")
    expect(store.rollouts("default", "late") == [first] == store.running(), "it is kept as it was returned")
    expect(refuses(lambda: store.add_rollout(a_rollout(), a_note())), "a second one at the same time is refused")
    with_file = Edit(None, "endpoint: x")
    expect(refuses(lambda: store.add_rollout(a_rollout(), a_note(), with_file)), "whatever comes with it")
    expect(len(store.events("default")) == 1 and store.endpoints() == [], "and leaves no trace")
    expect(store.add_rollout(a_rollout("other"), a_note("other")).number == 1, "each endpoint counts for itself")
    store.move_rollout(first, Move(Action.ABORT, Micros(6), "enough"), a_note())
    stale = Edit("what nobody wrote", "endpoint: x")
    expect(refuses(lambda: store.add_rollout(a_rollout(), a_note(), stale)), "none begins on a file that is another")
    expect(len(store.rollouts("default", "late")) == 1 and store.endpoints() == [], "and nothing is left of it")
    second = store.add_rollout(a_rollout(), a_note(), Edit(None, "endpoint: late"))
    expect(second.number == 2, "the next one begins when the first has ended")
    expect(store.endpoints() == [("default", "late", "endpoint: late")], "and the file comes with it")
    expect([each.number for each in store.rollouts("default", "late")] == [1, 2], "by number")


def files_stay_while_rollouts_run(store: Store) -> None:
    """While a rollout of an endpoint runs, no file is kept that has to find it idle; others are."""
    running = store.add_rollout(a_rollout(), a_note(), Edit(None, "first"))
    decides = partial(store.put_endpoint, "default", "late", "second", idle=True)
    expect(refuses(partial(decides, before="first")), "one that has to find it idle is refused")
    expect(store.endpoints() == [("default", "late", "first")], "and changes nothing")
    store.put_endpoint("default", "late", "third", "first")
    store.put_endpoint("default", "other", "", idle=True)
    store.move_rollout(running, Move(Action.ABORT, Micros(6), "enough"), a_note())
    expect(refuses(partial(decides, before="first")), "what was read still counts")
    decides(before="third")
    expect(store.endpoints("default") == [("default", "late", "second"), ("default", "other", "")], "then it is kept")


def files_and_rollouts_take_turns(store: Store) -> None:
    """Of a file that has to find its endpoint idle and a rollout that began on the one before, one is kept."""
    for name in map(str, range(8)):
        store.put_endpoint("default", name, "first")
        begin = partial(store.add_rollout, a_rollout(name), a_note(name), Edit("first", "first"))
        change = partial(store.put_endpoint, "default", name, "second", "first", idle=True)
        with ThreadPoolExecutor(2) as pool:
            refused = list(pool.map(refuses, (begin, change)))
        expect(sorted(refused) == [False, True], "one of them, and the other was told")


def rollouts_move_once(store: Store) -> None:
    """A move is appended to the history it was decided on, or not at all; with its event and the endpoint's file."""
    first = store.add_rollout(a_rollout(), a_note())
    promote = Move(Action.PROMOTE, Micros(7), "it holds")
    stale = Edit("what nobody wrote", "endpoint: x")
    expect(refuses(lambda: store.move_rollout(first, promote, a_note(), stale)), "a file that is another is refused")
    expect(store.running() == [first] and len(store.events("default")) == 1, "with the move that came with it")
    moved = store.move_rollout(first, promote, a_note(), Edit(None, "endpoint: late"))
    expect(moved.moves == (Move(Action.PROMOTE, Micros(7), "it holds"),), "the move is the last of its history")
    expect(store.rollouts("default") == [moved] and store.running() == [], "what has ended runs no more")
    expect(store.endpoints("default") == [("default", "late", "endpoint: late")], "the file came with it")
    late = Move(Action.ABORT, Micros(8), "too late")
    edit = Edit("endpoint: late", "endpoint: x")
    expect(refuses(lambda: store.move_rollout(first, late, a_note(), edit)), "a stale history is refused")
    expect(store.rollouts("default") == [moved], "and changes nothing")
    expect(len(store.events("default")) == 2 and store.endpoints()[0][2] == "endpoint: late", "nothing at all")


def cases_have_one_reviewer_at_a_time(store: Store) -> None:
    """A case is one reviewer's until its lease has run out or it was skipped; a place is never two reviewers'."""
    where = "default", "late"
    first = Lease("case", 0, "ann", Micros(10))
    expect(store.take_case(*where, first, Micros(0)), "a free case may be taken")
    expect(not store.take_case(*where, Lease("case", 0, "bob", Micros(10)), Micros(5)), "and by nobody else then")
    expect(store.leases(*where, Micros(5)) == [first], "it is told whose it is")
    longer = Lease("case", 0, "ann", Micros(20))
    expect(store.take_case(*where, longer, Micros(6)) and store.leases(*where, Micros(15)) == [longer], "may be kept")
    expect(store.take_case(*where, Lease("case", 1, "bob", Micros(20)), Micros(6)), "a second place is free for itself")
    expect(
        store.take_case("default", "other", Lease("case", 0, "bob", Micros(20)), Micros(6)), "so is another endpoint"
    )
    expect(store.take_case(*where, Lease("case", 0, "bob", Micros(40)), Micros(20)), "what ran out is free again")
    store.skip_case(*where, "case", "bob")
    store.skip_case(*where, "case", "bob")
    expect(store.leases(*where, Micros(6)) == [], "who skips has it no more")
    expect(store.skipped(*where, "bob") == {"case"}, "and it is remembered")
    expect(store.skipped(*where, "ann") == store.skipped("default", "other", "bob") == frozenset(), "of nobody else")


def rollouts_begin_one_by_one(store: Store) -> None:
    """Of several who begin a rollout of one endpoint at once, one may."""
    with ThreadPoolExecutor(8) as pool:
        refused = list(pool.map(lambda _: refuses(lambda: store.add_rollout(a_rollout(), a_note())), range(16)))
    expect(refused.count(False) == 1 and len(store.running()) == 1, "one began, and the others were told")


def watches_go_on_once(store: Store) -> None:
    """A watch goes on from what was kept, once, and its days add up with it or not at all."""
    expect(store.watch("default", "late") is None, "nobody looked yet")
    first = WatchState(project="default", endpoint="late", began=Micros(0), until=Micros(5), matured=Micros(0))
    day = Day(version="late:1", start=Micros(0), volume=3, refused={"é": 1}, latency=Times((1, 2), (3, 4)))
    kept = store.keep_watch(first, [day])
    expect(kept == msgspec.structs.replace(first, revision=1) == store.watch("default", "late"), "as it was returned")
    expect(refuses(lambda: store.keep_watch(first, [day])), "nobody goes on from what is no longer there")
    expect(store.watched_days("default", "late") == [day], "and a refusal adds nothing")
    later = msgspec.structs.replace(kept, until=Micros(9))
    store.keep_watch(later, [day, msgspec.structs.replace(day, start=Micros(7), version="")])
    found = store.watched_days("default", "late")
    expect([(each.start, each.version, each.volume) for each in found] == [(0, "late:1", 6), (7, "", 3)], "days add up")
    expect(store.watched_days("default", "late", Micros(1), Micros(7)) == [], "from a day on, and before another")
    expect(store.watch("default", "other") is None and store.watched_days("second", "late") == [], "of nobody else")


def watchers_take_turns(store: Store) -> None:
    """Of several who go on from one state at once, one does."""
    state = WatchState(project="default", endpoint="late", began=Micros(0), until=Micros(0), matured=Micros(0))
    day = Day(version="", start=Micros(0), volume=1)
    with ThreadPoolExecutor(8) as pool:
        refused = list(pool.map(lambda _: refuses(lambda: store.keep_watch(state, [day])), range(16)))
    [kept] = store.watched_days("default", "late")
    expect(refused.count(False) == kept.volume == 1, "one went on, and the others were told")


def diagnoses_replace_within_their_episode(store: Store) -> None:
    """An episode has one diagnosis, the last one kept, with all that it consists of."""
    expect(store.diagnoses("default", "late") == [], "nothing was said yet")
    first = Diagnosed(project="default", endpoint="late", began=Micros(5), alerts=("é-1",))
    at, later_at = Micros(5), Micros(9)
    column = unmeasured("x", broken("the window has no such column"))
    found = Diagnosis(
        version="late:1", start=at, end=later_at, matured=at, known=later_at, inputs=3, labelled=2, columns=(column,)
    )
    later = msgspec.structs.replace(first, began=Micros(2**40))
    for each in (later, first, first.after(found)):
        store.keep_diagnosis(each)
    expect(store.diagnoses("default", "late") == [first.after(found), later], "by episode, the last one last")
    expect(store.diagnoses("second", "late") == store.diagnoses("default", "other") == [], "of nobody else")


def refuses(call: Callable[[], object]) -> bool:
    """Whether `call` raises Conflict."""
    try:
        call()
    except Conflict:
        return True
    return False


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
    no_change_of_a_file_is_lost,
    history_is_sealed,
    appenders_take_turns,
    keys_are_kept_with_their_event,
    key_names_are_their_own,
    one_rollout_at_a_time,
    files_stay_while_rollouts_run,
    files_and_rollouts_take_turns,
    rollouts_move_once,
    rollouts_begin_one_by_one,
    cases_have_one_reviewer_at_a_time,
    watches_go_on_once,
    watchers_take_turns,
    diagnoses_replace_within_their_episode,
)


def expect(holds: bool, promise: str) -> None:
    """Raise AssertionError naming `promise` unless it holds."""
    if not holds:
        raise AssertionError(promise)
