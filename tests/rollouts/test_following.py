"""A rollout that is followed: each look finds what reading everything would, and costs what is new."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rollouts.same import assert_judged_alike, assert_observed_alike
from tests.rollouts.worlds import BEGUN, CANDIDATE, GUARDS, LIVE, RAMP, SPLIT, STICKY, SWITCH, Habits, World, ident

from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Refusal
from headgate.rollouts import following, ledger
from headgate.rollouts.following import LATE, Followed, Following
from headgate.rollouts.guards import Guard, Margin, Measure, Unit
from headgate.rollouts.judge import Evidence, Sample, Weighed, weigh
from headgate.rollouts.observe import TIMED, observe
from headgate.rollouts.plan import Plan
from headgate.rollouts.rollout import Rollout
from headgate.vocabulary import SECOND, Micros, Role

TIDY = Habits()
UNTIDY = Habits(late=0.1, after_due=0.02, corrected=0.05, ahead=0.1)
WILD = Habits(late=0.4, retried=0.2, overtaken=0.5, after_due=0.2, corrected=0.3, ahead=0.2, refused=0.2)
QUERY = "SELECT input_id, assigned AS version, 0.5 AS loss FROM joined"


class Beginnings:
    """How often a rollout was begun to be followed anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0

        def begun(*words: Any) -> Following:
            self.count += 1
            return Following(*words)

        monkeypatch.setattr(following, "Following", begun)


@pytest.fixture
def beginnings(monkeypatch: pytest.MonkeyPatch) -> Beginnings:
    return Beginnings(monkeypatch)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, 1)


def assert_as_whole(world: World, followed: Followed) -> Weighed:
    seen = followed.look(world.rollout, world.scene, world.now)
    whole = weigh(world.rollout.plan, observe(world.rollout, world.reader, world.scene, world.now))
    assert_observed_alike(seen, whole)
    assert_judged_alike(seen, whole)
    return seen


def live(world: World, turns: int, *, looks: float = 0.4) -> Followed:
    """Callers come, time passes, segments are sealed, the rollout goes on, and now and then somebody looks."""
    followed = Followed(world.reader)
    for _ in range(turns):
        for _ in range(int(world.random.integers(0, 12))):
            world.ask()
        world.wait(float(world.random.choice([0.2, 1.0, 4.0])))
        if world.happens(0.15) and world.now > BEGUN:
            world.step()
        if world.happens(0.15):
            world.seal(compact=world.happens(0.3))
        if world.happens(looks) and world.now > BEGUN:
            assert_as_whole(world, followed)
    world.wait(60.0)
    assert_as_whole(world, followed)
    return followed


WORLDS = st.tuples(
    st.integers(0, 2**32 - 1), st.sampled_from([RAMP, SPLIT, STICKY, SWITCH]), st.sampled_from([TIDY, UNTIDY, WILD])
)


@settings(max_examples=10, deadline=None)
@given(WORLDS, st.booleans())
def test_whenever_somebody_looks_it_is_as_if_everything_had_been_read(
    what: tuple[int, Plan, Habits], replayed: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        live(World(Path(folder), *what, replayed=replayed), 18)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(WORLDS, st.booleans())
def test_however_often_somebody_looks_for_a_long_time(what: tuple[int, Plan, Habits], replayed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        live(World(Path(folder), *what, replayed=replayed), 60)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([RAMP, SPLIT]), st.sampled_from([TIDY, UNTIDY]))
def test_where_the_first_answers_say_what_is_slow(seed: int, plan: Plan, habits: Habits) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), seed, plan, habits)
        world.rollout = msgspec.structs.replace(world.rollout, thresholds=())
        followed = live(world, 20)
        for _ in range(4):
            for _ in range(TIMED):
                world.ask()
            world.wait(1.0)
            seen = assert_as_whole(world, followed)
        assert seen.sample.setting.thresholds


@pytest.mark.parametrize("plan", [RAMP, SPLIT, STICKY, SWITCH])
def test_where_nothing_is_late_it_begins_once(tmp_path: Path, beginnings: Beginnings, plan: Plan) -> None:
    live(World(tmp_path, 3, plan, TIDY), 25)
    assert beginnings.count == 1


def test_a_label_in_time_is_counted_once_it_is_due(world: World, beginnings: Beginnings) -> None:
    followed = followed_for(world, 100)
    assert len(assert_as_whole(world, followed).sample.due_pairs) == 0
    world.wait(10.0)
    assert len(assert_as_whole(world, followed).sample.due_pairs) > 0
    assert beginnings.count == 1


def test_a_label_that_is_corrected_after_it_was_counted_is_counted_as_it_stands(
    world: World, beginnings: Beginnings
) -> None:
    followed = followed_for(world, 100)
    world.wait(60.0)
    before = assert_as_whole(world, followed)
    for number in range(20):
        world.tell(number, world.now, world.now, at=0, user=None, truth="no")
        world.tell(number, world.now + 1, world.now + 1, at=0, user=None, truth="yes")
    world.wait(0.1)
    after = assert_as_whole(world, followed)
    assert before.judged != after.judged
    for number in range(20):
        world.tell(number, world.now, world.now, at=0, user=None, truth="yes")
    world.wait(0.1)
    assert assert_as_whole(world, followed).judged == after.judged, "what says the same again changes nothing"
    assert beginnings.count == 1


def test_after_a_correction_what_came_before_it_is_not_counted_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = followed_for(world, 20)
    for _ in range(40):
        world.ask()
        world.wait(1.0)
        followed.look(world.rollout, world.scene, world.now)
    counted: list[int] = []
    after = Evidence.after

    def counting(evidence: Evidence, plan: Plan, new: Sample) -> Evidence:
        counted.append(len(new.due_arms))
        return after(evidence, plan, new)

    monkeypatch.setattr(Evidence, "after", counting)
    for first, least, most in ((38, 8, 25), (1, 25, 60)):
        for number in range(first, first + 5):
            world.tell(number, world.now, world.now, at=0, user=None, truth="neither")
        counted.clear()
        world.wait(0.5)
        followed.look(world.rollout, world.scene, world.now)
        assert least <= sum(counted) <= most
    monkeypatch.undo()
    assert_as_whole(world, followed)


def test_a_shadow_that_is_a_little_late_is_waited_for_and_a_very_late_one_costs_a_beginning(
    world: World, beginnings: Beginnings
) -> None:
    followed = followed_for(world, 50)
    for seconds, begun in ((LATE / SECOND - 2, 1), (LATE / SECOND + 2, 2)):
        number = len(world.asked)
        world.asked.append((number, world.now))
        caller = world.said(number, Role.LIVE, 1.0, "yes")
        world.write(Block([Input(ident(number), world.now, (1.0, "north"), f"r{number}", 0)], [caller], []))
        for _ in range(4):
            world.wait(seconds / 4)
            pairs = len(assert_as_whole(world, followed).sample.pairs)
        world.write(Block([], [world.said(number, Role.SHADOW, 1.0, "yes")], []))
        assert len(assert_as_whole(world, followed).sample.pairs) == pairs + 1
        assert beginnings.count == begun


@pytest.mark.parametrize("what", ["plan", "live", "maturity", "salt", "clock", "output"])
def test_what_is_other_than_it_was_is_read_anew(world: World, beginnings: Beginnings, what: str) -> None:
    followed = followed_for(world, 30)
    match what:
        case "plan":
            plan = msgspec.structs.replace(world.rollout.plan, guards=GUARDS[:2])
            world.rollout = msgspec.structs.replace(world.rollout, plan=plan)
        case "live":
            world.rollout = msgspec.structs.replace(world.rollout, live="late:9")
        case "maturity":
            world.scene = replace(world.scene, maturity_s=2.0)
        case "salt":
            other = msgspec.structs.replace(world.scene.traffic, salt="other")
            world.scene = replace(world.scene, traffic=other)
        case "output":
            world.scene = replace(world.scene, output=replace(world.scene.output, classes=("yes", "no")))
        case "clock":
            world.now = Micros(world.now - SECOND)
    assert_as_whole(world, followed)
    assert beginnings.count == 2


def test_a_look_that_fails_leaves_nothing_half_done(
    world: World, beginnings: Beginnings, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = followed_for(world, 30)
    with monkeypatch.context() as broken:
        broken.setattr(following, "read_off", raises)
        with pytest.raises(OSError, match="no more"):
            followed.look(world.rollout, world.scene, world.now)
    for _ in range(30):
        world.ask()
    world.wait(20.0)
    assert_as_whole(world, followed)
    assert beginnings.count == 2


def raises(*_: object) -> Weighed:
    raise OSError("no more")


def test_labels_that_name_a_key_are_read_whole(tmp_path: Path, beginnings: Beginnings) -> None:
    followed = live(World(tmp_path, 4, RAMP, Habits(by_entity=True)), 30)
    count = beginnings.count
    assert count <= 3, "not tried again and again"
    assert followed is not None


def test_what_people_said_is_read_whole(world: World) -> None:
    followed = followed_for(world, 60)
    world.write(Block([], [], [Label(ident(10**7), world.now, world.now, "no", input_id=ident(1), source="human")]))
    assert_as_whole(world, followed)
    world.wait(30.0)
    assert_as_whole(world, followed)


def test_guards_with_a_query_see_all_rows_at_every_look(tmp_path: Path, beginnings: Beginnings) -> None:
    guard = Guard(metric=Measure.SQL, margin=Margin(0.1, Unit.PLAIN), query=QUERY, cap=1.0)
    world = World(tmp_path, 5, msgspec.structs.replace(RAMP, guards=(guard,)))
    followed = followed_for(world, 60)
    world.wait(30.0)
    assert assert_as_whole(world, followed).judged[0].rows > 0
    assert beginnings.count == 0


def test_what_is_no_longer_under_way_is_forgotten(world: World, beginnings: Beginnings) -> None:
    followed = followed_for(world, 10)
    followed.keep([world.rollout])
    assert_as_whole(world, followed)
    assert beginnings.count == 1
    followed.keep([])
    assert_as_whole(world, followed)
    assert beginnings.count == 2


def test_a_look_reads_what_is_new_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    followed = followed_for(world, 300)
    world.wait(60.0)
    world.seal(compact=True)
    followed.look(world.rollout, world.scene, world.now)
    read: list[int] = []
    taken = ledger.Ledger.joined

    def counting(kept: Any, end: Micros) -> Any:
        table = taken(kept, end)
        read.append(len(table))
        return table

    monkeypatch.setattr(ledger.Ledger, "joined", counting)
    monkeypatch.setattr(Reader, "joined", raises)
    world.ask()
    world.wait(1.0)
    seen = followed.look(world.rollout, world.scene, world.now)
    assert len(seen.sample.arms) > 250
    assert read[0] <= 2


def test_before_anybody_asked_there_is_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, 6)
    world.wait(10.0)
    followed = Followed(world.reader)
    assert len(assert_as_whole(world, followed).sample.arms) == 0
    assert isinstance(world.rollout, Rollout)


def test_answers_before_their_input_wait_for_it(world: World, beginnings: Beginnings) -> None:
    followed = followed_for(world, 20)
    number = len(world.asked)
    world.write(Block([], [Answer(ident(number), LIVE, LIVE, Role.LIVE, 1.0, "yes", [0.2, 0.8], 100, 9)], []))
    before = len(assert_as_whole(world, followed).sample.arms)
    world.write(Block([Input(ident(number), world.now - 1, (1.0, "north"), f"r{number}", 0)], [], []))
    world.wait(1.0)
    assert len(assert_as_whole(world, followed).sample.arms) == before + 1
    assert beginnings.count == 1


def test_where_callers_stick_inputs_that_do_not_count_still_say_what_share_the_candidate_had(tmp_path: Path) -> None:
    world = World(tmp_path, 7, STICKY)
    world.wait(6.0)
    followed = Followed(world.reader)
    for number, (share, user) in enumerate(((0.0, "ann"), (0.2, "ann"), (0.5, "ann"), (None, "bob"))):
        row = Input(ident(number), world.now - 1, (1.0, "north"), f"r{number}", 0, entity=user)
        if share is None:
            row.refusal = Refusal("row", "runtime", "failed")
            world.write(Block([row], [], []))
        else:
            version, role, chance = (CANDIDATE, Role.CANARY, share) if share else (LIVE, Role.LIVE, 1.0)
            said = Answer(ident(number), version, version, role, chance, "yes", [0.2, 0.8], 100, 9)
            world.write(Block([row], [said], []))
        world.wait(10.0)
        seen = assert_as_whole(world, followed)
    assert seen.sample.arms.shares.tolist() == [0.0, 0.2, 0.5]


def followed_for(world: World, count: int) -> Followed:
    """So many inputs after the rollout began, and one look."""
    world.wait(6.0)
    for _ in range(count):
        world.ask()
        world.wait(0.02)
    world.wait(1.0)
    followed = Followed(world.reader)
    assert_as_whole(world, followed)
    return followed
