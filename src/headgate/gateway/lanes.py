"""Calls that must not hold the event loop: one at a time per version, everything that waits meanwhile in the next.

`answer.py` puts shares in; what comes of them is told to the two functions it gave. A model that is slow thereby
gets larger batches, and never more than it can do. What was put in turn by turn is answered and remembered as if it
had come in one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns
from typing import Final

from headgate.errors import DeadlineExceeded, HeadgateError, RuntimeFailed
from headgate.gateway.ask import Share
from headgate.gateway.divide import ROWS_PER_CALL
from headgate.gateway.metrics.counting import VersionCount
from headgate.gateway.stretch import Stretch
from headgate.gateway.view import Served
from headgate.runtimes.ports import Feeds, Outputs

_LOG: Final = logging.getLogger(__name__)
ROWS_TOGETHER: Final = 128
"""Rows of shares that become one: enough that its one record costs next to nothing, and no burden where it fails."""

Work = Share | Stretch
Answered = Callable[[Work, Outputs], None]
Failed = Callable[[Work, Exception, float], None]
"""The share, why, and the seconds that took."""


class Lanes:
    """One queue per package that is called off the loop."""

    def __init__(self, answered: Answered, failed: Failed) -> None:
        self._answered = answered
        self._failed = failed
        self._queues: dict[Served, deque[Work]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.canaries: set[Share] = set()
        """Shares of versions that are not live, from `put` until they are answered: they may turn out too slow."""

    def put(self, share: Work) -> None:
        """Have `share` answered by its seat as soon as what came before is."""
        share.off_loop = True
        if isinstance(share, Share) and share.may_fall_back():
            self.canaries.add(share)
        served = share.seat.served
        queue = self._queues.get(served)
        if queue is not None:
            queue.append(share)
            return
        self._queues[served] = deque([share])
        task = asyncio.get_running_loop().create_task(self._drain(served))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def busy(self) -> bool:
        """Whether any call waits or is under way."""
        return bool(self._queues)

    def are_asked(self, served: Served) -> bool:
        """Whether any call of that package waits or is under way."""
        return served in self._queues

    def rest(self, seconds: float) -> None:
        """Hold the loop until a call under way has ended, `seconds` at most."""
        for served in self._queues:
            if served.placement.rest(seconds):
                return

    def waiting(self) -> dict[VersionCount, int]:
        """Rows that wait for each version while it is busy with others."""
        found: dict[VersionCount, int] = {}
        for queue in self._queues.values():
            for share in queue:
                found[share.seat.count] = found.get(share.seat.count, 0) + len(share)
        return found

    async def _drain(self, served: Served) -> None:
        queue = self._queues[served]
        while queue:
            shares = _next_batch(queue, 1 if served.feeds.ragged else ROWS_PER_CALL)
            try:
                await self._take(served, shares)
            except Exception:  # a fault of ours must cost the answers of these callers only, never the lane
                _LOG.exception("rows could not be answered")
                for ask in {ask for share in shares for ask in share.asks}:
                    ask.spoil()
        del self._queues[served]

    async def _take(self, served: Served, shares: list[Work]) -> None:
        """Answer those of `shares` that somebody waits for."""
        batch = []
        for share in shares:
            if share.waited_for():
                batch.append(share)
            else:
                self._give_back(share, DeadlineExceeded("nobody waits for it any more"), 0.0)
        if batch:
            await self._call(served, self._joined(batch))

    def _joined(self, batch: list[Work]) -> list[Work]:
        """The same rows in few shares: each costs an answer, a record and a word from the disk, however few its rows.

        Those of one kind are put together, whichever turn of the loop they came in.
        """
        if len(batch) == 1:
            return batch
        found: list[Work] = []
        open_: dict[tuple[object, ...], Share] = {}
        for share in batch:
            if not isinstance(share, Share):
                found.append(share)
                continue
            into = open_.get(share.kind)
            if into is None or len(into) + len(share) > ROWS_TOGETHER:
                open_[share.kind] = share
                found.append(share)
            else:
                into.take_in(share)
                self.canaries.discard(share)
        return found

    async def _call(self, served: Served, batch: list[Work]) -> None:
        began = perf_counter_ns()
        for share in batch:
            share.began = began
        try:
            outputs = await served.placement.run(_feeds(served, batch))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            problem = error if isinstance(error, HeadgateError) else RuntimeFailed("the model could not be asked")
            for share in batch:
                self._give_back(share, problem, (perf_counter_ns() - began) / 1e9)
            return
        start = 0
        for share in batch:
            self._forget(share)
            self._answered(share, _slice(outputs, start, start + len(share)))
            start += len(share)

    def _forget(self, share: Work) -> None:
        if isinstance(share, Share):
            self.canaries.discard(share)

    def _give_back(self, share: Work, problem: Exception, seconds: float) -> None:
        self._forget(share)
        self._failed(share, problem, seconds)


def _feeds(served: Served, batch: list[Work]) -> Feeds:
    if len(batch) == 1:
        return batch[0].feeds()
    rows = [row for share in batch if isinstance(share, Share) for row in share.converted()]
    return served.feeds.from_values(rows)


def _next_batch(queue: deque[Work], limit: int) -> list[Work]:
    """The shares of the next call, in order; at least one."""
    batch = [queue.popleft()]
    size = len(batch[0])
    while queue and not batch[-1].suspect and not queue[0].suspect and size + len(queue[0]) <= limit:
        size += len(queue[0])
        batch.append(queue.popleft())
    return batch


def _slice(outputs: Outputs, start: int, end: int) -> Outputs:
    return Outputs(
        outputs.prediction[start:end],
        None if outputs.scores is None else outputs.scores[start:end],
        {name: array[start:end] for name, array in outputs.arrays.items()},
        outputs.compute_us,
    )
