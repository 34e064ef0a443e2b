"""Acknowledged means remembered: hands blocks to the journal and says on the loop what became of them.

Called by `answer.py` for every batch and by the label doors. The journal's thread answers many blocks at a time, so
its answers are collected and the loop is woken once for all of them. Values too large for a frame are written beside
the journal first, so that no record names a blob that is not there.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from time import perf_counter_ns
from typing import Final

from headgate.errors import JournalUnavailable
from headgate.gateway.large import Features
from headgate.gateway.metrics.counting import Histogram
from headgate.gateway.metrics.slab import Slab
from headgate.gateway.view import Seat, View
from headgate.journal.blobs import BlobStore
from headgate.journal.packed import PackedBlock
from headgate.journal.ports import Journal
from headgate.journal.records import Block, Schema

_LOG: Final = logging.getLogger(__name__)

Then = Callable[[JournalUnavailable | None], None]


class Memory:
    """The journal as the request path uses it; used from one event loop."""

    def __init__(self, journal: Journal, blobs: BlobStore, slab: Slab) -> None:
        self._journal = journal
        self._blobs = blobs
        self._told: deque[tuple[Then, int, JournalUnavailable | None]] = deque()
        self._woken = False
        """Whether the loop is on its way to those in `_told`."""
        self._behind: list[tuple[View, Schema, Block | PackedBlock]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._commit = Histogram(slab, "headgate_journal_commit_seconds")

    def check(self) -> None:
        """Raises JournalUnavailable while nothing can be remembered."""
        if not self._journal.healthy:
            raise JournalUnavailable("the journal cannot be written, so nothing is answered; free space on its disk")
        if self._journal.full:
            raise JournalUnavailable("too many records wait for the disk; send fewer, or give the journal a faster one")

    @property
    def healthy(self) -> bool:
        """Whether the journal takes records."""
        return self._journal.healthy

    @property
    def pressed(self) -> bool:
        """Whether the journal's disk falls behind, so that features are better left out than requests refused."""
        return self._journal.pressed

    @property
    def is_idle(self) -> bool:
        """Whether everything that was to be remembered is on disk, or was given up."""
        return not self._behind and self._journal.idle

    def write(self, schema: Schema, block: Block | PackedBlock) -> bool:
        """Write `block`, for which nobody waits; whether the journal took it."""
        if self._behind:  # what was answered before goes first: room was found for it, and shadows speak of its inputs
            self.catch_up()
        return self._journal.write(schema, block, None)

    def keep(self, view: View, schema: Schema, block: Block | PackedBlock, then: Then) -> None:
        """Write `block`; `then` is told on the loop once it is durable, or at once where acks are buffered."""
        if view.is_durable:
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
            began = perf_counter_ns()
            self._journal.write(schema, block, lambda problem: self._tell(then, began, problem))
            return
        if not view.must_remember and (self._journal.full or not self._journal.healthy):
            self._keep_at_once(schema, block, then)  # nobody asked `check`, and who gets no record is told so
            return
        # The replies leave first, with the end of this turn; `check` has seen that the journal takes records, and
        # nobody else writes to it before `catch_up` does.
        if not self._behind:
            asyncio.get_running_loop().call_soon(self.catch_up)
        self._behind.append((view, schema, block))
        then(None)

    def keep_surely(self, view: View, schema: Schema, block: Block, then: Then) -> None:
        """As `keep`, for records whose sender is refused, whatever the policy, where the journal does not take them."""
        if view.is_durable:
            self.keep(view, schema, block, then)
        else:
            self._keep_at_once(schema, block, then)

    def _keep_at_once(self, schema: Schema, block: Block | PackedBlock, then: Then) -> None:
        taken = self.write(schema, block)
        then(None if taken else JournalUnavailable("the journal does not take records; free space on its disk"))

    def catch_up(self) -> None:
        """Hand over what was answered with buffered acks; called in the turn after, and before the journal closes."""
        behind, self._behind = self._behind, []
        for view, schema, block in behind:
            if not self._journal.write(schema, block, None):
                view.count.unjournalled(block.rows)

    def keep_large(self, view: View, seat: Seat, block: Block, then: Then) -> None:
        """Write `block`, of a version that has large fields, once all its large values are on disk as blobs.

        Callers of endpoints with buffered acks wait for the blobs too: a reference to nothing would be worth nothing.
        When they cannot be written the block is not written either, and `then` is told why.
        """
        large, inputs = seat.large, block.inputs
        if large is None or not large.any_in(inputs):
            self.keep(view, seat.schema, block, then)
            return
        writing = asyncio.get_running_loop().run_in_executor(None, large.kept, inputs, self._blobs)
        writing.add_done_callback(partial(self._blobs_kept, view, seat, block, then))

    def _blobs_kept(
        self, view: View, seat: Seat, block: Block, then: Then, written: "asyncio.Future[list[Features | None]]"
    ) -> None:
        problem = written.exception()
        if problem is None:
            for record, features in zip(block.inputs, written.result(), strict=True):
                record.features = features
            self.keep(view, seat.schema, block, then)
            return
        _LOG.error("large values cannot be written: %s", getattr(problem, "strerror", None) or type(problem).__name__)
        then(JournalUnavailable("a large value cannot be written beside the journal; free space on its disk"))

    def _tell(self, then: Then, began: int, problem: JournalUnavailable | None) -> None:
        """Called from the journal's thread, or from the loop's when the block was not taken at all."""
        self._told.append((then, began, problem))
        # Both threads may find the loop asleep, and then it is woken twice; whoever finds it woken is seen to by it.
        if not self._woken and self._loop is not None:
            self._woken = True
            self._loop.call_soon_threadsafe(self.collect)

    def collect(self) -> None:
        """Tell those whose records are on disk; called on the loop, in its turn or sooner where somebody needs room."""
        self._woken = False  # first: what is appended from here on wakes the loop again
        told = self._told
        now = perf_counter_ns()
        while told:
            then, began, problem = told.popleft()
            self._commit.observe((now - began) / 1e9)
            try:
                then(problem)
            except Exception:  # what is left in the deque would wait for ever, and so would all that comes later
                _LOG.exception("a request could not be told what became of its records")
