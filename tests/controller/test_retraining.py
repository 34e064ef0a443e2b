"""The loop's turn over a store in memory and parts that do as they are told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from headgate.clock import HeldClock
from headgate.controller.retraining import Retraining, Sources
from headgate.errors import BadInput, HeadgateError, Unavailable
from headgate.retraining.ports import Doing, Parts, Progress, Rolled, Rolling
from headgate.retraining.run import Call, Cutting, Learning, Outcome, Probed, Proved, Run, Source, Stage
from headgate.retraining.trigger import Facts
from headgate.testing.memory import MemoryStore
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import RetrainingWords
from headgate.vocabulary import DAY, Digest, Micros

NOW = Micros(100 * DAY)
WHERE = ("default", "late")
KEEP = Probed(verdict="keep", why="nothing speaks against it", rows=9, at=NOW, over=True)


@dataclass
class World:
    """All parts of one endpoint; each step goes well unless a test says otherwise."""

    clock: HeldClock = field(default_factory=lambda: HeldClock(NOW))
    store: MemoryStore = field(default_factory=MemoryStore)
    live: str = "late:1"
    done: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    learning: Doing = Doing.LEARNED
    rolling: Rolling = Rolling.PROMOTED
    probed: Probed = KEEP
    published: int = 0

    def loop(self) -> Retraining:
        """The loop as whoever comes after a death makes it anew."""
        spec = EndpointSpec("late", "late:1", retraining=RetrainingWords(when="message"))
        parts = Parts(self, self, self, self, self, self)
        sources = Sources(lambda: [spec], lambda _: self.live, self.facts)
        return Retraining(sources, self.store, lambda _: parts, self.clock, moved=self.publish)

    def turn(self, days: float = 0) -> Run:
        """A turn after so many days; the newest run."""
        self.clock.move_to(Micros(self.clock.now() + round(days * DAY)))
        self.loop().turn(at_once=True)
        return self.store.runs(*WHERE)[-1]

    def call(self, source: Source = Source.PERSON, key: str = "k") -> None:
        said = Call(endpoint="late", source=source, at=self.clock.now(), why="it is time", who="ann", key=key)
        self.store.add_call(said)

    def publish(self) -> None:
        self.published += 1

    def facts(self, spec: EndpointSpec, runs: Sequence[Run], now: Micros) -> Facts:
        calls = self.store.calls(*WHERE, runs[-1].fired if runs else Micros(0))
        return Facts(now=now, live=self.live, calls=calls, runs=runs)

    def _does(self, what: str) -> None:
        self.done.append(what)
        if what in self.fails:
            raise self.fails[what]

    def cut(self, run: Run, spec: EndpointSpec, now: Micros, enough: Callable[[], None]) -> Cutting:
        enough()
        self._does("cut")
        return Cutting(digest=Digest("sha256:0"), choice="everything", why="all", as_of=now, end=now, rows=900)

    def prepare(self, run: Run, spec: EndpointSpec) -> None:
        self.done.append("prepare")

    def learn(self, run: Run, spec: EndpointSpec) -> Progress:
        self._does("learn")
        return Progress(doing=self.learning, learned=Learning(model="m.onnx"))

    def cancel(self, run: Run) -> None:
        self.done.append("cancel")

    def log(self, run: Run) -> str:
        return ""

    def register(self, run: Run, spec: EndpointSpec) -> str:
        self._does("register")
        return "late:2"

    def prove(self, run: Run, spec: EndpointSpec) -> Proved:
        self._does("prove")
        return Proved(outcome="passed", may_promote=True, why="it loses less", rows=300, at=run.entered)

    def known(self, run: Run, spec: EndpointSpec, now: Micros) -> int:
        return 0

    def roll_out(self, run: Run, spec: EndpointSpec) -> Rolled:
        self._does("roll_out")
        if self.rolling is Rolling.PROMOTED:
            self.live = "late:2"
        return Rolled(number=1, doing=self.rolling, at=self.clock.now(), why="guards")

    def abort(self, run: Run, why: str) -> None:
        self.done.append("abort")

    def settle(self, run: Run, why: str) -> None:
        self._does("settle")

    def take_back(self, run: Run, why: str) -> None:
        self._does("take_back")
        self.live = "late:1"

    def probe(self, run: Run, spec: EndpointSpec, now: Micros) -> Probed:
        self._does("probe")
        return self.probed


@pytest.fixture
def world() -> World:
    return World()


def test_a_run_goes_through_all_its_stages(world: World) -> None:
    world.call()
    run = world.turn()
    assert (run.outcome, run.challenger, run.number) == (Outcome.PROMOTED, "late:2", 1)
    assert world.done == ["prepare", "cut", "learn", "register", "prove", "roll_out", "settle", "probe"]
    told = [(each.before, each.after) for each in reversed(world.store.events("default", "late"))]
    assert told[0] == ("", "fired")
    assert told[-1] == ("probation", "promoted")
    assert world.published
    assert all(each.details["run"] == 1 for each in world.store.events("default", "late"))


def test_nothing_happens_without_a_reason(world: World) -> None:
    assert world.loop().turn(at_once=True) == []
    assert world.store.runs() == []


def test_two_reasons_at_once_are_one_run_and_a_message_is_held_up_by_the_cooldown(world: World) -> None:
    world.learning = Doing.RUNNING
    world.call(Source.MESSAGE, "1")
    world.loop().turn()
    world.call(Source.PERSON, "2")
    world.call(Source.DATA, "3")
    world.loop().turn()
    [run] = world.store.runs(*WHERE)
    assert [each.key for each in run.firings] == ["1", "2"], "news of data came after its rows were cut"
    world.learning = Doing.FAILED
    world.loop().turn(at_once=True)
    world.call(Source.MESSAGE, "4")
    assert world.turn(days=9).number == 1
    assert world.turn(days=1).number == 2


@pytest.mark.parametrize("what", ["cut", "learn", "register", "prove", "roll_out"])
def test_a_stage_that_says_no_ends_the_run(world: World, what: str) -> None:
    world.fails[what] = BadInput("rows", "few", "there are too few")
    world.call()
    run = world.turn()
    assert (run.outcome, run.why) == (Outcome.FAILED, "rows: there are too few")
    assert world.live == "late:1"
    assert ("cancel" in world.done) == (what == "cut"), "its recipe was begun for a training set that never comes"
    assert world.turn() == run


@pytest.mark.parametrize("trouble", [Unavailable("the database is away"), OSError("no space left")])
@pytest.mark.parametrize("what", ["cut", "register", "prove", "roll_out", "settle"])
def test_what_passes_is_tried_again_and_what_does_not_ends_the_run(world: World, what: str, trouble: Exception) -> None:
    world.fails[what] = trouble
    world.call()
    before = world.turn()
    assert not before.ended
    del world.fails[what]
    assert world.turn(days=0.5).outcome is Outcome.PROMOTED
    again = World(fails={what: trouble})
    again.call()
    assert not again.turn().ended
    ended = again.turn(days=31)
    assert ended.ended
    assert str(trouble) in ended.why
    assert isinstance(trouble, HeadgateError) or "OSError" in ended.why


def test_a_turn_without_a_replay_waits_for_no_recipe(world: World) -> None:
    world.learning = Doing.RUNNING
    world.call()
    world.loop().turn()
    [run] = world.store.runs(*WHERE)
    assert run.stage is Stage.LEARNING


def test_a_rollout_that_is_taken_back_leaves_the_champion(world: World) -> None:
    world.rolling = Rolling.RUNNING
    world.call()
    assert world.turn().stage is Stage.ROLLING_OUT
    world.rolling = Rolling.ROLLED_BACK
    assert world.turn().outcome is Outcome.KEPT_CHAMPION


def test_whoever_cancels_ends_recipe_and_rollout(world: World) -> None:
    world.rolling = Rolling.RUNNING
    world.call()
    run = world.turn()
    world.store.keep_run(run.with_(cancelled="not now"), run.revision)
    ended = world.turn()
    assert (ended.outcome, ended.why) == (Outcome.CANCELLED, "not now")
    assert world.done[-2:] == ["cancel", "abort"]


def test_a_promoted_version_that_loses_more_is_taken_back(world: World) -> None:
    world.probed = Probed(verdict="undecided", why="it goes on", at=NOW)
    world.call()
    assert world.turn().stage is Stage.PROBATION
    world.probed = Probed(verdict="take_back", why="it loses more", rows=400, at=NOW)
    run = world.turn(days=1)
    assert (run.outcome, world.live) == (Outcome.TAKEN_BACK, "late:1")
    assert "it loses more" in run.why
    assert world.done.count("take_back") == 1


def test_labels_that_come_after_probation_take_it_back_too(world: World) -> None:
    world.call()
    assert world.turn().outcome is Outcome.PROMOTED
    world.probed = Probed(verdict="take_back", why="late labels say so", rows=400, at=NOW)
    assert world.turn(days=6).outcome is Outcome.PROMOTED
    assert world.turn(days=1).outcome is Outcome.TAKEN_BACK
    assert world.live == "late:1"


def test_somebody_who_deploys_meanwhile_supersedes_it(world: World) -> None:
    world.learning = Doing.RUNNING
    world.call()
    world.loop().turn()
    world.live = "late:7"
    run = world.turn()
    assert run.outcome is Outcome.SUPERSEDED
    assert "late:7" in run.why
    assert world.done[-1] == "cancel"


def test_a_rollout_that_promoted_before_it_was_noted_is_its_own(world: World) -> None:
    world.rolling = Rolling.RUNNING
    world.call()
    run = world.turn()
    world.store.keep_run(run.with_(rollout=None), run.revision)  # killed between the rollout's begin and the note
    world.live, world.rolling = "late:2", Rolling.PROMOTED
    assert world.turn().outcome is Outcome.PROMOTED


def test_a_probation_is_looked_at_once_a_day_and_once_its_labels_are_due(world: World) -> None:
    world.probed = Probed(verdict="undecided", why="it goes on", at=NOW)
    world.call()
    world.turn()
    looked = [world.done.count("probe")]
    for days in (0.25, 0.25, 0.5, 0.5, 0.5):
        world.probed = Probed(verdict="undecided", why="it goes on", at=Micros(world.clock.now() + round(days * DAY)))
        world.turn(days)
        looked.append(world.done.count("probe"))
    assert looked == [1, 1, 1, 2, 2, 3]
