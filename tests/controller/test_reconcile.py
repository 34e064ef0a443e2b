"""The controller over an in-memory installation: aliases and proof move traffic, and a lost race is no harm."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from headgate.clock import HeldClock
from headgate.controller.declared import Declared
from headgate.controller.lockstep import Lockstep
from headgate.controller.reconcile import Controller
from headgate.errors import BadInput, IntegrityError, NotFound, Unavailable
from headgate.registry.packages import PackageStore
from headgate.registry.ports import Evaluation, Version
from headgate.registry.registry import Registry
from headgate.store.stillness import FileStillness
from headgate.testing.memory import MemoryReports, MemoryStore, MemoryTraffic
from headgate.traffic.endpoint import load_endpoint
from headgate.traffic.traffic import Policy, Shadow, Traffic
from headgate.vocabulary import Ack, Micros

SPEC = "endpoint: late\nmodel: delay@champion\n"
KEY = ("default", "late")


class World:
    """Two registered versions, the first one proved and the champion, and one endpoint file."""

    def __init__(self, root: Path) -> None:
        self.store = MemoryStore()
        self.clock = HeldClock(Micros(1))
        self.traffic = MemoryTraffic()
        self.reports = MemoryReports()
        self.stillness = FileStillness(root / "stillness")
        registry = Registry(self.store, PackageStore(root), self.clock)
        for digest in ("sha256:1", "sha256:2"):
            self.store.add_version(Version("default", "delay", 0, digest, Micros(0), "onnx", "binary"))
        self.prove("delay:1")
        self.store.set_alias("default", "delay", "champion", 1)
        self.store.put_endpoint("default", "late", SPEC)
        self.declared = Declared(self.store, registry, lambda: b"s" * 32, self.store)
        self.controller = Controller(declared=self.declared, traffic=self.traffic, events=self.store, clock=self.clock)

    def prove(self, version: str) -> None:
        self.store.add_evaluation(Evaluation("default", version, Micros(0), True, b"{}"))

    def published(self) -> Traffic:
        return self.traffic.read()[KEY]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_endpoint_is_published_once_and_then_left_alone(world: World) -> None:
    assert len(world.controller.reconcile()) == 1
    assert world.controller.reconcile() == ()
    assert world.published().live == "delay:1"
    assert world.published().members[0].proved


def test_moving_the_alias_moves_the_traffic_at_the_next_turn(world: World) -> None:
    world.controller.reconcile()
    world.prove("delay:2")
    world.store.set_alias("default", "delay", "champion", 2)
    world.controller.reconcile()
    assert (world.published().revision, world.published().live) == (2, "delay:2")


def test_what_nobody_proved_does_not_become_live_by_being_the_newest_or_by_an_alias(world: World) -> None:
    world.controller.reconcile()
    world.store.set_alias("default", "delay", "champion", 2)
    assert world.controller.reconcile() == ()
    world.store.put_endpoint("default", "late", "endpoint: late\nmodel: delay\n", SPEC)
    assert world.controller.reconcile() == ()
    assert world.published().live == "delay:1", "callers go on getting answers"
    world.prove("delay:2")
    world.controller.reconcile()
    assert world.published().live == "delay:2"


def test_gateways_feel_a_beat_while_rollouts_are_watched_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = [True]
    watching = Controller(
        declared=world.declared, traffic=world.traffic, events=world.store, clock=world.clock, watches=watched.pop
    )
    assert world.traffic.pulse() == 0
    world.controller.reconcile()
    assert world.traffic.pulse() == 0, "whoever publishes once watches over nothing"
    watching.reconcile()
    assert world.traffic.pulse() == 1
    watched.append(False)
    watching.reconcile()
    assert world.traffic.pulse() == 1
    watched.append(True)
    monkeypatch.setattr(world.declared, "traffic", lambda: (_ for _ in ()).throw(Unavailable("the store is down")))
    with pytest.raises(Unavailable):
        watching.reconcile()
    assert world.traffic.pulse() == 1, "and neither does whoever cannot read the store"


def test_a_file_nobody_can_read_keeps_no_other_endpoint_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.store.put_endpoint("default", "early", SPEC.replace("late", "early"))
    swap = world.traffic.swap

    def damaged(traffic: Traffic, expected: int) -> None:
        if traffic.endpoint == "early":
            raise IntegrityError("early.json cannot be read as traffic")
        swap(traffic, expected)

    monkeypatch.setattr(world.traffic, "swap", damaged)
    assert [each.traffic.endpoint for each in world.controller.reconcile()] == ["late"]


def test_a_split_keeps_the_live_version_as_a_member(world: World) -> None:
    split = SPEC + "traffic:\n  split:\n  - {version: delay:1, weight: 0.75}\n  - {version: delay:2, weight: 0.25}\n"
    world.store.put_endpoint("default", "late", split, SPEC)
    world.controller.reconcile()
    weights = {each.version: (each.weight, each.proved) for each in world.published().members}
    assert weights == {"delay:1": (0.75, True), "delay:2": (0.25, False)}


def test_an_unproved_version_is_named_until_it_is_forced(world: World) -> None:
    spec = load_endpoint(SPEC.replace("@champion", ":2"), "test")
    assert world.declared.unproved(spec) == ["delay:2"]
    forced = world.declared.forced(spec)
    assert forced.forced == ["delay:2"]
    assert world.declared.unproved(forced) == []


def test_an_endpoint_whose_model_is_gone_is_left_as_it_is(world: World) -> None:
    world.controller.reconcile()
    world.store.put_endpoint("default", "late", "endpoint: late\nmodel: vanished\n", SPEC)
    assert world.controller.reconcile() == ()
    assert world.published().live == "delay:1"


def test_a_race_lost_to_another_writer_is_decided_again(world: World) -> None:
    world.controller.reconcile()
    present = world.published()
    world.prove("delay:2")
    world.store.set_alias("default", "delay", "champion", 2)
    stale = world.traffic.read

    def read_before_the_other_wrote() -> dict[tuple[str, str], Traffic]:
        world.traffic.read = stale  # type: ignore[method-assign]  # only the first look is stale
        return {KEY: msgspec.structs.replace(present, revision=0)}

    world.traffic.read = read_before_the_other_wrote  # type: ignore[method-assign]
    assert world.controller.reconcile() == ()
    assert len(world.controller.reconcile()) == 1
    assert world.published().live == "delay:2"


def test_an_unknown_endpoint_says_what_there_is(world: World) -> None:
    with pytest.raises(NotFound, match="late"):
        world.declared.spec("default", "early")


def lockstep(world: World, patience: float = 5.0) -> Lockstep:
    tick = world.controller.reconcile
    return Lockstep(world.clock, tick, world.traffic, world.reports, world.stillness, patience=patience)


def with_stragglers(world: World, rest: float = 5.0) -> Lockstep:
    """Two workers that obey traffic in which the second version is a shadow, and a controller that only looks on."""
    world.controller.reconcile()
    world.traffic.swap(msgspec.structs.replace(world.published(), revision=2, shadows=[Shadow("delay:2", 1.0)]), 1)
    for worker in ("a", "b"):
        world.reports.report(worker, {"default/late": 2})
    return Lockstep(world.clock, list, world.traffic, world.reports, world.stillness, rest=rest)


def test_a_step_returns_when_every_worker_obeys(world: World) -> None:
    world.reports.report("a", {"default/late": 1})
    world.reports.report("b", {"default/late": 1})
    assert lockstep(world).advance(Micros(5)) == {"a": {"default/late": 1}, "b": {"default/late": 1}}
    assert world.clock.now() == 5


def test_a_step_names_the_worker_that_does_not_follow(world: World) -> None:
    world.reports.report("a", {"default/late": 1})
    world.reports.report("b", {"default/late": 0})
    with pytest.raises(Unavailable, match="b"):
        lockstep(world, patience=0.01).advance(Micros(5))


def test_a_step_without_workers_is_no_step(world: World) -> None:
    with pytest.raises(Unavailable, match="no worker"):
        lockstep(world, patience=0.01).advance(Micros(5))


def test_a_step_waits_until_shadows_have_said_what_they_have_to_say(world: World) -> None:
    steps, was = with_stragglers(world), world.clock.now()
    with ThreadPoolExecutor(1) as pool:
        step = pool.submit(steps.advance, Micros(was + 5))
        while not world.stillness.asked():
            time.sleep(0.001)
        world.stillness.tell("a", 1)
        time.sleep(0.05)
        assert not step.done(), "the other worker is not at rest"
        assert world.clock.now() == was, "nobody judges by the new moment what is not all there"
        world.stillness.tell("b", 1)
        assert step.result(5).keys() == {"a", "b"}
    assert world.clock.now() == was + 5


def test_a_rest_of_an_earlier_step_says_nothing_of_this_one(world: World) -> None:
    steps, was = with_stragglers(world, rest=0.05), world.clock.now()
    earlier = world.stillness.ask()
    for worker in ("a", "b"):
        world.stillness.tell(worker, earlier)
    with pytest.raises(Unavailable, match="comes to rest: a, b"):
        steps.advance(Micros(was + 5))
    assert world.clock.now() == was


@pytest.mark.parametrize(("ack", "asked"), [(Ack.DURABLE, 0), (Ack.BUFFERED, 1)])
def test_nobody_is_asked_where_everything_is_written_before_the_reply(world: World, ack: Ack, asked: int) -> None:
    steps = with_stragglers(world)
    world.traffic.swap(msgspec.structs.replace(world.published(), revision=3, shadows=[], policy=Policy(ack=ack)), 2)
    for worker in ("a", "b"):
        world.reports.report(worker, {"default/late": 3})
        world.stillness.tell(worker, 1)
    steps.advance(Micros(world.clock.now() + 5))
    assert world.stillness.asked() == asked


def test_a_move_is_told_before_it_is_made(world: World) -> None:
    world.reports.report("a", {"default/late": 1})
    told: list[tuple[int, int, int, str]] = []
    steps = Lockstep(
        world.clock,
        world.controller.reconcile,
        world.traffic,
        world.reports,
        world.stillness,
        noted=lambda was, to, who: told.append((world.clock.now(), was, to, who)),
    )
    was = world.clock.now()
    steps.advance(Micros(was + 5), "key default/ops")
    steps.advance(Micros(was + 5), "key default/ops")
    assert told == [(was, was, was + 5, "key default/ops")], "once: standing still is no move"
    with pytest.raises(BadInput):
        steps.advance(Micros(was), "key default/ops")
    assert len(told) == 1


def test_time_never_goes_back(world: World) -> None:
    world.reports.report("a", {"default/late": 1})
    steps = lockstep(world)
    steps.advance(Micros(5))
    with pytest.raises(BadInput, match="never goes back"):
        steps.advance(Micros(4))


def test_what_is_published_is_prepared_before_gateways_can_read_of_it(world: World) -> None:
    prepared: list[tuple[int, int]] = []

    def prepare(traffic: Traffic) -> None:
        prepared.append((traffic.revision, len(world.traffic.read())))

    controller = Controller(
        declared=world.declared, traffic=world.traffic, events=world.store, clock=world.clock, prepare=prepare
    )
    controller.reconcile()
    controller.reconcile()
    assert prepared == [(1, 0)]
