"""What every runtime and every placement must do, as checks anybody's own can be put through.

Each check raises AssertionError saying which promise was broken; the rows it is given must be at least four and
differ from each other.
"""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from headgate.errors import RuntimeFailed
from headgate.runtimes.ports import Array, Feeds, Outputs, Placement, Runtime

Ask = Callable[[Feeds], Awaitable[Outputs]]

TOLERANCE = 1e-6
"""How far a row's answer may depend on the rows beside it: libraries sum in another order in larger batches."""


def check_runtime(make: Callable[[], Runtime], feeds: Feeds) -> None:
    """Put a runtime through everything its port promises; `make` opens a fresh one each time it is called."""
    runtime = make()
    try:
        _check_answers(runtime.run, feeds)
    finally:
        runtime.close()
        runtime.close()
    _check_closed(runtime, feeds)


async def check_placement(make: Callable[[], Placement], feeds: Feeds) -> None:
    """Put a placement through everything its port promises; `make` opens a fresh one each time it is called."""
    placement = make()
    try:
        whole = await placement.run(feeds)
        _check_shapes(whole, feeds)
        _check_same(whole, await placement.run(feeds), "the same rows give the same answers")
        await _check_callers(placement.run, feeds, whole)
        await _check_cancelling(placement.run, feeds, whole)
        keeps(not placement.rest(60.0), "a loop is not held while nothing is under way")
        if (inline := placement.inline) is not None:
            _check_same(whole, inline.run(feeds), "inline answers as run does")
    finally:
        await placement.close()
        await placement.close()
    try:
        await placement.run(feeds)
    except RuntimeFailed:
        return
    keeps(False, "a closed placement says RuntimeFailed")


def _check_answers(run: Callable[[Feeds], Outputs], feeds: Feeds) -> None:
    before = {name: array.copy() for name, array in feeds.items()}
    whole = run(feeds)
    for name, array in feeds.items():
        keeps(np.array_equal(array, before[name], equal_nan=array.dtype.kind == "f"), "feeds stay as they were")
    _check_shapes(whole, feeds)
    _check_same(whole, run(feeds), "the same rows give the same answers")
    for place in range(_rows(feeds)):
        _check_same(part(whole, place), run(take(feeds, place)), "row i of the answer is the answer to row i")
    backwards = {name: array[::-1] for name, array in feeds.items()}
    turned = run(backwards)
    for place in range(_rows(feeds)):
        _check_same(part(turned, place), part(whole, -1 - place), "answers keep the order of their rows")


def _check_shapes(outputs: Outputs, feeds: Feeds) -> None:
    rows = _rows(feeds)
    keeps(outputs.compute_us >= 0, "compute time is measured")
    if outputs.prediction.size:
        keeps(outputs.prediction.shape == (rows,), "one prediction per row")
    if outputs.scores is not None:
        keeps(outputs.scores.dtype == np.float64, "scores are float64")
        keeps(outputs.scores.shape[0] == rows, "one row of scores per row")
        keeps(outputs.scores.flags.c_contiguous, "scores are contiguous")
    keeps(all(array.shape[0] == rows for array in outputs.arrays.values()), "every raw output has one row per row")


async def _check_callers(run: Ask, feeds: Feeds, whole: Outputs) -> None:
    """Many callers at once, in batches of different sizes, each get their own rows."""
    rows = _rows(feeds)
    spans = [(start, start + size) for size in (1, 2, 3) for start in range(rows - size + 1)] * 4
    found = await asyncio.gather(*(run(span(feeds, *each)) for each in spans))
    for (start, end), outputs in zip(spans, found, strict=True):
        keeps(len(outputs.prediction) in (end - start, 0), "callers at the same moment get as many rows as they asked")
        for place in range(start, end):
            _check_same(part(outputs, place - start), part(whole, place), "no caller gets another's rows")


async def _check_cancelling(run: Ask, feeds: Feeds, whole: Outputs) -> None:
    """Callers that give up take nothing away from those that stay."""

    async def ask(place: int) -> Outputs:
        return await run(take(feeds, place))

    tasks = [asyncio.create_task(ask(place % _rows(feeds))) for place in range(12)]
    await asyncio.sleep(0)
    for each in tasks[::2]:
        each.cancel()
    await asyncio.wait(tasks)
    for place, each in enumerate(tasks):
        if place % 2:
            _check_same(each.result(), part(whole, place % _rows(feeds)), "cancelling disturbs nobody else")


def _check_closed(runtime: Runtime, feeds: Feeds) -> None:
    try:
        runtime.run(feeds)
    except RuntimeFailed:
        return
    keeps(False, "a closed runtime says RuntimeFailed")


def _check_same(one: Outputs, other: Outputs, promise: str) -> None:
    keeps(_equal(one.prediction, other.prediction), promise)
    keeps((one.scores is None) == (other.scores is None), promise)
    if one.scores is not None and other.scores is not None:
        keeps(_equal(one.scores, other.scores), promise)
    keeps(one.arrays.keys() == other.arrays.keys(), promise)
    keeps(all(_equal(array, other.arrays[name]) for name, array in one.arrays.items()), promise)


def _equal(one: Array, other: Array) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.kind == "f":
        return bool(np.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))
    return bool(np.array_equal(one, other))


def keeps(kept: bool, promise: str) -> None:
    """AssertionError naming the promise that was broken; an ``assert`` would be gone under ``python -O``."""
    if not kept:
        raise AssertionError(promise)


def _rows(feeds: Feeds) -> int:
    return len(next(iter(feeds.values())))


def span(feeds: Feeds, start: int, end: int) -> Feeds:
    """Rows `start` to `end`, the last excluded."""
    return {name: array[start:end] for name, array in feeds.items()}


def take(feeds: Feeds, place: int) -> Feeds:
    """A batch of one row."""
    return span(feeds, place, place + 1)


def part(outputs: Outputs, place: int) -> Outputs:
    """The answer to one row, as a batch of one; negative places count from the end."""
    place %= len(next(iter(outputs.arrays.values())))
    rows = slice(place, place + 1)
    scores = None if outputs.scores is None else outputs.scores[rows]
    arrays = {name: array[rows] for name, array in outputs.arrays.items()}
    return Outputs(outputs.prediction[rows], scores, arrays, outputs.compute_us)
