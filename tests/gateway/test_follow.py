"""The traffic is obeyed as far as its packages can be loaded, and what it names no more is given back."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.scenery import PLAIN, Silent, outputs

from headgate.errors import IntegrityError, RuntimeFailed
from headgate.gateway import follow
from headgate.gateway.follow import Follower, Manners
from headgate.gateway.metrics import Slab, SlabCollector
from headgate.gateway.residents import Residents
from headgate.gateway.view import Views
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT, Package
from headgate.runtimes.ports import Feeds, Outputs
from headgate.testing.memory import MemoryReports, MemoryTraffic
from headgate.traffic.traffic import Member, Shadow, Traffic
from headgate.vocabulary import Digest

SIGNATURE = Signature([ModelInput("X", "float32", ["a", "b"], [2])], [ModelOutput("p", "int64", [])], prediction="p")


class Place(Silent):
    """Where one package runs."""

    def __init__(self, digest: str, live: bool) -> None:
        self.digest, self.live = digest, live
        self.closed = False
        self.computes: asyncio.Event | None = None
        """Set once the call under way has ended: until then it cannot be given back."""
        self.problem_at_its_end: Exception | None = None
        self.asked: list[Feeds] = []
        self.problem: Exception | None = None

    async def run(self, feeds: Feeds) -> Outputs:
        self.asked.append(feeds)
        if self.problem is not None:
            raise self.problem
        return outputs(len(feeds["X"]))

    async def close(self) -> None:
        assert not self.closed, "given back twice"
        if self.computes is not None:
            await self.computes.wait()
        self.closed = True
        if self.problem_at_its_end is not None:
            raise self.problem_at_its_end


class Yard:
    """A follower, what it follows and what it opened."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.traffic, self.reports = MemoryTraffic(), MemoryReports()
        self.slab, self.folder = Slab(folder / "w0.slab"), folder
        self.views: Views = {}
        self.opened: list[tuple[str, bool]] = []
        self.places: list[Place] = []
        self.broken: set[str] = set()
        self.problem: Exception | None = None
        self.engine = Engine.ONNX
        self.gates: dict[str, threading.Event] = {}
        self.follower = Follower(
            source=self.traffic,
            packages=self,
            placement_for=self.place,
            reports=self.reports,
            worker="w0",
            slab=self.slab,
            views=self.views,
            rows_limit=10,
            replay=False,
            manners=Manners(**({"resident_seconds": 0.0} | settings)),
        )

    def open(self, digest: Digest) -> Package:
        if digest in self.broken:
            raise IntegrityError("model.onnx changed")
        return Package(Path(), Manifest(FORMAT, self.engine, "m", SIGNATURE, {}, {}), PLAIN, digest)

    def place(self, digest: str, live: bool) -> Place:
        if digest in self.gates:
            self.gates[digest].wait(10)
        self.opened.append((digest, live))
        self.places.append(Place(digest, live))
        self.places[-1].problem = self.problem
        return self.places[-1]

    def publish(self, shares: dict[str, float], *, live: str = "m:1", endpoint: str = "e", **more: Any) -> int:
        before = self.traffic.read().get(("default", endpoint))
        revision = (before.revision if before else 0) + 1
        members = [Member(each, each, weight, proved=True) for each, weight in shares.items()]
        self.traffic.swap(Traffic("default", endpoint, revision, live, members, "salt", **more), revision - 1)
        return revision

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():
                self.follower._wake.set()  # no test waits for a poll
                await asyncio.sleep(0.001)

    async def obeyed(self, revision: int, endpoint: str = "e") -> None:
        await self.until(lambda: self.reports.obeyed().get("w0", {}).get(f"default/{endpoint}") == revision)

    def metric(self, name: str) -> dict[str, float]:
        return {
            each.labels.get("version", ""): each.value
            for family in SlabCollector(self.folder).collect()
            for each in family.samples
            if each.name == name
        }

    @property
    def closed(self) -> list[str]:
        return [each.digest for each in self.places if each.closed]


def play(folder: Path, scene: Callable[[Yard], Awaitable[None]], *prepare: dict[str, float], **settings: Any) -> None:
    async def main() -> None:
        yard = Yard(folder, **settings)
        for shares in prepare:
            yard.publish(shares)
        async with asyncio.timeout(20):
            await yard.follower.start()
            try:
                await scene(yard)
            finally:
                await yard.follower.stop()
                assert all(each.closed for each in yard.places), "every model is given back at the end"
                yard.slab.close()

    asyncio.run(main())


def test_live_versions_are_there_when_it_has_started_and_others_follow(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        assert yard.follower.settled
        assert yard.opened[0] == ("m:2", True), "live first, whatever the order of the members"
        await yard.obeyed(1)
        assert sorted(yard.opened) == [("m:1", False), ("m:2", True)]

    def prepare(yard: Yard) -> None:
        yard.publish({"m:1": 0.5, "m:2": 0.5}, live="m:2")

    async def main() -> None:
        yard = Yard(tmp_path)
        prepare(yard)
        await yard.follower.start()
        await scene(yard)
        await yard.follower.stop()
        yard.slab.close()

    asyncio.run(main())


def test_a_model_that_still_computes_keeps_no_revision_waiting(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        await yard.obeyed(1)
        slow, gone = yard.places[1:]
        slow.computes, gone.problem_at_its_end = asyncio.Event(), ZeroDivisionError("scripted")
        revision = yard.publish({"m:1": 1.0})
        await yard.obeyed(revision)
        await yard.obeyed(yard.publish({"m:1": 0.5, "m:4": 0.5}))
        assert "m:4" in yard.views["default", "e"].seats
        await yard.until(lambda: gone.closed)
        assert not slow.closed
        slow.computes.set()
        await yard.until(lambda: slow.closed)

    play(tmp_path, scene, {"m:1": 0.5, "m:2": 0.25, "m:3": 0.25})


def test_nothing_published_is_nothing_to_wait_for(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        assert yard.follower.settled
        assert (yard.views, yard.reports.obeyed()) == ({}, {"w0": {}})
        yard.publish({"m:1": 1.0})
        await yard.obeyed(1)

    play(tmp_path, scene)


def test_a_live_version_that_cannot_be_loaded_does_not_keep_others_from_starting(tmp_path: Path) -> None:
    async def main() -> None:
        yard = Yard(tmp_path)
        yard.broken = {"m:1"}
        yard.publish({"m:1": 1.0})
        yard.publish({"m:2": 1.0}, live="m:2", endpoint="other")
        async with asyncio.timeout(10):
            await yard.follower.start()
        assert yard.follower.settled
        await yard.obeyed(1, "other")
        assert list(yard.views) == [("default", "other")]
        await yard.follower.stop()
        yard.slab.close()

    asyncio.run(main())


def test_what_could_not_be_loaded_is_tried_again_after_a_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(yard: Yard) -> None:
        yard.broken = {"m:2"}
        revision = yard.publish({"m:1": 0.5, "m:2": 0.5})
        await yard.obeyed(revision)  # tried once: its share is the live version's meanwhile
        view = yard.views["default", "e"]
        assert (view.assignment.arms, view.assignment.live_probability) == ((), 1.0)
        tries = len(yard.follower._failed_at)
        yard.broken.clear()
        for _ in range(20):
            yard.follower._wake.set()
            await asyncio.sleep(0.002)
        assert ("m:2", False) not in yard.opened, "not before it has rested"
        monkeypatch.setattr(follow, "RETRY_SECONDS", 0.0)
        await yard.until(lambda: [each.version for each in yard.views["default", "e"].assignment.arms] == ["m:2"])
        assert tries == 1
        assert yard.follower._failed_at == {}

    play(tmp_path, scene, {"m:1": 1.0})


def test_what_is_named_no_more_is_given_back_and_can_come_again(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        await yard.obeyed(yard.publish({"m:1": 0.5, "m:2": 0.5}))
        await yard.obeyed(yard.publish({"m:1": 1.0}))
        await yard.until(lambda: yard.closed == ["m:2"])
        await yard.obeyed(yard.publish({"m:1": 0.5, "m:2": 0.5}))
        assert [digest for digest, _ in yard.opened] == ["m:1", "m:2", "m:2"]
        assert yard.closed == ["m:2"]

    play(tmp_path, scene, {"m:1": 1.0})


def test_what_was_live_a_moment_ago_is_there_for_the_way_back_and_then_given_back(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2"))
        await yard.obeyed(yard.publish({"m:1": 1.0}))
        assert [digest for digest, _ in yard.opened] == ["m:1", "m:2"], "taking a swap back loads nothing"
        assert yard.closed == []
        await yard.obeyed(yard.publish({"m:3": 1.0}, live="m:3"))
        await yard.until(lambda: yard.closed == ["m:2"])
        assert "m:1" not in yard.closed, "one version is kept, the last"
        yard.follower._residents = Residents(0.0)
        await yard.until(lambda: yard.closed == ["m:1", "m:2"])

    play(tmp_path, scene, {"m:1": 1.0}, resident_seconds=60.0)


def test_what_runs_elsewhere_is_not_kept(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        yard.engine = Engine.PYTHON
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2"))
        await yard.obeyed(yard.publish({"m:3": 1.0}, live="m:3"))
        await yard.until(lambda: "m:2" in yard.closed)

    play(tmp_path, scene, {"m:1": 1.0}, resident_seconds=60.0)


def test_an_endpoint_that_is_gone_keeps_nothing(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2"))
        yard.traffic._kept.clear()
        yard.traffic._swaps += 1
        await yard.until(lambda: yard.closed == ["m:1", "m:2"])

    play(tmp_path, scene, {"m:1": 1.0}, resident_seconds=60.0)


def test_a_version_is_warmed_with_rows_that_were_asked_lately(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        view = yard.views["default", "e"]
        view.recent.extend([(1.0, 2.0), (3.0, 4.0)])
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2"))
        (first, second) = yard.places
        assert first.asked == [], "nobody had asked anything yet"
        assert [{name: rows.tolist() for name, rows in each.items()} for each in second.asked] == [
            {"X": [[1.0, 2.0], [3.0, 4.0]]}
        ] * follow.WARM_CALLS
        assert list(yard.views["default", "e"].recent) == [(1.0, 2.0), (3.0, 4.0)], "for the one after it"

    play(tmp_path, scene, {"m:1": 1.0})


@pytest.mark.parametrize("row", [(1.0, 2.0), (1.0,), ("a", None)])
@pytest.mark.parametrize("problem", [RuntimeFailed("too much"), TypeError("no number"), None])
def test_a_version_that_cannot_answer_those_rows_serves_all_the_same(
    tmp_path: Path, row: tuple[object, ...], problem: Exception | None
) -> None:
    async def scene(yard: Yard) -> None:
        yard.views["default", "e"].recent.append(row)
        yard.problem = problem
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2"))

    play(tmp_path, scene, {"m:1": 1.0})


def test_gateways_take_turns_beside_live_traffic_alone(tmp_path: Path) -> None:
    turns: list[str] = []

    @contextmanager
    def turn() -> Iterator[None]:
        turns.append("taken")
        yield
        turns.append("given back")

    async def scene(yard: Yard) -> None:
        assert turns == [], "at the start nobody is answered yet"
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2"))
        assert turns == ["taken", "given back"]
        await yard.obeyed(yard.publish({"m:2": 0.5, "m:3": 0.5}, live="m:2"))
        assert len(turns) == 2, "what runs elsewhere loads there"

    play(tmp_path, scene, {"m:1": 1.0}, turn=turn)


def test_a_weight_of_nothing_keeps_a_version_loaded_for_the_way_back(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        await yard.obeyed(yard.publish({"m:1": 0.5, "m:2": 0.5}))
        await yard.obeyed(yard.publish({"m:1": 1.0, "m:2": 0.0}))
        await yard.obeyed(yard.publish({"m:1": 0.9, "m:2": 0.1}))
        assert (len(yard.opened), yard.closed) == (2, [])

    play(tmp_path, scene, {"m:1": 1.0})


def test_an_endpoint_that_is_gone_is_answered_no_more(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        yard.traffic._kept.clear()
        yard.traffic._swaps += 1
        await yard.until(lambda: yard.views == {})
        await yard.until(lambda: yard.closed == ["m:1"])
        assert yard.reports.obeyed()["w0"] == {}

    play(tmp_path, scene, {"m:1": 1.0})


def test_two_endpoints_share_a_package_until_neither_names_it(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        await yard.obeyed(yard.publish({"m:1": 1.0}, endpoint="other"), "other")
        assert yard.opened == [("m:1", True)]
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2"))
        await asyncio.sleep(0.01)
        assert yard.closed == []
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2", endpoint="other"), "other")
        await yard.until(lambda: yard.closed == ["m:1"])

    play(tmp_path, scene, {"m:1": 1.0})


def test_a_canary_that_became_live_moves_to_the_better_place(tmp_path: Path) -> None:
    """A live version earns its place in the gateway; until it is loaded there, it answers from where it is."""

    async def scene(yard: Yard) -> None:
        await yard.obeyed(yard.publish({"m:1": 0.5, "m:2": 0.5}))
        assert ("m:2", False) in yard.opened
        yard.gates["m:2"] = threading.Event()
        revision = yard.publish({"m:1": 0.0, "m:2": 1.0}, live="m:2")
        await yard.obeyed(revision)
        assert not yard.views["default", "e"].live.served.earned
        yard.gates["m:2"].set()
        await yard.until(lambda: yard.views["default", "e"].live.served.earned)
        await yard.until(lambda: yard.closed == ["m:2"])
        assert [each.live for each in yard.places if each.closed] == [False]

    play(tmp_path, scene, {"m:1": 1.0})


def test_a_package_is_kept_while_requests_of_an_old_view_are_under_way(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        old = yard.views["default", "e"]
        old.waiting = 1
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2"))
        for _ in range(10):
            yard.follower._wake.set()
            await asyncio.sleep(0.002)
        assert yard.closed == []
        old.waiting = 0
        await yard.until(lambda: yard.closed == ["m:1"])

    play(tmp_path, scene, {"m:1": 1.0})


def test_a_source_that_fails_for_a_while_ends_nothing(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        read, failed = yard.traffic.read, []

        def failing() -> Any:
            failed.append(1)
            raise OSError("the disk is away")

        yard.publish({"m:1": 1.0, "m:2": 0.0})
        yard.traffic.read = failing  # type: ignore[method-assign]
        await yard.until(lambda: len(failed) >= 2)
        assert yard.views["default", "e"].traffic.revision == 1
        yard.traffic.read = read  # type: ignore[method-assign]
        await yard.obeyed(2)

    play(tmp_path, scene, {"m:1": 1.0})


def test_unproved_members_are_not_even_loaded(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        members = [
            Member("m:1", "m:1", 0.5, proved=True),
            Member("m:2", "m:2", 0.5),
            Member("m:3", "m:3", 0, forced=True),
        ]
        yard.traffic.swap(Traffic("default", "e", 2, "m:1", members, "salt"), 1)
        await yard.obeyed(2)
        await yard.until(lambda: ("m:3", False) in yard.opened)
        assert ("m:2", False) not in yard.opened

    play(tmp_path, scene, {"m:1": 1.0})


def shadowed(yard: Yard, *members: Member, **more: Any) -> int:
    """Published: these beside a live m:1, with m:2 as the shadow of all it answers."""
    before = yard.traffic.read()["default", "e"].revision
    everybody = [Member("m:1", "m:1", 1.0, proved=True), *members]
    more.setdefault("shadows", [Shadow("m:2", 1.0)])
    yard.traffic.swap(Traffic("default", "e", before + 1, "m:1", everybody, "salt", **more), before)
    return before + 1


def shadows_of(yard: Yard) -> list[tuple[str, float]]:
    return [(seat.version, share.share) for seat, share in yard.views["default", "e"].shadows]


def test_a_shadow_is_loaded_unproved_and_before_its_revision_is_obeyed(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        gate = yard.gates["m:2"] = threading.Event()
        revision = shadowed(yard, Member("m:2", "m:2"))
        for _ in range(20):
            yard.follower._wake.set()
            await asyncio.sleep(0.002)
        assert yard.reports.obeyed()["w0"]["default/e"] == revision - 1
        assert shadows_of(yard) == []
        gate.set()
        await yard.obeyed(revision)
        assert ("m:2", False) in yard.opened
        assert shadows_of(yard) == [("m:2", 1.0)]
        assert yard.metric("headgate_shadow_share") == {"m:2": 1.0}
        assert yard.metric("headgate_shadow_failures_total") == {"m:2": 0.0}
        await yard.obeyed(shadowed(yard, Member("m:2", "m:2"), shadows=[]))
        assert yard.metric("headgate_shadow_share") == {"m:2": 0.0}

    play(tmp_path, scene, {"m:1": 1.0})


def test_a_shadow_that_cannot_be_loaded_holds_up_no_revision(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        yard.broken = {"m:2"}
        await yard.obeyed(shadowed(yard, Member("m:2", "m:2")))
        assert shadows_of(yard) == []

    play(tmp_path, scene, {"m:1": 1.0})


def test_a_package_is_kept_while_a_shadow_of_an_old_view_is_asked(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        await yard.obeyed(shadowed(yard, Member("m:2", "m:2")))
        old = yard.views["default", "e"]
        old.shadowing = 3
        await yard.obeyed(shadowed(yard))
        for _ in range(10):
            yard.follower._wake.set()
            await asyncio.sleep(0.002)
        assert yard.closed == []
        assert sum(yard.follower.waiting().values()) == 0, "no caller waits"
        old.shadowing = 0
        await yard.until(lambda: yard.closed == ["m:2"])

    play(tmp_path, scene, {"m:1": 1.0})


def test_a_member_without_weight_may_load_after_the_revision_is_obeyed(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        yard.gates["m:2"] = threading.Event()
        await yard.obeyed(yard.publish({"m:1": 1.0, "m:2": 0.0}))
        assert ("m:2", False) not in yard.opened
        yard.gates["m:2"].set()

    play(tmp_path, scene, {"m:1": 1.0})


def test_metrics_say_what_is_obeyed(tmp_path: Path) -> None:
    async def scene(yard: Yard) -> None:
        await yard.obeyed(yard.publish({"m:1": 0.75, "m:2": 0.25}))
        assert yard.metric("headgate_traffic_weight") == {"m:1": 0.75, "m:2": 0.25}
        assert yard.metric("headgate_model_info") == {"m:1": 1.0, "m:2": 1.0}
        assert yard.metric("headgate_traffic_revision") == {"": 2.0}
        assert yard.metric("headgate_model_load_duration_seconds_count") == {"": 2.0}
        await yard.obeyed(yard.publish({"m:2": 1.0}, live="m:2"))
        await yard.until(lambda: yard.metric("headgate_model_info") == {"m:1": 0.0, "m:2": 1.0})
        assert yard.metric("headgate_traffic_weight") == {"m:1": 0.0, "m:2": 1.0}

    play(tmp_path, scene, {"m:1": 1.0})
