"""Calls beside the loop: what waited for a busy model shares one call, one record, and nobody else's misfortune."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.scenery import a_view, an_ask
from tests.gateway.test_standing import die
from tests.gateway.test_versions import PREDICT, ROW, Scripted, with_canary

from headgate.gateway import lanes
from headgate.gateway.ask import Share
from headgate.gateway.lanes import Lanes
from headgate.gateway.metrics import Slab
from headgate.gateway.view import View
from headgate.journal.records import Input
from headgate.runtimes.failure import failed
from headgate.runtimes.ports import Feeds, Outputs
from headgate.traffic.traffic import Member, Policy, Traffic
from headgate.vocabulary import Role


class Gated(Scripted):
    """Lets a call through when `gate` is set, does what `act` says then, and counts how often the loop rested."""

    def __init__(self, act: Callable[[Feeds], Any] = lambda _: None, bias: float = 0.0) -> None:
        super().__init__(act, bias)
        self.gate = asyncio.Event()
        self.rests = 0

    async def run(self, feeds: Feeds) -> Outputs:
        await self.gate.wait()
        return await super().run(feeds)

    def rest(self, seconds: float) -> bool:
        self.rests += 1
        return True


def live(placement: Scripted) -> Callable[[Any], None]:
    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = placement
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    return prepare


async def ask_in_turns(town: Any, firsts: list[float]) -> list[Any]:
    """One caller for each first value, each in a turn of the loop of its own."""
    view = town.gateway._router.views["default", "e"]
    callers = []
    for count, first in enumerate(firsts, 1):
        callers.append(await town.call())
        callers[-1].send("POST", PREDICT, json.dumps({"rows": [{**ROW, "f0": first}]}).encode())
        async with asyncio.timeout(5):
            while view.waiting != count:
                await asyncio.sleep(0.001)
    return callers


def test_what_waited_through_several_turns_is_remembered_as_if_it_had_come_in_one(play: Any) -> None:
    placement = Gated()

    async def scene(town: Any) -> None:
        callers = await ask_in_turns(town, [0.0, 1.0, 2.0, 3.0])
        placement.gate.set()
        replies = [await each.reply() for each in callers]
        assert placement.sizes == [1, 3]
        assert [(len(block.inputs), len(block.answers)) for _, block in town.journal.blocks] == [(1, 1), (3, 3)]
        told = {each.json["predictions"][0]["id"]: each.json["predictions"][0]["scores"] for each in replies}
        assert len(told) == 4
        by_id = {each.id: each.features[0] for each in town.journal.inputs}
        for at, (reply, answer) in enumerate(zip(replies, town.journal.answers, strict=True)):
            assert by_id[answer.input_id] == float(at)
            assert answer.scores == reply.json["predictions"][0]["scores"], "each caller has the answer to its own row"

    play(live(placement), scene)


def test_a_row_the_model_fails_on_costs_none_of_those_who_waited_with_it(play: Any) -> None:
    def poison(feeds: Feeds) -> None:
        if (feeds["X"][:, 0] < 0).any():
            raise failed(ValueError("negative"))

    placement = Gated(poison)

    async def scene(town: Any) -> None:
        callers = await ask_in_turns(town, [0.0, 1.0, -2.0, 3.0, 4.0])
        placement.gate.set()
        assert [(await each.reply()).status for each in callers] == [200, 200, 503, 200, 200]
        assert placement.sizes[:2] == [1, 4]
        assert len(town.journal.answers) == 4
        assert [each.features is None for each in town.journal.inputs if each.refusal] == [True]

    play(live(placement), scene)


def test_whoever_waited_for_a_process_that_died_is_not_asked_of_it_again(play: Any) -> None:
    """One death is one failed call, however many waited for it."""
    canary = Gated(die, 9.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        callers = await ask_in_turns(town, [0.0, 1.0, 2.0, 3.0])
        canary.gate.set()
        replies = [await each.reply() for each in callers]
        assert [each.json["predictions"][0]["version"] for each in replies] == ["m:1"] * 4
        assert canary.sizes == [1, 3]
        assert [each.fallback for each in town.journal.answers] == ["failed"] * 4

    play(with_canary(canary), scene)


def a_share(view: View, rows: list[float], version: str = "m:1", **more: Any) -> Share:
    share = Share(view, view.seats[version], more.pop("role", Role.LIVE), more.pop("probability", 1.0))
    for each in rows:
        row = (each, 0.5)
        share.asks.append(an_ask(view, [row]))
        share.inputs.append(Input(b"%016d" % round(each), 1, row, "r", 0))
        share.rows.append(row)
    share.fallback = more.pop("fallback", "")
    return share


@pytest.fixture
def some_lanes() -> Lanes:
    return Lanes(lambda share, outputs: None, lambda share, error, seconds: None)


def test_shares_are_joined_where_they_differ_in_their_rows_alone(tmp_path: Path, some_lanes: Lanes) -> None:
    slab = Slab(tmp_path / "s.slab")
    view, later = a_view(slab, {"m:1": 0.5, "m:2": 0.5}), a_view(slab)
    canary: dict[str, Any] = {"version": "m:2", "role": Role.CANARY, "probability": 0.5}
    batch = [
        a_share(view, [1.0]),
        a_share(view, [10.0], **canary),
        a_share(view, [2.0, 3.0]),
        a_share(later, [20.0]),
        a_share(view, [30.0], **{**canary, "fallback": "late"}),
        a_share(view, [11.0], **canary),
        a_share(view, [40.0], role=Role.PINNED),
    ]
    some_lanes.canaries.update(each for each in batch if isinstance(each, Share) and each.role is Role.CANARY)
    joined = some_lanes._joined(list(batch))
    rows = [[row[0] for row in each.rows] for each in joined if isinstance(each, Share)]
    assert rows == [[1.0, 2.0, 3.0], [10.0, 11.0], [20.0], [30.0], [40.0]]
    for each in joined:
        assert isinstance(each, Share)
        assert [record.features for record in each.inputs] == each.rows
        assert [ask.reading.rows[0] for ask in each.asks] == each.rows
    assert some_lanes.canaries <= set(joined), "who may be late is looked for among the shares that are asked"


def test_no_joined_share_is_larger_than_it_may_be(
    tmp_path: Path, some_lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "ROWS_TOGETHER", 4)
    view = a_view(Slab(tmp_path / "s.slab"))
    batch = [a_share(view, [float(at)] * size) for at, size in enumerate((1, 2, 2, 9, 1, 1))]
    joined = some_lanes._joined(list(batch))
    assert [len(each) for each in joined] == [3, 2, 9, 2]
    assert [row[0] for each in joined if isinstance(each, Share) for row in each.rows] == (
        [0.0, 1.0, 1.0, 2.0, 2.0] + [3.0] * 9 + [4.0, 5.0]
    )


def test_rows_that_somebody_else_answers_are_still_known_after_joining(tmp_path: Path) -> None:
    view = a_view(Slab(tmp_path / "s.slab"))
    share, other = a_share(view, [0.0, 1.0]), a_share(view, [2.0, 3.0, 4.0])
    share.left.add(1)
    other.left.update((0, 2))
    share.take_in(other)
    assert share.left == {1, 2, 4}
    assert share.waited_for()
    for place in (0, 3):
        share.asks[place].open = False
    assert not share.waited_for()


@pytest.mark.parametrize(("rows", "rests"), [(2, False), (3, True)])
def test_the_loop_rests_while_a_model_is_at_work_and_more_than_half_of_the_room_is_taken(
    play: Any, rows: int, *, rests: bool
) -> None:
    placement = Gated()

    async def scene(town: Any) -> None:
        callers = await ask_in_turns(town, [float(at) for at in range(rows)])
        await asyncio.sleep(0.01)
        assert (placement.rests > 0) == rests
        placement.gate.set()
        assert [(await each.reply()).status for each in callers] == [200] * rows

    play(live(placement), scene, queue_rows=4)


def test_a_loop_that_has_a_model_of_its_own_to_ask_does_not_rest(play: Any) -> None:
    placement = Gated()

    def prepare(town: Any) -> None:
        live(placement)(town)
        members = [Member("n:1", town.linear(bias=1.0), 1.0, proved=True)]
        town.traffic.swap(Traffic("default", "other", 1, "n:1", members, "salt", policy=Policy()), 0)

    async def scene(town: Any) -> None:
        callers = await ask_in_turns(town, [0.0, 1.0, 2.0])
        await asyncio.sleep(0.01)
        before, other = placement.rests, await town.call()
        assert before > 0
        assert (await other.post("/v1/endpoints/other/predict", {"rows": [ROW]})).status == 200
        assert placement.rests == before
        placement.gate.set()
        assert [(await each.reply()).status for each in callers] == [200] * 3

    play(prepare, scene, queue_rows=4)
