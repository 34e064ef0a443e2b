"""A version that goes on costing its callers time is asked ever less often, and trusted again when it answers."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.test_versions import PREDICT, ROW, Scripted, fail, hang, nothing, with_canary

from headgate.gateway import standing
from headgate.gateway.standing import FAILURES, FIRST_REST, LONGEST_REST, Standing
from headgate.runtimes.failure import died


def die(_: Any) -> None:
    raise died()


def tried(version: Standing, start: float) -> float:
    """The moment from which it may be asked again, to a tenth of a second."""
    moment = start
    while not version.may_be_asked(moment):
        moment += 0.1
    return moment


def test_rests_grow_to_the_longest_and_end_with_an_answer() -> None:
    version, now, rests = Standing(), 0.0, []
    for _ in range(FAILURES):
        version.failed(now)
    for _ in range(8):
        again = tried(version, now)
        rests.append(again - now)
        version.failed(now := again)
    assert rests[:3] == pytest.approx([FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST], abs=0.2)
    assert rests[-1] == pytest.approx(LONGEST_REST, abs=0.2)
    now = tried(version, now)
    version.answered()
    assert all(version.may_be_asked(now) for _ in range(5))


def test_many_that_wait_for_one_hang_count_as_its_first_rest() -> None:
    version = Standing()
    for _ in range(100):
        version.failed(10.0)
    assert tried(version, 10.0) - 10.0 == pytest.approx(FIRST_REST, abs=0.2)


@given(st.lists(st.sampled_from(["ask", "fail", "answer", "wait"]), max_size=60))
def test_one_that_answers_now_and_then_never_rests(steps: list[str]) -> None:
    version, now, in_a_row = Standing(), 0.0, 0
    for step in steps:
        if step == "wait":
            now += 0.3
        elif step == "answer":
            version.answered()
            in_a_row = 0
        elif step == "fail":
            version.failed(now)
            in_a_row += 1
        elif in_a_row < FAILURES:
            assert version.may_be_asked(now)
    assert tried(version, now) - now <= LONGEST_REST + 0.1


@pytest.mark.parametrize(("act", "reason", "deadline"), [(hang, "late", 60), (die, "failed", 5000)])
def test_callers_of_a_version_that_hangs_or_dies_soon_wait_no_more(
    play: Any, act: Any, reason: str, deadline: int
) -> None:
    canary = Scripted(act, 9.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        callers = [await town.call() for _ in range(4)]
        for _ in range(10):
            asked = [each.post(PREDICT, {"rows": [ROW], "deadline_ms": deadline}) for each in callers]
            for reply in await asyncio.gather(*asked):
                assert (reply.status, reply.json["predictions"][0]["version"]) == (200, "m:1")
        reasons = [each.fallback for each in town.journal.answers]
        assert set(reasons) == {reason, "resting"}
        assert reasons.count("resting") >= len(reasons) // 2 - 4, "each of five calls may have held all four"
        assert {each.assigned for each in town.journal.answers} == {"m:2"}

    play(with_canary(canary), scene)


def test_one_that_errs_at_once_is_asked_on(play: Any) -> None:
    """It costs its callers nothing, and a caller with bad rows must not take a version from the others."""

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for _ in range(3 * FAILURES):
            assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200
        assert {each.fallback for each in town.journal.answers} == {"failed"}

    play(with_canary(Scripted(fail, 9.0)), scene)


def test_one_that_recovers_is_asked_again(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "FIRST_REST", 0.05)
    canary = Scripted(die, 9.0)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        for _ in range(2 * FAILURES):
            await caller.post(PREDICT, {"rows": [ROW]})
        canary.act = nothing
        async with asyncio.timeout(5):
            while (await caller.post(PREDICT, {"rows": [ROW]})).json["predictions"][0]["version"] != "m:2":
                await asyncio.sleep(0.01)
        said = [await caller.post(PREDICT, {"rows": [ROW]}) for _ in range(5)]
        assert {each.json["predictions"][0]["version"] for each in said} == {"m:2"}

    play(with_canary(canary), scene)


def test_a_live_version_never_rests(play: Any) -> None:
    """Nobody could answer in its stead."""
    live = Scripted(die, 9.0)

    def prepare(town: Any) -> None:
        town.placements[town.linear()] = live
        town.serve_one()

    async def scene(town: Any) -> None:
        caller = await town.call()
        for _ in range(2 * FAILURES):
            assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 503
        assert len(live.sizes) == 2 * FAILURES

    play(prepare, scene)
