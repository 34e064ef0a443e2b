"""A fault of ours costs the answers it touches and nothing else: no neighbour, no lane, no room, no later caller."""

import asyncio
import gzip
from typing import Any

import numpy as np
import pytest
from tests.gateway.test_permits import a_key, bearer, serving

from headgate.gateway.doors import router, unfold
from headgate.gateway.metrics import SlabCollector
from headgate.journal.records import Block, Schema
from headgate.runtimes.ports import Feeds, Outputs, Placement, Runtime
from headgate.traffic.traffic import Member, Policy, Traffic

ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}
BODY = b'{"rows":[{"f0":0.1,"f1":0.2,"f2":0.3}]}'


def path(endpoint: str) -> str:
    return f"/v1/endpoints/{endpoint}/predict"


class Wordy(Placement):
    """A placement off the loop whose outputs are `found`; how many rows were asked does not matter to it."""

    def __init__(self, found: Outputs) -> None:
        self.found = found

    @property
    def inline(self) -> Runtime | None:
        return None

    async def run(self, feeds: Feeds) -> Outputs:
        return self.found

    async def close(self) -> None:
        pass


def good(rows: int) -> Outputs:
    return Outputs(np.ones(rows, int), np.full((rows, 2), 0.5), {}, 5)


def two_endpoints(town: Any) -> None:
    digest = town.linear()
    for name in ("e", "other"):
        members = [Member("m:1", digest, 1.0, proved=True)]
        town.traffic.swap(Traffic("default", name, 1, "m:1", members, "salt", policy=Policy()), 0)


def test_a_journal_that_raises_costs_its_endpoints_callers_alone(play: Any) -> None:
    keep: Any = None

    def write(schema: Schema, block: Block, done: Any) -> bool:
        if schema.endpoint == "e":
            raise TypeError("a value msgpack does not know")
        return bool(keep(schema, block, done))

    async def scene(town: Any) -> None:
        nonlocal keep
        keep, town.journal.write = town.journal.write, write
        caller, neighbour = await town.call(), await town.call()
        for _ in range(3):  # more than there is room for, so that room not given back would show
            caller.send("POST", path("e"), BODY)
            reply = await caller.reply()
            assert (reply.status, reply.json["error"]["rule"]) == (500, "internal")
            neighbour.send("POST", path("other"), BODY)
            assert (await neighbour.reply()).status == 200
        town.journal.write = keep
        assert (await caller.post(path("e"), {"rows": [ROW]})).status == 200

    play(two_endpoints, scene, queue_rows=1)


def test_both_endpoints_of_one_turn_are_asked_whatever_the_first_does(play: Any) -> None:
    async def scene(town: Any) -> None:
        answerer = town.gateway._router._predict.__self__._answerer
        ask_all, order = answerer._answer, []

        def answer(view: Any, asks: Any) -> None:
            order.append(view.traffic.endpoint)
            if len(order) == 1:
                raise ZeroDivisionError("scripted")
            ask_all(view, asks)

        answerer._answer = answer
        views = town.gateway._router.views
        asked: list[Any] = []
        for name in ("e", "other"):
            asked.append(make(views["default", name]))
            answerer.admit(asked[-1])
        async with asyncio.timeout(5):
            while any(each.open for each in asked):
                await asyncio.sleep(0)
        assert order == ["e", "other"]
        assert [type(each.refusal).__name__ for each in asked] == ["HeadgateError", "NoneType"]
        assert answerer.room.waiting == 0

    def make(view: Any) -> Any:
        from headgate.gateway.ask import make_ask

        return make_ask(view, view.live.served.reader.read(BODY), lambda ask: None)

    play(two_endpoints, scene)


def serve(placement: Wordy) -> Any:
    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = placement
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    return prepare


def test_a_lane_outlives_an_answer_that_is_none(play: Any) -> None:
    placement = Wordy(good(1))

    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(path("e"), {"rows": [ROW, ROW]})  # one answer for two rows
        assert (reply.status, reply.json["error"]["rule"]) == (500, "internal")
        for _ in range(2):
            assert (await caller.post(path("e"), {"rows": [ROW]})).status == 200

    play(serve(placement), scene)


def test_a_reply_that_cannot_be_written_keeps_nobody_waiting(play: Any) -> None:
    placement = Wordy(Outputs(np.array([object()]), None, {}, 5))

    async def scene(town: Any) -> None:
        caller, behind = await town.call(), await town.call()
        town.journal.held = True
        for known, each in enumerate((caller, behind), 1):
            each.send("POST", path("e"), BODY)
            while len(town.journal.waiting) < known:
                await asyncio.sleep(0.001)
            placement.found = good(1)
        town.journal.release()
        async with asyncio.timeout(5):
            replies = [await caller.reply(), await behind.reply()]
        assert sorted(each.status for each in replies) == [200, 500]
        town.journal.held = False
        assert (await caller.post(path("e"), {"rows": [ROW]})).status == 200
        flying = [each for family in SlabCollector(town.home / "metrics").collect() for each in family.samples]
        assert [each.value for each in flying if each.name == "headgate_in_flight"] == [0.0]

    play(serve(placement), scene)


@pytest.mark.parametrize("door", [path("e"), "/v2/models/e/infer", "/v1/models/e:predict"])
def test_a_body_that_cannot_be_opened_by_our_fault_is_answered(
    play: Any, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    def fail(*_: object) -> bytes:
        raise MemoryError

    async def scene(town: Any) -> None:
        caller = await town.call()
        with monkeypatch.context() as broken:
            broken.setattr(unfold, "decoded", fail)
            reply = await caller.ask("POST", door, gzip.compress(BODY), "Content-Encoding: gzip")
        assert reply.status == 500
        assert (await caller.ask("POST", path("e"), gzip.compress(BODY), "Content-Encoding: gzip")).status == 200

    play(two_endpoints, scene)


@pytest.mark.parametrize("closed", [False, True])
def test_a_path_that_cannot_be_read_by_our_fault_is_answered_and_the_connection_stays(
    play: Any, monkeypatch: pytest.MonkeyPatch, closed: bool
) -> None:
    """Whether callers must show who they are or not: the path is read before they are judged."""
    key, text = a_key("predict")
    unlearned = "X-Long: " + "a" * 1100

    def fail(*_: object) -> None:
        raise IndexError

    async def scene(town: Any) -> None:
        caller = await town.call()
        for door in (path("e"), "/v2/models/e/infer", "/nowhere"):
            with monkeypatch.context() as broken:
                broken.setattr(router, "find_route", fail)
                reply = await caller.ask("POST", f"{door}?now", BODY, unlearned)
            assert reply.status == 500
            assert (await caller.ask("POST", path("e"), BODY, bearer(text))).status == 200

    play(serving(key) if closed else two_endpoints, scene)
