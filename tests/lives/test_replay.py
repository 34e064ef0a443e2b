"""A replay is the same story at any speed, and whatever is asked of it later knows only what was known then."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.testing.installation import Installation
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import DAY, HOUR, Micros, Role

MONDAY: Final = 1_362_355_200_000_000
"""2013-03-04T00:00:00Z, when the story begins."""
DAYS: Final = 4
FIRST_DAY, SECOND_DAY, END = Micros(MONDAY + DAY), Micros(MONDAY + 2 * DAY), Micros(MONDAY + DAYS * DAY)
SECRET: Final = b"\x11" * 32
"""Both homes have it: assignment is a function of the key and the home's salt."""


@dataclass(frozen=True)
class Asked:
    """One row of the story."""

    at: int
    key: str
    row: dict[str, float | str]


@dataclass(frozen=True)
class Learned:
    """What turned out to be true of a row of the story, and when."""

    observed_at: int
    place: int
    label: int


@dataclass
class Replayed:
    """A story told to an installation in steps of one size."""

    installation: Installation
    said: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """What windows said at each moment the clock was moved to."""


def story(seed: int = 11) -> tuple[list[Asked], list[Learned]]:
    """Rows of three days, some of them illegal, and labels that come late, twice or never."""
    chance = random.Random(seed)  # noqa: S311 - a story, not a secret
    asked, learned = [], []
    for place in range(200):
        at = MONDAY + chance.randrange(3 * DAY)
        bad = chance.random() < 0.1
        row = {"f0": "much" if bad else chance.gauss(0, 1), "f1": chance.gauss(0, 1)}
        asked.append(Asked(at, f"caller-{chance.randrange(40)}", row))
        if bad or chance.random() < 0.15:
            continue
        first = at + chance.randrange(HOUR, 30 * HOUR)
        learned.append(Learned(first, place, chance.randrange(2)))
        if chance.random() < 0.2:
            learned.append(Learned(first + chance.randrange(HOUR, 20 * HOUR), place, chance.randrange(2)))
    return asked, learned


def rfc3339(micros: int) -> str:
    seconds, rest = divmod(micros - MONDAY, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    return f"2013-03-{4 + days:02}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:06}Z"


def advance(installation: Installation, moment: int) -> dict[str, dict[str, int]]:
    body = json.dumps({"to": rfc3339(moment)}).encode()
    status, said = installation.post("/v1/replay/advance", body, port=installation.control_port)
    assert status == 200, said
    obeyed: dict[str, dict[str, int]] = json.loads(said)["obeyed"]
    return obeyed


def ask(installation: Installation, rows: list[Asked]) -> list[dict[str, Any]]:
    body = {
        "rows": [each.row for each in rows],
        "keys": [each.key for each in rows],
        "at": [rfc3339(each.at) for each in rows],
    }
    status, said = installation.post("/v1/endpoints/late/predict", json.dumps(body).encode())
    assert status in (200, 422), said
    predictions: list[dict[str, Any]] = json.loads(said)["predictions"]
    return predictions


def tell(installation: Installation, labels: list[dict[str, Any]]) -> None:
    if labels:
        status, said = installation.post("/v1/endpoints/late/labels", json.dumps({"labels": labels}).encode())
        assert status == 200, said


def split(installation: Installation, weight: float) -> int:
    """Send `weight` of the callers to the second version; they keep it by their key."""
    versions = {"linear:1": 1 - weight, "linear:2": weight}
    return installation.serve("late", versions, more="  sticky_key: caller\nlabel_maturity: 12h\n")


def replay(installation: Installation, step: int, between: Callable[[int], None] = lambda _: None) -> Replayed:
    """Tell the story in steps of `step` microseconds; after the first day the second version gets more callers.

    `between` is called before every step but the first, with the moment at which it begins.
    """
    asked, learned = story()
    told = Replayed(installation)
    ids: dict[int, str] = {}
    wanted = 1
    advance(installation, MONDAY)
    for begins in range(MONDAY, END, step):
        if begins != MONDAY:
            between(begins)
        if begins == FIRST_DAY:
            wanted = split(installation, 0.8)
            advance(installation, begins)
        places = sorted((p for p, each in enumerate(asked) if begins <= each.at < begins + step), key=asked_at(asked))
        if places:
            replies = ask(installation, [asked[each] for each in places])
            ids |= {place: said["id"] for place, said in zip(places, replies, strict=True) if "id" in said}
        due = sorted((e for e in learned if begins <= e.observed_at < begins + step), key=lambda e: e.observed_at)
        tell(
            installation,
            [{"id": ids[e.place], "label": e.label, "observed_at": rfc3339(e.observed_at)} for e in due],
        )
        obeyed = advance(installation, begins + step)
        assert min(each["default/late"] for each in obeyed.values()) >= wanted
        if (begins + step - MONDAY) % DAY == 0:
            told.said[begins + step] = known_at(installation, begins + step)
    return told


def asked_at(asked: list[Asked]) -> Any:
    return lambda place: asked[place].at


def known_at(installation: Installation, moment: int) -> list[dict[str, Any]]:
    """Everything windows say of the story up to `moment`, as it was known then."""
    with installation.open() as hg:
        found = hg.windows("late", every="day", end=Micros(moment), as_of=Micros(moment))
    return [msgspec.to_builtins(each) for each in found]


def without_speed(windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in each.items() if name not in ("latency_ms", "compute_ms")} for each in windows
    ]


def begun(root: Path) -> Installation:
    installation = Installation(root, replay=True, workers=2, seal_interval=0.5)
    installation.home.secret.write_bytes(SECRET)
    for bias in (0.0, 1.0):
        installation.linear(bias=bias)
    split(installation, 0.3)
    return installation.start()


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    """The story in steps of a day."""
    with begun(tmp_path_factory.mktemp("quick") / "h") as installation:
        told = replay(installation, DAY)
        assert installation.stop() == 0  # what happened is asked of its home
        yield told


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    """The same story in steps of two hours."""
    with begun(tmp_path_factory.mktemp("slow") / "h") as installation:
        told = replay(installation, 2 * HOUR)
        assert installation.stop() == 0  # what happened is asked of its home
        yield told


def test_event_times_and_the_clock_are_the_callers_only_where_replay_is_on(tmp_path: Path) -> None:
    with Installation(tmp_path / "h") as installation:
        installation.serve("late", {installation.linear(): 1.0})
        installation.start()
        body = json.dumps({"rows": [{"f0": 0.5, "f1": 0.0}], "at": [rfc3339(MONDAY)]}).encode()
        status, said = installation.post("/v1/endpoints/late/predict", body)
        refused = json.loads(said)["error"]
        assert (status, refused["field"], refused["rule"]) == (422, "at", "replay")
        to = json.dumps({"to": rfc3339(MONDAY)}).encode()
        status, said = installation.post("/v1/replay/advance", to, port=installation.control_port)
        refused = json.loads(said)["error"]
        assert (status, refused["field"], refused["rule"]) == (422, "to", "replay")
        with installation.open() as hg:
            assert hg.counts("late").answered == 0


def test_the_same_story_at_two_speeds_gives_the_same_windows(quick: Replayed, slow: Replayed) -> None:
    days = without_speed(known_at(quick.installation, END))
    assert days == without_speed(known_at(slow.installation, END))
    assert quick.said.keys() == slow.said.keys()
    for moment, windows in quick.said.items():
        assert without_speed(windows) == without_speed(slow.said[moment])
    # It was a story: all of it arrived, and every kind of thing happened in it.
    asked, learned = story()
    assert sum(each["volume"] for each in days) == len(asked)
    assert sum(each["labelled"] for each in days) == len({each.place for each in learned if each.observed_at < END})
    assert all(each["refused"] and each["metrics"]["auc"]["value"] > 0 for each in days)
    assert [each["versions"] for each in days] == [("linear:1", "linear:2")] * 3


@pytest.mark.full
def test_a_story_during_which_processes_die_gives_the_same_windows(quick: Replayed, tmp_path: Path) -> None:
    with begun(tmp_path / "h") as installation:
        victims = iter(("gateway 0", "controller", "up", "gateway 1"))

        def between(begins: int) -> None:
            victim = next(victims) if (begins - MONDAY) % DAY == DAY // 2 else ""
            if victim == "up":
                installation.crash()
                installation.start()
                advance(installation, begins)  # the clock begins anew with the supervisor
            elif victim:
                installation.kill(victim)
                installation.settled()

        told = replay(installation, DAY // 2, between)
        assert next(victims, None) is None, "each of them died"
        assert without_speed(known_at(installation, END)) == without_speed(known_at(quick.installation, END))
        assert {moment: without_speed(said) for moment, said in told.said.items()} == {
            moment: without_speed(said) for moment, said in quick.said.items()
        }


def test_what_was_known_at_a_moment_is_the_same_however_much_later_one_asks(slow: Replayed) -> None:
    labelled = []
    for moment, said in slow.said.items():
        assert known_at(slow.installation, moment) == said
        labelled.append(said[0]["labelled"])
    assert labelled == sorted(labelled)
    assert labelled[0] < labelled[-1], "labels came late, so that the first day's windows grew"


def test_joins_and_training_sets_know_nothing_later_than_their_moment(slow: Replayed) -> None:
    asked, learned = story()
    with slow.installation.open() as hg:
        for moment in (MONDAY, FIRST_DAY, SECOND_DAY, END):
            truths = {e.place: e.label for e in sorted(learned, key=lambda e: e.observed_at) if e.observed_at <= moment}
            joined = hg.reader.joined("default", "late", as_of=Micros(moment)).to_pylist()
            known = {row["input_id"]: row for row in joined if row["label"] is not None}
            assert sorted(row["at"].timestamp() for row in known.values()) == pytest.approx(
                sorted(asked[place].at / 1e6 for place in truths), abs=1e-6
            )
            ripe = {p: label for p, label in truths.items() if asked[p].at < moment - 12 * HOUR}
            table = hg.training_set("late", as_of=Micros(moment), least=0).table().to_pylist()
            told = sorted((row["f0"], row["f1"], int(row["label"])) for row in table)
            assert told == sorted((*asked[p].row.values(), label) for p, label in ripe.items())
        sets = [hg.training_set("late", as_of=SECOND_DAY, least=50) for _ in range(2)]
    assert sets[0].dataset.digest == sets[1].dataset.digest
    assert len(sets[0].input_ids()) > 50


@pytest.mark.slow
def test_a_step_ends_when_shadows_have_said_what_they_have_to_say(tmp_path: Path) -> None:
    """Given a shadow that is much slower than its callers, when a step ends, then all of its answers are there."""
    with Installation(tmp_path / "h", replay=True) as installation:
        live, slow = installation.scripted("echo"), installation.scripted("slow", seconds=0.25)
        installation.serve("late", {live: 1.0})
        installation.start()
        advance(installation, MONDAY)
        with installation.open() as hg:
            hg.deploy(f"endpoint: late\ncandidate: {slow}\nstrategy: shadow\nguards:\n- metric: errors\n", force=True)
            hg.controller().reconcile()
        installation.settled()
        advance(installation, MONDAY)
        rows = [Asked(MONDAY + n, f"k-{n}", {"f0": n / 9, "f1": 0.0}) for n in range(40)]
        for step in range(1, 4):
            for row in rows:
                ask(installation, [Asked(row.at + (step - 1) * HOUR, row.key, row.row)])
            advance(installation, MONDAY + step * HOUR)
            with installation.open() as hg:
                answers = hg.reader.joined("default", "late", roles=[Role.LIVE, Role.SHADOW]).to_pylist()
            ids = {role: {row["input_id"] for row in answers if row["role"] == role} for role in ("live", "shadow")}
            assert len(ids["live"]) == step * len(rows)
            assert ids["shadow"] == ids["live"], f"step {step}"


def remembered(reader: Reader) -> list[str]:
    return sorted(reader.joined("default", "late").column("input_id").to_pylist())


def test_days_beyond_retention_are_forgotten_and_late_labels_for_them_hurt_nobody(tmp_path: Path) -> None:
    days = [
        [Asked(MONDAY + day * DAY + n * HOUR, f"k-{n}", {"f0": n / 9, "f1": 0.0}) for n in range(9)] for day in (0, 2)
    ]
    with Installation(tmp_path / "h", replay=True, seal_interval=0.2) as installation:
        installation.serve("late", {installation.linear(): 1.0}, more="retention: 1d\n")
        installation.start()
        ids = []
        for rows in days:
            advance(installation, rows[-1].at)
            ids.append([said["id"] for said in ask(installation, rows)])
        old, new = map(sorted, ids)
        sealed = Reader(Lake(installation.home.lake), MemorySegments())
        # Removal is a thing of whole days of event time, and of what was sealed by then.
        installation.until(lambda: set(new) <= set(remembered(sealed)), "both days are sealed")
        advance(installation, MONDAY + 3 * DAY)
        with installation.open() as hg:
            installation.until(lambda: remembered(hg.reader) == new, "the first day is forgotten")
            tell(installation, [{"id": each, "label": 1} for each in (old[0], new[0])])
            counts = hg.counts("late")
            [window] = hg.windows("late", every="day")
            kept = hg.training_set("late", as_of=Micros(END + DAY), least=0).input_ids()
    assert (counts.inputs, counts.labelled, counts.unmatched) == (9, 1, 1)
    assert (window.start, window.volume, window.labelled) == (MONDAY + 2 * DAY, 9, 1)
    assert kept == (new[0],)
