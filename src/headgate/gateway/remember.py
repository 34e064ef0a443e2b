"""Acknowledged means remembered: hands blocks to the journal and says on the loop what became of them.

Called by `answer.py` for every batch and by the label doors. The journal's thread answers many blocks at a time, so
its answers are collected and the loop is woken once for all of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns

from headgate.errors import JournalUnavailable
from headgate.gateway.metrics.counting import Histogram
from headgate.gateway.metrics.slab import Slab
from headgate.gateway.view import View
from headgate.journal.ports import Journal
from headgate.journal.records import Block, Schema

Then = Callable[[JournalUnavailable | None], None]


class Memory:
    """The journal as the request path uses it; used from one event loop."""

    def __init__(self, journal: Journal, slab: Slab) -> None:
        self._journal = journal
        self._told: deque[tuple[Then, int, JournalUnavailable | None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._commit = Histogram(slab, "headgate_journal_commit_seconds")

    def check(self) -> None:
        """Raises JournalUnavailable while nothing can be remembered."""
        if not self._journal.healthy:
            raise JournalUnavailable("the journal cannot be written, so nothing is answered; free space on its disk")

    @property
    def healthy(self) -> bool:
        """Whether the journal takes records."""
        return self._journal.healthy

    def write(self, schema: Schema, block: Block) -> None:
        """Write `block`; nobody waits for it."""
        self._journal.write(schema, block, None)

    def keep(self, view: View, schema: Schema, block: Block, then: Then) -> None:
        """Write `block`; `then` is told on the loop once it is durable, or at once where acks are buffered."""
        if not view.is_durable:
            self._journal.write(schema, block, None)
            then(None)
            return
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        began = perf_counter_ns()
        self._journal.write(schema, block, lambda problem: self._tell(then, began, problem))

    def _tell(self, then: Then, began: int, problem: JournalUnavailable | None) -> None:
        """Called from the journal's thread, or from the loop's when the block was not taken at all."""
        # The loop is woken by the first of a group; a deque's append and length are atomic, and the loop empties it.
        self._told.append((then, began, problem))
        if len(self._told) == 1 and self._loop is not None:
            self._loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        told = self._told
        now = perf_counter_ns()
        while told:
            then, began, problem = told.popleft()
            self._commit.observe((now - began) / 1e9)
            then(problem)
