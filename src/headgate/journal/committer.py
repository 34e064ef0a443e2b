"""Acknowledged means remembered: one thread that puts everything which arrived meanwhile on disk in one sync.

A gateway worker calls `Committer.write` once per endpoint and event-loop tick. The records are encoded there and
then, so that the caller may reuse them; appending, syncing and acknowledging happen in the committer's own
thread, and everything that arrives while one commit runs forms the next. No timer holds back a record somebody
waits for: a sync already running gathers company enough. Records nobody waits for (``done`` is None) do wait for
company, `commit_interval` seconds at most, because each sync costs the loop a few changes of thread.
"""

import logging
import threading
from dataclasses import dataclass
from typing import Final

import msgspec

from headgate.clock import Clock
from headgate.errors import JournalUnavailable
from headgate.journal.frames import MAX_PAYLOAD, Kind
from headgate.journal.packed import PackedBlock, Part
from headgate.journal.ports import Disk, Done, Stream
from headgate.journal.records import Block, Schema
from headgate.journal.segment import Segment, recover
from headgate.vocabulary import SECOND

_LOG: Final = logging.getLogger(__name__)


_Entry = tuple[Schema, Kind, list[Part], int, Done | None]
"""A block's schema, how it is encoded, the bytes in parts, how many they are, and who is told."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What a committer did since it began."""

    commits: int
    """Groups put on disk."""
    committed_bytes: int
    """Encoded blocks put on disk."""
    failures: int
    """Appends, syncs and openings the disk refused."""
    refused: int
    """Blocks not taken: the journal was unhealthy, full or closed."""
    waiting_bytes: int
    """Encoded blocks taken and not yet on disk."""


class Committer:
    """The Journal port over a disk: group commit, rotation, and recovery from a disk that fails.

    `clock` is the machine's, in a replay too: it says when a segment is old and when to try a failed disk again.
    Make it in the process that writes (threads do not survive a fork), and only while the stream has no other
    writer. If the first segment cannot be opened the committer begins unhealthy instead of raising.
    `write` may be called from any thread.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from headgate.clock import SystemClock
    >>> from headgate.journal.disk import LocalDisk
    >>> schema = Schema("default", "delays", "sha256:00", (), "binary", "boolean")
    >>> with tempfile.TemporaryDirectory() as root:
    ...     journal = Committer(LocalDisk(Path(root)), Stream("here-0"), clock=SystemClock())
    ...     told = threading.Event()
    ...     taken = journal.write(schema, Block(), lambda problem: told.set())
    ...     taken and told.wait(10)
    ...     journal.close()
    True
    """

    def __init__(
        self,
        disk: Disk,
        stream: Stream,
        *,
        clock: Clock,
        commit_interval: float = 0.01,
        segment_bytes: int = 64 * 1024 * 1024,
        rotate_after: float = 30.0,
        retry_after: float = 1.0,
        queue_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        """Recover the stream, open its next segment and start the thread.

        commit_interval: seconds that records nobody waits for may gather before a commit; 0 means none.
        segment_bytes: a segment is closed when it has grown to this size.
        rotate_after: seconds after which a segment with records in it is closed, so that it can be sealed.
        retry_after: seconds between two attempts to open a segment after a failure.
        queue_bytes: encoded bytes that may wait for the disk before blocks are refused.
        """
        self._disk = disk
        self._stream = stream
        self._clock = clock
        self._commit_interval = commit_interval
        self._segment_bytes = segment_bytes
        self._rotate_us = int(rotate_after * SECOND)
        self._retry_after = retry_after
        self._queue_bytes = min(queue_bytes, MAX_PAYLOAD)
        self._encode = msgspec.msgpack.Encoder().encode

        # Guarded by the condition's lock: what callers and the thread both touch.
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)
        self._pending: list[_Entry] = []
        self._waiting_bytes = 0
        self._urgent = False
        self._sleeping = False
        self._gathering = False
        self._closing = False
        self._healthy = True
        self._refused = 0

        # Touched by the thread alone, once it runs.
        self._segment: Segment | None = None
        self._sequence: int | None = None
        self._unclosed: list[Segment] = []
        self._retry_at = 0
        self._failures = 0
        self._commits = 0
        self._committed_bytes = 0

        self._open()
        self._thread = threading.Thread(target=self._run, name=f"journal-{stream}", daemon=True)
        self._thread.start()

    @property
    def healthy(self) -> bool:
        """False from the first failed write until a new segment could be opened."""
        return self._healthy

    @property
    def counters(self) -> Counters:
        """What was done so far; each number is right, together they may be of neighbouring moments."""
        return Counters(self._commits, self._committed_bytes, self._failures, self._refused, self._waiting_bytes)

    @property
    def idle(self) -> bool:
        """Whether nothing waits for the disk."""
        return self._waiting_bytes == 0

    @property
    def full(self) -> bool:
        """Whether half of what may wait for the disk waits: time to take no more requests."""
        return self._waiting_bytes * 2 > self._queue_bytes

    @property
    def pressed(self) -> bool:
        """Whether a quarter of what may wait for the disk waits: time to write less of each."""
        return self._waiting_bytes * 4 > self._queue_bytes

    def write(self, schema: Schema, block: Block | PackedBlock, done: Done | None) -> bool:
        """Encode `block` now and have it put on disk; `done` is told once. Never blocks on the disk.

        `done` comes from the committer's thread; where the block is not taken at all (the journal is closed,
        unhealthy or has `queue_bytes` waiting) it is told before `write` returns. An unhealthy journal takes a
        block again once `retry_after` has passed: that block is the attempt. Returns whether it was taken.
        Raises TypeError if a value in `block` is not one msgpack knows.
        """
        kind, payload, size = self._encoded(block)
        with self._lock:  # the condition's own `with` is two more calls in Python, on the request path
            refusal = self._refusal(size)
            if refusal is None:
                self._pending.append((schema, kind, payload, size, done))
                self._waiting_bytes += size
                if done is not None:
                    self._urgent = True
                if self._sleeping or (self._gathering and self._urgent):
                    self._sleeping = self._gathering = False
                    self._ready.notify()
                return True
            self._refused += 1
        if done is not None:
            done(JournalUnavailable(refusal, self._retry_after))
        return False

    def close(self) -> None:
        """Commit what was written, close the segment, stop the thread. A second call does nothing."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()

    def _encoded(self, block: Block | PackedBlock) -> tuple[Kind, list[Part], int]:
        """How `block` is encoded, its bytes, and how many they are."""
        if isinstance(block, PackedBlock):
            parts = block.parts()
            return Kind.COLUMNS, parts, sum(map(len, parts))
        payload = self._encode(block)
        return Kind.BLOCK, [payload], len(payload)

    def _refusal(self, size: int) -> str | None:
        """Why a block of `size` bytes is not taken, or None; called under the lock."""
        if self._closing:
            return "the journal is closed"
        if not self._healthy and self._clock.now() < self._retry_at:
            return "the journal cannot be written: free space or repair the disk, writing resumes by itself"
        if self._waiting_bytes + size > self._queue_bytes:
            return "too many records wait for the disk: send fewer, or give the journal a faster disk"
        return None

    def _run(self) -> None:
        while True:
            group, closing = self._take()
            if self._segment is None and (group or not closing):
                self._open()
            if group:
                self._commit(group)
            self._rotate_if_due()
            if closing and not group:
                break
        if self._segment is not None:
            self._close_segment(self._segment)
            self._segment = None

    def _take(self) -> tuple[list[_Entry], bool]:
        """Wait for records, for the next chore or for the end; the group to commit and whether the end has come."""
        with self._ready:
            if not self._pending and not self._closing:
                self._sleeping = True
                self._ready.wait(self._until_chore())
                self._sleeping = False
            if self._pending and not self._urgent and not self._closing and self._commit_interval > 0:
                self._gathering = True
                self._ready.wait(self._commit_interval)
                self._gathering = False
            group, self._pending = self._pending, []
            self._urgent = False
            return group, self._closing

    def _until_chore(self) -> float | None:
        """Seconds until the thread has something to do although nobody writes; None means nothing."""
        if self._segment is None:
            return self._retry_after
        if self._segment.empty:
            return None
        return max(0.0, (self._segment.created + self._rotate_us - self._clock.now()) / SECOND)

    def _commit(self, group: list[_Entry]) -> None:
        """Put `group` on disk and say so, or give the segment up and say that."""
        segment = self._segment
        if segment is None:
            self._settle(group, JournalUnavailable("the journal cannot be written", self._retry_after))
            return
        try:
            segment.commit((schema, kind, payload) for schema, kind, payload, _, _ in group)
        except Exception as problem:  # whatever it is, nobody may wait for ever and nothing may be acknowledged
            self._give_up(segment, group, problem)
        else:
            self._commits += 1
            self._committed_bytes += _size(group)
            self._settle(group, None)

    def _give_up(self, segment: Segment, group: list[_Entry], problem: Exception) -> None:
        self._segment = None
        with self._ready:
            self._turn_unhealthy()
            group = group + self._pending
            self._pending = []
            self._urgent = False
        _LOG.error("journal of %s cannot be written: %s", self._stream, _name(problem))
        segment.seal_off()  # before anyone hears of it: a caller told "not kept" must not read it back
        if not segment.closed:
            self._unclosed.append(segment)
        self._settle(group, JournalUnavailable(f"the journal cannot be written: {_name(problem)}", self._retry_after))

    def _turn_unhealthy(self) -> None:
        self._healthy = False
        self._failures += 1
        self._retry_at = self._clock.now() + int(self._retry_after * SECOND)

    def _settle(self, group: list[_Entry], problem: JournalUnavailable | None) -> None:
        with self._ready:
            self._waiting_bytes -= _size(group)
        for *_, done in group:
            if done is not None:
                try:
                    done(problem)
                except Exception:  # one caller's mistake must not cost the others their answer
                    _LOG.exception("a callback of the journal of %s failed", self._stream)

    def _open(self) -> None:
        """Open the next segment; the first time, put right what an earlier writer left."""
        try:
            if self._sequence is None:
                self._sequence = recover(self._disk, self._stream)
            sequence, self._sequence = self._sequence, self._sequence + 1  # a number that failed is not used again
            self._segment = Segment(self._disk, self._stream, sequence, self._clock.now())
        except Exception as problem:
            with self._ready:
                self._turn_unhealthy()
            _LOG.error("journal of %s cannot be opened: %s", self._stream, _name(problem))
            return
        self._healthy = True
        leftovers, self._unclosed = self._unclosed, []
        for segment in leftovers:
            self._close_segment(segment)

    def _rotate_if_due(self) -> None:
        segment = self._segment
        if segment is None or segment.empty:
            return
        age = self._clock.now() - segment.created
        # A clock set back makes the age negative; such a segment would otherwise stay open for too long.
        if segment.size >= self._segment_bytes or not 0 <= age < self._rotate_us:
            self._segment = None
            self._close_segment(segment)
            self._open()

    def _close_segment(self, segment: Segment) -> None:
        try:
            segment.close()
        except Exception as problem:  # its records are safe under the open name; it is tried again with the next one
            self._failures += 1
            self._unclosed.append(segment)
            _LOG.error("segment %d of %s could not be closed: %s", segment.sequence, self._stream, _name(problem))


def _size(group: list[_Entry]) -> int:
    return sum([size for _, _, _, size, _ in group])


def _name(problem: Exception) -> str:
    """What a person needs to know of a failure: the system's words for an OSError, else its class."""
    return problem.strerror or type(problem).__name__ if isinstance(problem, OSError) else type(problem).__name__
