"""What is answered on the event loop and what leaves it, by the sizes of the calls a model gets in one turn."""

import asyncio
import json
from typing import Any

from tests.gateway.scenery import outputs

from headgate.gateway.answer import INLINE_ROWS
from headgate.runtimes.ports import Feeds, Outputs, Runtime

ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}
PREDICT = "/v1/endpoints/e/predict"


class Noted(Runtime):
    """Answers anything, and keeps how many rows each call had."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def run(self, feeds: Feeds) -> Outputs:
        self.sizes.append(len(next(iter(feeds.values()))))
        return outputs(self.sizes[-1])

    def close(self) -> None:
        return None


class Quick:
    """A placement on the loop that also keeps which calls left it."""

    def __init__(self) -> None:
        self.inline = Noted()
        self.away = Noted()

    async def run(self, feeds: Feeds) -> Outputs:
        return self.away.run(feeds)

    async def close(self) -> None:
        pass


def quick(placement: Quick) -> Any:
    def prepare(town: Any) -> None:
        town.placements[town.linear()] = placement
        town.serve_one()

    return prepare


def test_many_small_requests_of_one_turn_are_answered_in_place_a_call_at_a_time(play: Any) -> None:
    placement, body = Quick(), json.dumps({"rows": [ROW]}).encode()

    async def scene(town: Any) -> None:
        callers = [await town.call() for _ in range(2 * INLINE_ROWS + 10)]
        for caller in callers:
            caller.send("POST", PREDICT, body)
        replies = [await caller.reply() for caller in callers]
        assert {each.status for each in replies} == {200}
        assert len({each.json["predictions"][0]["id"] for each in replies}) == len(callers)
        assert len(town.journal.answers) == len(callers)

    play(quick(placement), scene)
    assert placement.away.sizes == []
    assert max(placement.inline.sizes) == INLINE_ROWS, "all came in one turn"
    assert sum(placement.inline.sizes) == 2 * INLINE_ROWS + 10


def test_a_large_request_leaves_the_loop(play: Any) -> None:
    placement = Quick()

    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await asyncio.wait_for(caller.post(PREDICT, {"rows": [ROW] * (INLINE_ROWS + 1)}), 5)
        assert len(reply.json["predictions"]) == INLINE_ROWS + 1

    play(quick(placement), scene)
    assert placement.inline.sizes == []
    assert placement.away.sizes == [INLINE_ROWS + 1]
