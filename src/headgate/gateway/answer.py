"""The life of a batch: admit → divide → run → answer or fall back → remember → reply.

Doors hand requests to `Answerer.admit`; all that arrive in one turn of the event loop are answered together in
`tick`, one runtime call per version. Everything here runs on the loop and nothing here waits: quick models are called
in place, others through `lanes.py`, and the journal says when it is done.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import monotonic, perf_counter_ns
from typing import Final

from headgate.clock import Clock
from headgate.errors import (
    BadInput,
    HeadgateError,
    JournalUnavailable,
    PassingError,
    RateExceeded,
    RuntimeFailed,
    Unavailable,
    Violation,
)
from headgate.gateway.ask import Ask, Share
from headgate.gateway.complaints import Complaints
from headgate.gateway.divide import BISECT_SECONDS, BULK, divide
from headgate.gateway.lanes import Lanes
from headgate.gateway.left import hold_back, is_unasked, leave
from headgate.gateway.metrics.counting import VersionCount
from headgate.gateway.remember import Memory
from headgate.gateway.room import Account, Room
from headgate.gateway.shadow import Shadows
from headgate.gateway.speak import pick, speak
from headgate.gateway.stretch import Span, Stretch
from headgate.gateway.view import Seat, View, Views
from headgate.journal.identifiers import Mint, format_id
from headgate.journal.records import Block, Input, Refusal
from headgate.runtimes.failure import is_of_rows, is_prompt, unquoted
from headgate.runtimes.ports import Outputs, Runtime
from headgate.vocabulary import Role

_LOG: Final = logging.getLogger(__name__)
INLINE_ROWS: Final = 128
"""Rows of one call on the event loop, but for matrices of small requests; larger requests leave it."""
SWEEP_SECONDS: Final = 0.01
"""How late a deadline may be noticed."""
REST_SECONDS: Final = 0.002
"""Longest rest of the loop between two looks around while much waits for a model that is at work beside it."""


class Answerer:
    """Answers the requests of one gateway process."""

    def __init__(self, *, memory: Memory, mint: Mint, clock: Clock, queue_rows: int, views: Views) -> None:
        """`views` is what is obeyed now, for shadows alone: a request is answered under the view it was read with."""
        self._memory = memory
        self._mint = mint
        self._clock = clock
        self._lanes = Lanes(self._answered, self._failed)
        self._arrived: list[Ask] = []
        self._checked = False
        """Whether the journal was seen to take records since the last tick."""
        self._ends = False
        """Whether the end of this turn is seen to."""
        self._open: set[Ask] = set()
        """Requests that outlive their tick."""
        self._sweeping = False
        self._called = False
        """Whether a model was called on the loop in this turn: then there is no time to rest."""
        self._rests = False
        """Whether the loop is to rest now that its turn has ended."""
        self.room = Room(queue_rows)
        """Doors look into it before they read: a request that has no room should cost next to nothing."""
        self._complaints = Complaints()
        self._shadows = Shadows(memory, self.room, views, self._lanes.are_asked)

    # --- a tick

    def admit(self, ask: Ask) -> None:
        """Take a request into this tick.

        Raises the PassingError that says why not, and BadInput where people decide and its door cannot say so.
        """
        view, rows = ask.view, len(ask.outcomes)
        if not view.proved:
            raise Unavailable("the live version has no passing evaluation record; evaluate it or force it")
        if view.people is not None and not ask.hears_people:
            raise BadInput(
                "endpoint", "people", "is decided by people; ask with JSON or a picture at its predict route"
            )
        if view.must_remember and not self._checked:
            self._memory.check()
        self.room.enter(ask.caller, rows)
        self._checked = view.must_remember or self._checked  # last: where nobody enters, no tick comes to reset it
        ask.room, ask.turn = self.room, self.room.turn
        view.waiting += rows
        if not self._ends:
            self._ends = True
            asyncio.get_running_loop().call_soon(self._end_turn)
        self._arrived.append(ask)

    def note(
        self, view: View, error: HeadgateError, caller: Account | None, rows: int = 1
    ) -> tuple[HeadgateError, bytes]:
        """Remember and count a request of so many rows that is refused as a whole: why it is, and its record's name.

        It takes of its caller's rate what it would have taken had it been good; where nothing is left of that, the
        caller is told so instead. The reply waits for nothing; without a record the name is empty.
        """
        if caller is not None and not isinstance(error, PassingError):
            try:
                caller.charge(max(1, rows))
            except RateExceeded as spent:
                error = spent
        if isinstance(error, PassingError):
            view.count.rejected(type(error).__name__)  # no record: under overload it would make matters worse
            return error, b""
        now, id_ = self._clock.now(), self._mint.draw(view.tag)
        refusal = Refusal("version", "unknown", str(error))
        if isinstance(error, BadInput):
            refusal = Refusal(error.field, error.rule, error.message)
        view.count.rejected(refusal.rule)
        name = format_id(id_)
        is_kept = self._memory.write(view.live.schema, Block([Input(id_, now, None, name, 0, refusal=refusal)]))
        return error, name.encode() if is_kept else b""

    def waiting(self) -> dict[VersionCount, int]:
        """Rows that wait for each version while it is busy with others."""
        found, beside = self._lanes.waiting(), self._shadows.waiting()
        return found | {version: rows + found.get(version, 0) for version, rows in beside.items()}

    @property
    def is_idle(self) -> bool:
        """Whether shadows have done with all that was answered."""
        return self._shadows.is_idle

    async def stop(self) -> None:
        """Ask shadows nothing more; to be called before the models are given back."""
        await self._shadows.stop()

    def relieve(self) -> None:
        """Make room for one more, if that can be done at once: answer what arrived, reply where records are on disk.

        A turn of the loop may have hundreds to refuse. Whoever was admitted in it should not wait for its end, and
        those who come later in it should find the room of those admitted before it.
        """
        self._memory.collect()
        if self._arrived:
            self.tick()

    def _rest(self) -> None:
        """Let a model beside the loop have the processor.

        Woken for each request that it refuses, or takes in to wait behind others, the loop would take a sixth of it.
        """
        self._rests = False
        self._lanes.rest(REST_SECONDS)

    def take_turn(self, hear: Callable[[], None]) -> None:
        """Answer all that `hear` admits, and what was admitted in this turn before."""
        self._ends = True
        try:
            hear()
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        self._ends = False
        self.room.next_turn()
        self.tick()
        called, self._called = self._called, False
        if self.room.crowded and self._lanes.busy and not called and not self._rests:
            self._rests = True
            asyncio.get_running_loop().call_soon(self._rest)

    def tick(self) -> None:
        """Answer everything that arrived since the last tick."""
        if not self._arrived:
            return
        arrived, self._arrived, self._checked = self._arrived, [], False
        for view, asks in _by_view(arrived):
            try:
                self._answer(view, asks)
            except Exception:  # a fault of ours must cost the answers of these callers only
                _LOG.exception("requests to %s could not be answered", view.traffic.endpoint)
                for ask in asks:
                    ask.spoil()
        self._watch([ask for ask in arrived if ask.open])

    def _answer(self, view: View, asks: list[Ask]) -> None:
        if view.screens is not None:
            view.screens.look(asks)
            asks = [each for each in asks if not self._is_refused_whole(view, each)]
            if not asks:
                return
        now = self._clock.now()
        ids = self._mint.draw_many(view.tag, sum([len(ask.outcomes) for ask in asks if ask.reading.columns is None]))
        block = partial(self._mint.draw_block, view.tag)
        sheds = self._memory.pressed
        if view.samples and asks[0].pinned is None:  # rows for a pinned version are in its contract's order
            view.recent.extend(asks[0].reading.sample())
        division = divide(view, asks, view.assignment, iter(ids), now, block=block, sheds=sheds)
        if division.shed:
            view.count.shed(division.shed)
        if division.refused[0]:
            self._refuse(view, *division.refused)
        for share in division.shares():
            self._run(share)
        for stretch in division.stretches:
            self._run_whole(stretch)

    def _is_refused_whole(self, view: View, ask: Ask) -> bool:
        """Whether a request that is answered as a whole or not at all has an outlier that is refused, and so is."""
        reading = ask.reading
        if not ask.together or reading.clean or reading.columns is not None:
            return False
        bad = next((each for each in reading.rows if isinstance(each, Violation)), None)
        if bad is not None:
            ask.refusal, name = self.note(view, bad.as_error(), None, len(ask.outcomes))
            ask.request_id = name.decode()
            ask.close()
        return bad is not None

    def _refuse(self, view: View, asks: list[Ask], records: list[Input]) -> None:
        for record in records:
            if record.refusal is not None:
                view.count.violated(record.refusal.field.partition(".")[2], record.refusal.rule)
        self._remember(view, view.live, asks, Block(records))

    # --- a share of a tick

    def _run(self, share: Share) -> None:
        """Ask its version, here if that is quick; where people decide, telling the caller so is all there is to do."""
        if is_unasked(share.view, share.role):
            self._leave(share)
            return
        served = share.seat.served
        if share.may_fall_back() and not served.standing.may_be_asked(monotonic()):
            self._fall_back(share, "resting")
            return
        self._ask(share)

    def _ask(self, share: Share) -> None:
        runtime = share.seat.served.placement.inline
        bulk = len(share.asks[0].outcomes) > BULK
        if runtime is None or (bulk and len(share.rows) > INLINE_ROWS):
            self._lanes.put(share)
            return
        if len(share.rows) > INLINE_ROWS:
            # Many callers with few rows each. A thread would save the loop less than it costs to wake, and would keep
            # them waiting for its turn behind the reading of those who come next.
            for start in range(0, len(share.rows), INLINE_ROWS):
                self._ask(share.part(range(start, min(start + INLINE_ROWS, len(share.rows)))))
            return
        self._call(share, runtime)

    def _run_whole(self, stretch: Stretch) -> None:
        """Ask the live version for rows that are columns, here if that is quick."""
        runtime = stretch.seat.served.placement.inline
        is_bulk = len(stretch.spans) == 1 and len(stretch) > INLINE_ROWS
        if runtime is None or is_bulk:
            self._lanes.put(stretch if is_bulk else stretch.apart())  # others may join rows while they wait
            return
        stretch.off_loop = False
        self._call(stretch, runtime)

    def _call(self, share: Share | Stretch, runtime: Runtime) -> None:
        """One call on the loop, and what comes of it."""
        share.began = began = perf_counter_ns()
        self._called = True
        try:
            outputs = runtime.run(share.feeds())
        except Exception as error:
            self._failed(share, error, (perf_counter_ns() - began) / 1e9)
        else:
            self._answered(share, outputs)

    def _answered_whole(self, stretch: Stretch, outputs: Outputs) -> None:
        """The same for rows that are columns."""
        view, seat, block = stretch.view, stretch.seat, stretch.speak(outputs)
        self._memory.keep(view, seat.schema, block, partial(self._remembered_whole, view, stretch.spans))
        if view.shadows:
            self._shadows.offer(stretch)
        queued = stretch.began - stretch.spans[0].ask.arrived
        seat.count.ran(Role.LIVE, len(stretch), outputs.compute_us, queued)

    def _answered(self, share: Share | Stretch, outputs: Outputs) -> None:
        """The version spoke: remember its words, then the callers may have them."""
        if isinstance(share, Stretch):
            if share.all_wait():
                self._answered_whole(share, outputs)
                return
            share = share.apart()
        if share.may_fall_back() and not share.left:
            share.seat.served.standing.answered()
        if share.off_loop:
            places = self._let_go(share)
            if len(places) < len(share.rows):
                share, outputs = share.part(places), pick(outputs, places)
        if share.rows:
            answers = speak(share, outputs)
            if share.view.people is not None:
                share.view.count.left(hold_back(share.view.people, share.role, answers))
            self._remember(share.view, share.assigned, share.asks, Block(share.inputs, answers))
            self._offer(share)
            # Counted in the next turn, when the replies are on their way or the disk is at work.
            count, queued = share.seat.count.ran, share.began - share.asks[0].arrived
            role = Role.SUGGESTION if share.role is Role.HUMAN else share.role
            asyncio.get_running_loop().call_soon(count, role, len(answers), outputs.compute_us, queued)

    def _failed(self, share: Share | Stretch, error: Exception, seconds: float) -> None:
        """It did not: find the row that is to blame, or let the live version speak, or say so."""
        if isinstance(share, Stretch):
            share = share.apart()
        share = share.part(self._let_go(share))
        self._complaints.hear(share.seat.version, error)
        if len(share.rows) > 1 and seconds < BISECT_SECONDS and is_of_rows(error):
            share.suspect, half = True, len(share.rows) // 2
            self._lanes.put(share.part(range(half)))
            self._lanes.put(share.part(range(half, len(share.rows))))
        elif share.may_fall_back():
            if share.rows and not is_prompt(error):
                share.seat.served.standing.failed(monotonic())
            self._fall_back(share, "failed")
        elif share.rows:
            self._give_up(share, error)

    def _fall_back(self, share: Share, reason: str) -> None:
        if share.rows:
            share.assigned.count.fell_back(reason, len(share.rows))
            if share.view.people is not None:
                self._leave(share, reason)
                return
            share.seat, share.fallback, share.suspect = share.view.live, reason, False
            self._run(share)

    def _leave(self, share: Share, reason: str = "") -> None:
        """People decide these rows. The model is asked all the same, unseen, unless it failed just now."""
        failures = leave(share, reason)
        share.view.count.left(len(share.rows))
        self._remember(share.view, share.view.live, share.asks, Block(share.inputs, failures))
        if share.view.shadows and not reason:
            self._shadows.offer(share)

    def _give_up(self, share: Share, error: Exception) -> None:
        problem = error if isinstance(error, PassingError) else RuntimeFailed("the model could not be asked")
        problem = unquoted(problem) if isinstance(problem, RuntimeFailed) else problem
        for ask, record in zip(share.asks, share.inputs, strict=True):
            ask.outcomes[record.row] = problem
            record.features, record.refusal = None, Refusal("row", "runtime", str(problem))
        self._remember(share.view, share.assigned, share.asks, Block(share.inputs))
        self._offer(share)

    def _let_go(self, share: Share) -> list[int]:
        """The places of rows whose callers still wait for this share; of those whose time ran out, say so."""
        gone = [place for place, ask in enumerate(share.asks) if not ask.open and place not in share.left]
        if gone:
            expired = share.part(gone)
            for record in expired.inputs:
                record.features, record.refusal = None, Refusal("row", "deadline", "the deadline passed first")
            self._remember(share.view, share.assigned, expired.asks, Block(expired.inputs))
            self._offer(expired)
        return [place for place, ask in enumerate(share.asks) if ask.open and place not in share.left]

    def _offer(self, share: Share) -> None:
        """Have shadows answer the rows too: what one of two alone answers in time tells them apart."""
        if share.view.shadows and share.role in (Role.LIVE, Role.CANARY):
            self._shadows.offer(share)

    # --- its end

    def _remember(self, view: View, seat: Seat, asks: list[Ask], block: Block) -> None:
        then = partial(self._remembered, view, asks)
        if seat.large is None:
            self._memory.keep(view, seat.schema, block, then)
        else:
            self._memory.keep_large(view, seat, block, then)

    def _remembered(self, view: View, asks: list[Ask], problem: JournalUnavailable | None) -> None:
        """The records of these rows are on disk, or never will be: their requests are a row nearer to a reply."""
        if problem is not None:
            _forgotten(view, asks, len(asks), problem)
        for ask in asks:
            ask.unsettled -= 1
            if not ask.unsettled:
                ask.close()

    def _remembered_whole(self, view: View, spans: Sequence[Span], problem: JournalUnavailable | None) -> None:
        """The same for rows that are columns."""
        if problem is not None:
            _forgotten(view, [each.ask for each in spans], sum(each.rows for each in spans), problem)
        for ask, _, rows in spans:
            ask.are_remembered(rows)

    # --- patience

    def _watch(self, asks: list[Ask]) -> None:
        """Look after requests that outlive their tick."""
        self._open.update(asks)
        if self._open and not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Let the live version answer for those who are late, and tell callers whose time ran out."""
        self._sweeping = False  # first, so that a fault below does not end all sweeping
        now = perf_counter_ns()
        for share in list(self._lanes.canaries):
            late = [at for at, ask in enumerate(share.asks) if ask.patience < now and ask.open and at not in share.left]
            if late:
                part = share.part(late)
                share.left.update(late)
                share.seat.served.standing.failed(monotonic())
                self._fall_back(part, "late")
        self._open = {ask for ask in self._open if ask.open}
        for ask in [ask for ask in self._open if ask.deadline < now]:
            ask.expire()
        self._watch([])


def _forgotten(view: View, asks: Iterable[Ask], rows: int, problem: JournalUnavailable) -> None:
    view.count.unjournalled(rows)
    for ask in asks:
        ask.journalled = False
        ask.refusal = problem if view.must_remember else None


def _by_view(asks: list[Ask]) -> Iterable[tuple[View, list[Ask]]]:
    """Requests by the view they were read under; nearly always there is one."""
    view = asks[0].view
    if len(asks) == 1 or all(ask.view is view for ask in asks):
        return ((view, asks),)
    found: dict[View, list[Ask]] = {}
    for ask in asks:
        found.setdefault(ask.view, []).append(ask)
    return found.items()
