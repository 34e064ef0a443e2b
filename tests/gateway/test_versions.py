"""Versions that are not live cannot hurt a caller; no answer ever belongs to another row or version."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from headgate.gateway.follow import Manners
from headgate.runtimes.failure import failed
from headgate.runtimes.ports import Feeds, Outputs, Placement, Runtime
from headgate.testing.scripted import linear_weights
from headgate.traffic.traffic import Member

PREDICT = "/v1/endpoints/e/predict"
ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}


class Scripted(Placement):
    """A placement off the loop that does what `act` says; a regression of the first field would be too plain."""

    def __init__(self, act: Callable[[Feeds], Any], bias: float) -> None:
        self.act = act
        self.bias = bias
        self.sizes: list[int] = []
        self.closed = False

    @property
    def inline(self) -> Runtime | None:
        return None

    async def run(self, feeds: Feeds) -> Outputs:
        self.sizes.append(len(feeds["X"]))
        result = self.act(feeds)
        if asyncio.iscoroutine(result):
            await result
        yes = 1 / (1 + np.exp(-(feeds["X"].astype(float) @ linear_weights(feeds["X"].shape[1]) + self.bias)))
        scores = np.stack([1 - yes, yes], axis=1)
        return Outputs((yes > 0.5).astype(int), scores, {}, 5)

    async def close(self) -> None:
        self.closed = True


def nothing(_: Feeds) -> None:
    return None


def fail(_: Feeds) -> None:
    raise failed(ValueError("scripted"))


def hang(_: Feeds) -> Any:
    return asyncio.sleep(3600)


def with_canary(placement: Scripted, weight: float = 1.0, **more: Any) -> Callable[[Any], None]:
    def prepare(town: Any) -> None:
        canary = town.linear(bias=placement.bias)
        town.placements[canary] = placement
        members = [
            Member("m:1", town.linear(), 1.0 - weight, proved=True),
            Member("m:2", canary, weight, proved=True),
        ]
        town.publish(members, **more)

    return prepare


def test_the_live_version_answers_for_a_canary_that_fails(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        reply = await caller.post(PREDICT, {"rows": [ROW, ROW]})
        assert [each["version"] for each in reply.json["predictions"]] == ["m:1", "m:1"]
        assert {(each.assigned, each.answered, each.role, each.fallback) for each in town.journal.answers} == {
            ("m:2", "m:1", "canary", "failed")
        }
        assert len(town.journal.inputs) == 2

    play(with_canary(Scripted(fail, 9.0)), scene)


def test_the_live_version_answers_for_a_canary_that_hangs_within_the_deadline(play: Any) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        reply = await caller.post(PREDICT, {"rows": [ROW], "deadline_ms": 400})
        assert reply.json["predictions"][0]["version"] == "m:1"
        (answer,) = town.journal.answers
        assert (answer.assigned, answer.fallback) == ("m:2", "late")
        assert 200_000 <= answer.latency_us <= 400_000

    play(with_canary(Scripted(hang, 9.0)), scene)


def test_a_live_version_that_fails_says_so_and_is_remembered(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(PREDICT, {"rows": [ROW]})
        assert (reply.status, reply.json["error"]["rule"]) == (503, "runtime")
        (record,) = town.journal.inputs
        assert record.refusal is not None
        assert record.refusal.rule == "runtime"

    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = Scripted(fail, 0.0)
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    play(prepare, scene)


def test_a_version_the_caller_named_has_no_stand_in(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        tensor = {"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}
        async with asyncio.timeout(5):
            while (await caller.ask("GET", "/v2/models/e/versions/2/ready")).status != 200:
                await asyncio.sleep(0.005)
        reply = await caller.post("/v2/models/e/versions/2/infer", {"inputs": [tensor]})
        assert reply.status == 503
        assert town.journal.answers == []

    play(with_canary(Scripted(fail, 9.0), weight=0.0), scene)


def test_one_poisonous_row_fails_alone_and_its_value_stays_with_the_operator(play: Any, caplog: Any) -> None:
    def poison(feeds: Feeds) -> None:
        if (feeds["X"][:, 0] < 0).any():
            raise failed(ValueError("negative -17.5"))

    async def scene(town: Any) -> None:
        caller = await town.call()
        rows = [{**ROW, "f0": -1.0 if i == 5 else float(i)} for i in range(16)]
        reply = await caller.post(PREDICT, {"rows": rows})
        found = [each.get("error", {}).get("rule", "") for each in reply.json["predictions"]]
        assert found == ["runtime" if i == 5 else "" for i in range(16)]
        assert len(town.journal.answers) == 15
        (refused,) = [each.refusal for each in town.journal.inputs if each.refusal]
        assert refused.message == reply.json["predictions"][5]["error"]["message"] == "the model raised ValueError"
        assert "negative -17.5" in caplog.text

    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = Scripted(poison, 0.0)
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    play(prepare, scene)


def test_what_nobody_waits_for_is_not_run(play: Any) -> None:
    gate = asyncio.Event()
    slow = Scripted(lambda _: gate.wait(), 0.0)

    async def scene(town: Any) -> None:
        first, second = await town.call(), await town.call()
        first.send("POST", PREDICT, b'{"rows":[{"f0":1,"f1":1,"f2":1}]}')
        while not slow.sizes:
            await asyncio.sleep(0.001)
        reply = await second.post(PREDICT, {"rows": [ROW] * 3, "deadline_ms": 15})
        assert reply.status == 504
        gate.set()
        assert (await first.reply()).status == 200
        await asyncio.sleep(0)
        assert slow.sizes == [1]
        refused = [each.refusal.rule for each in town.journal.inputs if each.refusal]
        assert refused == ["deadline"] * 3

    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = slow
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    play(prepare, scene)


def test_no_answer_belongs_to_another_row_or_version(play: Any) -> None:
    """64 connections, distinct rows, two versions, a bad row in every request, and rows that share calls."""
    rounds, callers = 6, 64
    live_bias, canary_bias = 0.0, 1.5
    canary = Scripted(nothing, canary_bias)
    weights = linear_weights(3).astype(float)

    def expected(row: dict[str, float], version: str) -> float:
        bias = canary_bias if version == "m:2" else live_bias
        return float(1 / (1 + np.exp(-(np.array(list(row.values())) @ weights + bias))))

    async def converse(town: Any, caller: Any, name: int) -> list[str]:
        drawn = []
        for turn in range(rounds):
            rows = [{"f0": name / 64 + place, "f1": turn / 8, "f2": place / 4} for place in range(2)]
            bad = {**rows[0], "f1": "bad"}
            reply = await caller.post(PREDICT, {"id": f"{name}-{turn}", "rows": [rows[0], bad, rows[1]]})
            assert reply.headers["headgate-request-id"] == f"{name}-{turn}"
            first, wrong, last = reply.json["predictions"]
            assert wrong["error"]["field"] == "rows[1].f1"
            for row, entry in ((rows[0], first), (rows[1], last)):
                assert abs(entry["scores"][1] - expected(row, entry["version"])) < 1e-5
                drawn.append(entry["version"])
        return drawn

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        calls = [await town.call() for _ in range(callers)]
        drawn = await asyncio.gather(*(converse(town, each, name) for name, each in enumerate(calls)))
        versions = [version for each in drawn for version in each]
        assert min(versions.count("m:1"), versions.count("m:2")) > len(versions) / 4
        sizes = [len(block.answers) for _, block in town.journal.blocks if block.answers]
        assert sum(sizes) / len(sizes) >= 4
        assert sum(canary.sizes) / len(canary.sizes) >= 4
        by_id = {each.id: each for each in town.journal.inputs}
        assert len(by_id) == rounds * callers * 3
        for answer in town.journal.answers:
            record = by_id[answer.input_id]
            row = dict(zip(("f0", "f1", "f2"), record.features, strict=True))
            assert abs(answer.scores[1] - expected(row, answer.answered)) < 1e-5

    play(with_canary(canary, weight=0.5), scene)


def test_a_swap_loses_no_request_and_gives_the_old_model_back(play: Any, tmp_path: Path) -> None:
    old = Scripted(nothing, 0.0)

    async def scene(town: Any) -> None:
        stop = asyncio.Event()

        async def keep_asking() -> list[str]:
            caller, seen = await town.call(), []
            while not stop.is_set():
                reply = await caller.post(PREDICT, {"rows": [ROW]})
                assert reply.status == 200
                seen.append(reply.headers["headgate-version"])
            return seen

        asking = asyncio.gather(*(keep_asking() for _ in range(4)))
        town.publish([Member("m:2", town.linear(bias=3.0), 1.0, proved=True)], live="m:2")
        await town.obeyed(2)
        while not old.closed:
            await asyncio.sleep(0.005)
        stop.set()
        for seen in await asking:
            assert sorted(seen) == seen  # never back to the old version

    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = old
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    play(prepare, scene, manners=Manners(resident_seconds=0.2))


def test_a_rollback_is_obeyed_within_a_second_and_loads_nothing(play: Any) -> None:
    opened: list[str] = []

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        opened.clear()
        original = town.packages.open

        def watched(digest: str) -> Any:
            opened.append(digest)
            return original(digest)

        town.packages.open = watched
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": [ROW]})).headers["headgate-version"] == "m:2"
        members = town.traffic.read()["default", "e"].members
        town.publish([Member(each.version, each.digest, 0.0, proved=True) for each in members])
        began = asyncio.get_running_loop().time()
        await town.obeyed(2)
        assert asyncio.get_running_loop().time() - began < 1.0
        assert (await caller.post(PREDICT, {"rows": [ROW]})).headers["headgate-version"] == "m:1"
        assert opened == []

    play(with_canary(Scripted(nothing, 2.0)), scene)


def test_a_rollback_does_not_wait_for_another_version_to_load(play: Any) -> None:
    released = threading.Event()

    async def scene(town: Any) -> None:
        original = town.placement_for
        slow = town.linear(bias=7.0)

        def placement_for(digest: str, live: bool) -> Any:
            if digest == slow:
                released.wait(10)
            return original(digest, live)

        town.gateway._follower._placement_for = placement_for
        await town.obeyed(1)
        members = town.traffic.read()["default", "e"].members
        town.publish([*members, Member("m:3", slow, 0.0001, proved=True)])
        await asyncio.sleep(0.15)
        assert town.reports.obeyed()["w0"]["default/e"] == 1  # not obeyed before everything is there
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": [ROW]})).headers["headgate-version"] == "m:2"
        town.publish([Member(each.version, each.digest, 0.0, proved=True) for each in members])
        await town.obeyed(3)
        assert (await caller.post(PREDICT, {"rows": [ROW]})).headers["headgate-version"] == "m:1"
        released.set()

    play(with_canary(Scripted(nothing, 2.0)), scene)


def test_a_package_that_cannot_be_loaded_takes_no_traffic(play: Any) -> None:
    def prepare(town: Any) -> None:
        members = [
            Member("m:1", town.linear(), 0.0, proved=True),
            Member("m:2", "sha256:" + "0" * 64, 1.0, proved=True),
        ]
        town.publish(members)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": [ROW]})).headers["headgate-version"] == "m:1"
        tensor = {"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}
        assert (await caller.post("/v2/models/e/versions/2/infer", {"inputs": [tensor]})).status == 503

    play(prepare, scene)


def test_a_fault_of_ours_beside_the_loop_does_not_end_a_version(play: Any) -> None:
    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = Scripted(nothing, 0.0)
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    async def scene(town: Any) -> None:
        caller, write = await town.call(), town.journal.write
        town.journal.write = broken
        reply = await caller.post(PREDICT, {"rows": [ROW], "deadline_ms": 5000})
        assert (reply.status, reply.json["error"]["rule"]) == (500, "internal"), "at once, not when its time is over"
        town.journal.write = write
        assert (await caller.post(PREDICT, {"rows": [ROW], "deadline_ms": 5000})).status == 200

    def broken(*_: Any) -> bool:
        raise TypeError("scripted")

    play(prepare, scene)
