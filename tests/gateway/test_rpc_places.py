"""An endpoint that does not answer leaves threads to its neighbours."""

import asyncio
from typing import Any

import grpc
import pytest
from tests.gateway.test_rpc_calls import inferring, line, raw, refusal
from tests.gateway.test_versions import Scripted, hang

from headgate.errors import Overloaded
from headgate.gateway.ask import Ask
from headgate.gateway.rpc.places import PATIENCE, STUCK, THREADS, Places
from headgate.traffic.traffic import Member, Policy, Traffic


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Waiting:
    """As much of an Ask as Places looks at."""

    def __init__(self, places: Places, key: str) -> None:
        self.places, self.key = places, key
        self.refusal: Any = None

    def close(self) -> None:
        self.places.leave(self.key, self.as_ask())

    def as_ask(self) -> Ask:
        return self  # type: ignore[return-value] # it has what is looked at


def places_with(stuck: int) -> tuple[Places, Clock]:
    clock = Clock()
    return Places(stuck, 1.0, clock), clock


def enter(places: Places, key: str, count: int) -> list[Waiting]:
    made = [Waiting(places, key) for _ in range(count)]
    for each in made:
        places.check(key)
        places.enter(key, each.as_ask())
    return made


def test_a_burst_is_admitted_whole_and_a_stuck_endpoint_is_not() -> None:
    places, clock = places_with(4)
    enter(places, "hangs", 6)  # nobody can know it yet
    places.clear()
    assert places.taken == 6
    clock.now = 1.5
    with pytest.raises(Overloaded, match="too many calls"):
        places.check("hangs")
    places.check("quick")


def test_the_newest_beyond_the_share_make_room() -> None:
    places, clock = places_with(4)
    first = enter(places, "hangs", 3)
    clock.now = 0.5
    second = enter(places, "hangs", 4)
    quick = enter(places, "quick", 2)
    clock.now = 1.2
    places.clear()
    assert [each.refusal is None for each in first + second] == [True] * 4 + [False] * 3
    assert [each.refusal for each in quick] == [None, None]
    assert places.taken == 6


def test_all_that_are_stuck_share_what_they_may_keep() -> None:
    places, clock = places_with(4)
    hanging = [enter(places, key, count) for key, count in (("hangs", 9), ("hangs too", 4), ("is slow", 1))]
    clock.now = 2.0
    places.clear()
    kept = [sum(each.refusal is None for each in calls) for calls in hanging]
    assert (sum(kept), max(kept), kept[2]) == (4, 2, 1)
    with pytest.raises(Overloaded):
        places.check("hangs too")
    places.check("is slow")


def test_an_endpoint_that_answers_is_never_stuck() -> None:
    places, clock = places_with(4)
    busy = enter(places, "busy", 4)
    for _ in range(20):
        clock.now += 0.5
        busy.pop(0).close()
        busy += enter(places, "busy", 1)
        places.clear()
    assert all(each.refusal is None for each in busy)
    for each in busy:
        each.close()
        each.close()
    assert places.taken == 0


def test_neighbours_of_an_endpoint_that_hangs_are_answered(play_rpc: Any) -> None:
    def prepare(town: Any) -> None:
        hanging = town.linear(bias=3.0)
        town.placements[hanging] = Scripted(hang, 3.0)
        town.publish([Member("m:1", town.linear(), 1.0, proved=True)])
        members = [Member("h:1", hanging, 1.0, proved=True)]
        policy = Policy(deadline_ms=600_000)
        town.traffic.swap(Traffic("default", "hangs", 1, "h:1", members, "salt", policy=policy), 0)

    async def scene(town: Any) -> None:
        def to_hanging() -> Any:
            request = raw()
            request.model_name = "hangs"
            return request

        async with line(town) as flooding, line(town, options=[("grpc.use_local_subchannel_pool", 1)]) as calm:
            flood = [asyncio.ensure_future(inferring(flooding)(to_hanging())) for _ in range(3 * THREADS)]
            async with asyncio.timeout(PATIENCE + 8.0):
                for _ in range(5):
                    assert (await inferring(calm)(raw())).model_version == "m:1"
                while sum(each.done() for each in flood) < 3 * THREADS - STUCK:
                    await asyncio.sleep(0.01)
            refused = [each for each in flood if each.done()]
            for each in refused:
                error = each.exception()
                assert isinstance(error, grpc.aio.AioRpcError)
                assert (error.code().name, "too many calls" in error.details()) == ("UNAVAILABLE", True)
                assert "grpc-retry-pushback-ms" in dict(error.trailing_metadata())
            assert (await inferring(calm)(raw())).model_version == "m:1"
            late = await refusal(inferring(calm)(to_hanging()))
            assert late.code().name == "UNAVAILABLE"
            for each in flood:
                each.cancel()
            async with asyncio.timeout(5.0):
                while town.gateway._rpc[1]._places.taken:  # callers that leave give their places back
                    await asyncio.sleep(0.01)
            await asyncio.gather(*flood, return_exceptions=True)

    play_rpc(prepare, scene)


def test_callers_that_left_are_not_answered_by_a_model(play_rpc: Any) -> None:
    """While a model is busy with one call, those behind it leave; the model never hears of them."""
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(_: object) -> None:
        started.set()
        await go.wait()

    placement = Scripted(slow, 0.0)

    def prepare(town: Any) -> None:
        town.placements[town.linear()] = placement
        town.serve_one()

    async def scene(town: Any) -> None:
        async with line(town) as channel:
            first: Any = inferring(channel)(raw())
            ahead = asyncio.ensure_future(first)
            await started.wait()
            leaving = inferring(channel)(raw())
            expiring = inferring(channel)(raw(), timeout=0.3)
            view = town.gateway._router.views["default", "e"]
            async with asyncio.timeout(5):
                while view.waiting < 6:
                    await asyncio.sleep(0.001)
                leaving.cancel()  # type: ignore[attr-defined]
                assert (await refusal(expiring)).code().name == "DEADLINE_EXCEEDED"
                while view.waiting > 2:
                    await asyncio.sleep(0.001)
            go.set()
            assert (await ahead).model_version == "m:1"
            assert (await inferring(channel)(raw())).model_version == "m:1"
        assert placement.sizes == [2, 2], "rows of the first call and the last"

    play_rpc(prepare, scene)
