"""A package in the gateway's own process: on the event loop while it is quick, beside it when it is not.

Called by gateways for what earned it by being live. How quick is measured, first on the reference rows and then
with every call that is served.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from time import thread_time_ns
from typing import Final

import numpy as np

from headgate.errors import RuntimeFailed
from headgate.runtimes.onnx import OnnxRuntime
from headgate.runtimes.ports import Array, Feeds, Outputs, Runtime

INLINE_LIMIT_US: Final = 2000
"""Microseconds of processor time a call of ROWS_MEASURED rows may take on the event loop: all others wait for it."""
ROWS_MEASURED: Final = 64
_WARM_UPS: Final = 20
_FULL: Final = 100.0
_PRICE: Final = 20.0
"""Credit a call at the limit costs, against 1 that a quick one earns: one slow call in twenty is too many."""


class InProcess:
    """A runtime in this process, as a gateway sees it.

    `inline` is the runtime while fewer than one call in twenty takes longer than 2 ms per 64 rows, so that it may be
    called on the loop; else None, and `run` asks it in one worker thread. Both roads measure, so a model that
    turns slow leaves the loop after its first long call or a few slightly long ones, and comes back after a hundred
    quick ones.
    """

    def __init__(
        self, runtime: Runtime, reference: Feeds | None = None, *, worked_ns: Callable[[], int] = thread_time_ns
    ) -> None:
        """Warm `runtime` up on `reference`, any number of rows of the contract.

        Without them, or if the model cannot answer them, it starts beside the loop. `worked_ns` tells the processor
        time of the calling thread: a call that a busy machine kept waiting is not the model's doing.
        """
        self._runtime = runtime
        self._measured = _Measured(runtime, worked_ns)
        self._thread = ThreadPoolExecutor(1, "model")
        self._last: Future[Outputs] | None = None
        self._at_work = Lock()
        """Held by the worker thread while it answers."""
        self._concurrent = isinstance(runtime, OnnxRuntime)
        self._closed = False
        if reference is not None:
            self._measured.warm_up(reference)

    @property
    def inline(self) -> Runtime | None:
        """The runtime itself while it is quick enough to call on the loop and nobody else is calling it."""
        if not self._measured.quick or self._closed:
            return None
        # One thread, first come first served, nothing cancelled: when the last call has ended, all have.
        if self._concurrent or self._last is None or self._last.done():
            return self._measured
        return None

    async def run(self, feeds: Feeds) -> Outputs:
        """Answer a batch in the worker thread, one after the other in the order of the calls.

        Raises RuntimeFailed when the model errs. Cancelling is safe; a call that has begun runs to its end
        unheard.
        """
        if self._closed:
            raise RuntimeFailed("the placement was closed")
        abandoned = Event()
        self._last = self._thread.submit(self._answer, feeds, abandoned)
        try:
            return await asyncio.shield(asyncio.wrap_future(self._last))
        except asyncio.CancelledError:
            abandoned.set()
            raise

    def rest(self, seconds: float) -> bool:
        """Hold the loop until the call under way has ended, `seconds` at most; whether there was one."""
        if self._last is None or self._last.done():
            return False
        if self._at_work.acquire(timeout=seconds):
            self._at_work.release()
        return True

    def _answer(self, feeds: Feeds, abandoned: Event) -> Outputs:
        if abandoned.is_set():
            raise RuntimeFailed("nobody waits for this answer any more")
        with self._at_work:
            return self._measured.run(feeds)

    async def close(self) -> None:
        """Give the model back once the call under way has ended. Closing twice is no error."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)
        self._runtime.close()


class _Measured:
    """A runtime that keeps account of how quick it is."""

    def __init__(self, runtime: Runtime, worked_ns: Callable[[], int]) -> None:
        self._runtime = runtime
        self._worked_ns = worked_ns
        self._credit = -1.0

    @property
    def quick(self) -> bool:
        """Whether a call may be made on the event loop."""
        return self._credit >= 0.0

    def run(self, feeds: Feeds) -> Outputs:
        """Answer a batch and remember what it cost."""
        before = self._worked_ns()
        outputs = self._runtime.run(feeds)
        cost = (self._worked_ns() - before) // 1000
        rows = len(next(iter(feeds.values())))
        if rows > ROWS_MEASURED:
            cost = cost * ROWS_MEASURED // rows
        self._account(cost)
        return outputs

    def close(self) -> None:
        """Nothing: the placement closes the runtime."""

    def _account(self, cost_us: int) -> None:
        """A leaky bucket: quick calls fill it, slow ones empty it by how slow they are; below zero is not quick."""
        credit = self._credit
        if cost_us < INLINE_LIMIT_US:
            if credit < _FULL:
                self._credit = credit + 1.0
        else:
            self._credit = max(-_FULL, credit - _PRICE * cost_us / INLINE_LIMIT_US)

    def warm_up(self, reference: Feeds) -> None:
        """Measure on the reference rows, repeated to 64."""
        feeds = tiled(reference, ROWS_MEASURED)
        try:
            self._runtime.run(feeds)  # the first call allocates; it says nothing of the next
            costs = sorted(self._cost_us(feeds) for _ in range(_WARM_UPS))
        except RuntimeFailed:  # made-up rows may be more than a model can answer; callers' rows will tell
            return
        self._credit = _FULL if costs[int(0.95 * _WARM_UPS) - 1] < INLINE_LIMIT_US else -_FULL

    def _cost_us(self, feeds: Feeds) -> int:
        before = self._worked_ns()
        self._runtime.run(feeds)
        return (self._worked_ns() - before) // 1000


def tiled(feeds: Feeds, rows: int) -> Feeds:
    """The first `rows` rows, beginning again from the top where there are fewer.

    >>> tiled({"x": np.array([[1], [2]])}, 3)["x"].tolist()
    [[1], [2], [1]]
    """
    taken: Mapping[str, Array] = {
        name: np.take(array, np.arange(rows), axis=0, mode="wrap") for name, array in feeds.items()
    }
    return taken
