"""A model in the gateway's process: on the loop while it is quick, beside it when it is not."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvloop

from headgate.errors import RuntimeFailed
from headgate.runtimes.placements import INLINE_LIMIT_US, InProcess
from headgate.runtimes.ports import Feeds, Outputs
from headgate.testing.conformance_runtime import check_placement
from headgate.testing.scripted import scripted_package

from .conftest import echo_feeds, linear_feeds, opened


def on_loop(placement: InProcess) -> bool:
    """Whether the model may be called on the loop at this moment."""
    return placement.inline is not None


class Paced:
    """A runtime that works for `cost_us`, as `worked_ns` tells; it may be told to wait for leave to answer."""

    def __init__(self, cost_us: int = 1) -> None:
        self.cost_us = cost_us
        self.worked_us = 0
        self.leave = threading.Event()
        self.leave.set()
        self.asked: list[float] = []
        self.closed = 0

    def run(self, feeds: Feeds) -> Outputs:
        assert self.leave.wait(30)
        self.worked_us += self.cost_us
        firsts = feeds["f0"][:, 0]
        self.asked.append(float(firsts[0]))
        return Outputs(firsts, None, {"prediction": firsts}, self.cost_us)

    def close(self) -> None:
        self.closed += 1

    def worked_ns(self) -> int:
        return self.worked_us * 1000


def placed(runtime: Paced, reference: Feeds | None = None) -> InProcess:
    return InProcess(runtime, reference, worked_ns=runtime.worked_ns)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_an_onnx_model_in_process_keeps_every_promise_of_a_placement(linear: Path, run: Callable[[Any], Any]) -> None:
    feeds = linear_feeds(6)
    run(check_placement(lambda: InProcess(opened(linear), feeds), feeds))


def test_a_native_model_in_process_keeps_every_promise_of_a_placement(tmp_path: Path) -> None:
    package = scripted_package(tmp_path, "echo")
    feeds = echo_feeds(1.0, 2.0, 3.0, 4.0)
    asyncio.run(check_placement(lambda: InProcess(opened(package), feeds), feeds))


@pytest.mark.parametrize(("cost_us", "inline"), [(INLINE_LIMIT_US - 1, True), (INLINE_LIMIT_US, False)])
def test_the_reference_rows_decide_where_a_model_begins(cost_us: int, inline: bool) -> None:
    placement = placed(Paced(cost_us), echo_feeds(1.0))
    assert (placement.inline is not None) == inline


def test_a_model_nobody_measured_begins_beside_the_loop() -> None:
    assert placed(Paced()).inline is None


def test_one_very_long_call_or_several_slightly_long_ones_leave_the_loop() -> None:
    for cost_us, calls in ((20 * INLINE_LIMIT_US, 1), (INLINE_LIMIT_US, 6)):
        runtime = Paced()
        placement = placed(runtime, echo_feeds(1.0))
        runtime.cost_us = cost_us
        for _ in range(calls):
            assert placement.inline is not None
            placement.inline.run(echo_feeds(1.0))
        assert not on_loop(placement)


def test_a_call_that_a_busy_machine_kept_waiting_is_not_held_against_the_model() -> None:
    runtime = Paced()
    placement = InProcess(runtime, echo_feeds(1.0), worked_ns=lambda: 0)
    runtime.cost_us = 50 * INLINE_LIMIT_US  # what the clock on the wall says
    for _ in range(100):
        assert placement.inline is not None
        placement.inline.run(echo_feeds(1.0))


def test_one_long_call_in_twenty_one_is_borne() -> None:
    runtime = Paced()
    placement = placed(runtime, echo_feeds(1.0))
    for number in range(1000):
        runtime.cost_us = INLINE_LIMIT_US if number % 21 == 0 else 1
        assert placement.inline is not None
        placement.inline.run(echo_feeds(1.0))


def test_a_model_that_is_quick_again_comes_back() -> None:
    runtime = Paced(10 * INLINE_LIMIT_US)
    placement = placed(runtime, echo_feeds(1.0))
    runtime.cost_us = 1

    async def main() -> None:
        for _ in range(99):
            await placement.run(echo_feeds(1.0))
        assert not on_loop(placement)
        await placement.run(echo_feeds(1.0))
        assert on_loop(placement)
        await placement.close()

    asyncio.run(main())


def test_a_large_batch_is_judged_by_what_64_rows_of_it_cost() -> None:
    runtime = Paced()
    placement = placed(runtime, echo_feeds(1.0))
    runtime.cost_us = 10 * INLINE_LIMIT_US
    for _ in range(50):
        assert placement.inline is not None
        placement.inline.run(echo_feeds(*np.arange(6400.0)))


def test_nobody_calls_a_native_model_while_it_answers_another() -> None:
    runtime = Paced()
    placement = placed(runtime, echo_feeds(1.0))

    async def main() -> None:
        assert on_loop(placement)
        runtime.leave.clear()
        call = asyncio.create_task(placement.run(echo_feeds(2.0)))
        await asyncio.sleep(0)
        assert not on_loop(placement)
        call.cancel()
        await asyncio.wait([call])
        assert not on_loop(placement)  # the caller is gone, the call is not
        runtime.leave.set()
        await placement.run(echo_feeds(3.0))
        assert on_loop(placement)
        await placement.close()

    asyncio.run(main())


def test_a_cancelled_call_that_has_not_begun_is_not_made() -> None:
    runtime = Paced()
    placement = placed(runtime)

    async def main() -> None:
        runtime.leave.clear()
        calls = [asyncio.create_task(placement.run(echo_feeds(float(number)))) for number in range(4)]
        await asyncio.sleep(0)
        calls[1].cancel()
        calls[2].cancel()
        await asyncio.wait(calls[1:3])
        runtime.leave.set()
        await asyncio.gather(calls[0], calls[3])
        await placement.close()

    asyncio.run(main())
    assert runtime.asked == [0.0, 3.0]
    assert runtime.closed == 1


def test_a_model_that_cannot_answer_the_reference_rows_begins_beside_the_loop(tmp_path: Path) -> None:
    runtime = opened(scripted_package(tmp_path, "failing_on_negative"))
    placement = InProcess(runtime, echo_feeds(-1.0))

    async def main() -> None:
        assert not on_loop(placement)
        assert (await placement.run(echo_feeds(1.0))).prediction.tolist() == [1.0]
        with pytest.raises(RuntimeFailed, match="scripted to fail"):
            await placement.run(echo_feeds(-1.0))
        await placement.close()

    asyncio.run(main())


def test_a_loop_that_rests_goes_on_when_the_call_has_ended() -> None:
    runtime = Paced()
    placement = placed(runtime)

    async def main() -> None:
        assert not placement.rest(30), "nothing is under way"
        runtime.leave.clear()
        call = asyncio.create_task(placement.run(echo_feeds(1.0)))
        async with asyncio.timeout(5):
            while not placement._at_work.locked():
                await asyncio.sleep(0.001)
        assert placement.rest(0.001), "it is still at work"
        assert not call.done()
        ending = threading.Timer(0.05, runtime.leave.set)
        ending.start()
        began = time.monotonic()
        assert placement.rest(30)
        assert time.monotonic() - began < 10
        await call
        assert not placement.rest(30)
        await placement.close()

    asyncio.run(main())
