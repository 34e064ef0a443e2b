"""Answers nobody waits for: what one version has answered is asked of its shadows, a little later.

`answer.py` hands over rows once the version they were for has spoken: the live one, or a candidate that has
all callers and is watched by the version before. A shadow must neither delay nor change an answer: the work begins in a
later turn of the loop, goes on beside it with one call at a time per package, steps aside for callers of the same
package, and is the first thing shed. Whatever goes wrong is a record of the shadow's own, for evidence to count.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from typing import Any, Final

from headgate.gateway.ask import Share
from headgate.gateway.columns import Matrix
from headgate.gateway.complaints import Complaints
from headgate.gateway.divide import BISECT_SECONDS, BULK, ROWS_PER_CALL
from headgate.gateway.handed import Batch, Handed, Works, handed
from headgate.gateway.metrics.counting import VersionCount
from headgate.gateway.remember import Memory
from headgate.gateway.room import Room
from headgate.gateway.stretch import Stretch
from headgate.gateway.view import Seat, Served, View, Views
from headgate.journal.packed import PackedBlock
from headgate.journal.records import Block
from headgate.runtimes.failure import is_of_rows, is_prompt
from headgate.traffic.shadows import ShadowShare
from headgate.vocabulary import Role

_LOG: Final = logging.getLogger(__name__)
QUEUE_ROWS: Final = 2048
"""Rows that wait for one package; what comes when so many do is shed."""
LARGE_QUEUE_ROWS: Final = 32
"""The same of endpoints whose rows may be pictures or tensors: it is their memory that is bounded."""
TRIES: Final = 128
"""Calls that one batch may cost: enough to find half a dozen rows a model fails on, and too few for one that fails on
all to keep the loop busy."""
EARLY_SECONDS: Final = 0.001
"""By how much the loop's timers, which count whole milliseconds, may ring too soon."""
GATHER_SECONDS: Final = 0.01
"""How long rows gather before shadows are handed them, unless there are many: nobody waits, and each time costs."""
ASIDE_SECONDS: Final = 0.005
"""How long a shadow waits before it looks again whether callers still ask the same package."""


class Shadows:
    """The shadows of all endpoints of one gateway; used from its event loop."""

    def __init__(self, memory: Memory, room: Room, views: Views, is_asked: Callable[[Served], bool]) -> None:
        """`views` is what is obeyed now; `is_asked` says whether callers wait for a package."""
        self._memory = memory
        self._room = room
        self._views = views
        self._is_asked = is_asked
        self._offered: list[Share | Stretch] = []
        self._fullness = 0.0
        """Of what may wait, the part that is offered."""
        self._handing: asyncio.Handle | None = None
        self._queues: dict[Served, _Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._complaints = Complaints()
        self._stopped = False

    def offer(self, work: Share | Stretch) -> None:
        """Take note of rows that are answered, or left to people: all that their own turn of the loop has to do."""
        work.view.shadowing += len(work)
        self._offered.append(work)
        was, self._fullness = self._fullness, self._fullness + len(work) / _most_waiting(work.view)
        if self._handing is None:
            self._handing = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._hand_over)
        if was < 1.0 <= self._fullness:
            self._handing.cancel()
            self._handing = asyncio.get_running_loop().call_soon(self._hand_over)

    def waiting(self) -> dict[VersionCount, int]:
        """Rows that wait for each shadow while it is busy with others."""
        found: dict[VersionCount, int] = {}
        for queue in self._queues.values():
            for each in queue.parts:
                found[each.seat.count] = found.get(each.seat.count, 0) + len(each)
        return found

    @property
    def is_idle(self) -> bool:
        """Whether everything that was offered is asked and written down, or shed."""
        return not self._offered and not self._queues

    async def stop(self) -> None:
        """Ask nothing more; what waits or is under way is shed."""
        self._stopped = True
        if self._handing is not None:
            self._handing.cancel()
            self._hand_over()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for queue in self._queues.values():
            while queue.rows:
                batch = queue.take(ROWS_PER_CALL)
                _shed(batch)
                _end(batch)
        self._queues.clear()

    # --- handing over

    def _hand_over(self) -> None:
        offered, self._offered = self._offered, []
        self._handing, self._fullness = None, 0.0
        sheds = self._sheds()
        for works in _alike(offered):
            rows = sum(map(len, works))
            try:
                if sheds:
                    _spare(works[0], rows)
                else:
                    self._put(works)
            except Exception:  # nothing of a shadow may reach the loop
                _LOG.exception("rows could not be handed over to a shadow of %s", works[0].view.traffic.endpoint)
            finally:
                works[0].view.shadowing -= rows

    def _sheds(self) -> bool:
        """Whether there is enough to do for callers."""
        if self._stopped or self._room.crowded:
            return True
        return self._memory.pressed or not self._memory.healthy

    def _put(self, works: Works) -> None:
        for seat, share in _beside(works[0]):
            found = handed(works, seat, share)
            if found is not None:
                self._queue(found)

    def _queue(self, found: Handed) -> None:
        view, seat = found.view, found.seat
        queue = self._queues.get(seat.served)
        is_new = queue is None
        if queue is None:
            queue = self._queues[seat.served] = _Queue()
        kept = queue.put(found, _most_waiting(view))
        view.shadowing += kept
        if kept < len(found):
            seat.count.shadow.shed(len(found) - kept)
        if is_new:
            task = asyncio.get_running_loop().create_task(self._drain(seat.served, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # --- asking

    async def _drain(self, served: Served, queue: "_Queue") -> None:
        while queue.rows:
            limit = _rows_per_call(queue.parts[0].seat)
            await asyncio.sleep(0)  # where nothing is asked, as during a rest, the loop would hear nobody
            batch = queue.take(limit)
            try:
                await self._ask(served, batch)
            except Exception:  # a fault of ours must cost these rows only, never the lane
                _LOG.exception("rows could not be asked of a shadow of %s", batch.view.traffic.endpoint)
            finally:
                _end(batch)
        del self._queues[served]

    async def _ask(self, served: Served, batch: Batch) -> None:
        """Have `batch` answered, in parts where some of its rows fail."""
        parts, tries = [batch], TRIES
        try:
            while parts:
                part = parts[-1]
                await self._step_aside(served, batch)
                if not self._is_wanted(batch):
                    return
                if served.standing_aside.may_be_asked(monotonic()):
                    tries -= 1
                    parts[-1:] = await self._call(served, part, may_split=tries > 0)
                else:
                    self._fail(part, "resting")
                    parts.pop()
        finally:
            for part in parts:  # nobody wants them any more, or this was cancelled, or met a fault of ours
                _shed(part)

    async def _call(self, served: Served, batch: Batch, *, may_split: bool) -> tuple[Batch, ...]:
        """One call, and what is to be asked again of it."""
        began, standing = monotonic(), served.standing_aside
        try:
            async with asyncio.timeout(batch.view.deadline_ns / 1e9 + EARLY_SECONDS):
                outputs = await served.placement.run(batch.feeds())
            is_kept = self._keep(batch, batch.answered(outputs))
        except TimeoutError:
            standing.failed(monotonic())
            self._fail(batch, "late")
        except Exception as error:
            if may_split and batch.rows > 1 and is_of_rows(error) and monotonic() - began < BISECT_SECONDS:
                return batch.halves()[::-1]
            self._complaints.hear(batch.seat.version, error)
            if not is_prompt(error):
                standing.failed(monotonic())
            self._fail(batch, "failed")
        else:
            standing.answered()
            if is_kept:
                batch.seat.count.ran_beside(batch.rows, outputs.compute_us)
        return ()

    async def _step_aside(self, served: Served, batch: Batch) -> None:
        """Wait while callers wait for the same package: they would wait behind rows nobody waits for."""
        while self._is_asked(served) and self._is_wanted(batch):
            await asyncio.sleep(ASIDE_SECONDS)

    def _is_wanted(self, batch: Batch) -> bool:
        """Whether the traffic of now still has that shadow; else its process is about to end, which is no failure."""
        now = self._views.get(batch.view.key)
        return now is not None and any(seat.served is batch.seat.served for seat, _ in now.shadows)

    def _fail(self, batch: Batch, reason: str) -> None:
        if self._keep(batch, batch.failed(reason)):
            batch.seat.count.shadow.failed(reason, batch.rows)

    def _keep(self, batch: Batch, records: Block | PackedBlock) -> bool:
        """Write `records`; where the journal is pressed or does not take them, its rows count as shed."""
        if not self._memory.pressed and self._memory.write(batch.seat.schema, records):
            return True
        _shed(batch)
        return False


class _Queue:
    """Rows that wait for one package, oldest first."""

    __slots__ = ("parts", "rows")

    def __init__(self) -> None:
        self.parts: deque[Handed] = deque()
        self.rows = 0

    def put(self, found: Handed, limit: int) -> int:
        """Keep as many of the rows as there is room for within `limit`; how many that were."""
        kept = min(len(found), limit - self.rows)
        if kept <= 0:
            return 0
        self.parts.append(found if kept == len(found) else found.part(0, kept))
        self.rows += kept
        return kept

    def take(self, limit: int) -> Batch:
        """The oldest rows, at most `limit`, of one revision of one endpoint; there are some."""
        found = [self.parts.popleft()]
        size = len(found[0])
        if size > limit:
            self.parts.appendleft(found[0].part(limit, size))
            found, size = [found[0].part(0, limit)], limit
        while self.parts and self.parts[0].seat is found[0].seat and size + len(self.parts[0]) <= limit:
            size += len(self.parts[0])
            found.append(self.parts.popleft())
        self.rows -= size
        return Batch(found)


def _rows_per_call(seat: Seat) -> int:
    """Few where callers are sent to the same version: whoever comes during a call waits for its end."""
    if seat.served.feeds.ragged:
        return 1
    return BULK if seat.member.weight > 0 else ROWS_PER_CALL


def _end(batch: Batch) -> None:
    """Nothing of it needs its view any more."""
    batch.view.shadowing -= batch.rows


def _shed(batch: Batch) -> None:
    batch.seat.count.shadow.shed(batch.rows)


def _most_waiting(view: View) -> int:
    return QUEUE_ROWS if view.samples else LARGE_QUEUE_ROWS


def _alike(offered: Sequence[Share | Stretch]) -> Iterable[Works]:
    """All of one view, one role and one shape of rows together, in the order they came."""
    found: dict[tuple[object, ...], list[Any]] = {}
    for work in offered:
        if isinstance(work, Share):
            key: tuple[object, ...] = (id(work.view), work.role)
        elif isinstance(work.columns, Matrix):
            key = (id(work.view),)
        else:
            key = (id(work.view), id(work))  # columns with nulls and flags are not joined
        found.setdefault(key, []).append(work)
    return found.values()


def _spare(work: Share | Stretch, rows: int) -> None:
    """Count as shed what would have been handed over, by its share: to draw for each row would be work too."""
    for seat, share in _beside(work):
        seat.count.shadow.shed(rows * share.share)


def _beside(work: Share | Stretch) -> Iterator[tuple[Seat, ShadowShare]]:
    """Those that answer rows of `work` beside who decides them: all but a model that was asked already.

    What a candidate decides in the live version's place is the live version's to answer, and no other's.
    """
    role = work.role if isinstance(work, Share) else Role.LIVE
    return (each for each in work.view.shadows if role is Role.HUMAN or each[0].is_live is (role is Role.CANARY))
