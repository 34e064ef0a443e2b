"""What a worker that never comes back left open is finished: after a while, once, and never under a living writer."""

import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from headgate.clock import HeldClock
from headgate.controller.chores import Chores
from headgate.controller.decide import QUIET, Done, Finish, Seal, Seen, chores
from headgate.controller.declared import Declared
from headgate.journal.lake import Lake
from headgate.journal.orphans import Orphans
from headgate.journal.ports import Stream
from headgate.journal.records import Block, Input, Schema
from headgate.registry.packages import PackageStore
from headgate.registry.registry import Registry
from headgate.testing.disk import UnkindDisk
from headgate.testing.memory import MemoryStore
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import Micros

W0, W1 = Stream("here-w0"), Stream("here-w1")
SCHEMA = Schema("default", "late", "sha256:00", (), "binary", "boolean")


def seen(running_s: float, quiet_s: dict[Stream, float]) -> Seen:
    return Seen(now=Micros(0), running_s=running_s, closed_segments=0, retention_days={}, quiet_s=quiet_s)


def test_a_stream_that_still_grows_is_left_alone() -> None:
    assert chores(seen(100.0, {W0: QUIET - 0.1}), Done(), seal_interval=10.0) == ()


def test_a_quiet_stream_is_asked_after_once_in_a_while() -> None:
    due = chores(seen(100.0, {W0: QUIET, W1: 2 * QUIET}), Done(), seal_interval=10.0)
    assert due == (Finish(W0), Finish(W1))
    done = Done(finished_s={W0: 100.0})
    assert chores(seen(100.0 + QUIET - 0.1, {W0: 2 * QUIET}), done, seal_interval=10.0) == ()
    assert chores(seen(100.0 + QUIET, {W0: 2 * QUIET}), done, seal_interval=10.0) == (Finish(W0),)


class Watched:
    """Chores over segments in memory, a held second hand, and a port that remembers what it was asked."""

    def __init__(self, root: Path) -> None:
        self.segments = MemorySegments()
        self.seconds = 0.0
        self.asked: list[tuple[float, Stream]] = []
        store, clock = MemoryStore(), HeldClock(Micros(0))
        self.chores = Chores(
            declared=Declared(store, Registry(store, PackageStore(root / "packages"), clock), lambda: b"s" * 32, store),
            segments=self.segments,
            finish=self.finish,
            lake=Lake(root / "lake"),
            orphans=Orphans(UnkindDisk(), self.segments, Lake(root / "lake"), clock=clock),
            events=store,
            clock=clock,
            seal_interval=10.0,
            seconds=lambda: self.seconds,
        )

    def finish(self, stream: Stream) -> bool:
        self.asked.append((self.seconds, stream))
        return False

    def write(self, stream: Stream, *, closed: bool = False) -> None:
        block = Block([Input(bytes(16), 0, (), "r", 0)])
        self.segments.write(stream, 1, [(SCHEMA, block)], closed=closed)

    def turn_at(self, seconds: float) -> tuple[object, ...]:
        self.seconds = seconds
        return self.chores.turn()


def test_growth_starts_the_wait_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.write(W0)
    watched.turn_at(0.0)
    watched.turn_at(QUIET - 1)
    watched.write(W0)
    watched.turn_at(QUIET)
    assert watched.turn_at(2 * QUIET - 1) == ()
    assert watched.turn_at(2 * QUIET) == (Finish(W0),)
    assert watched.asked == [(2 * QUIET, W0)]


def test_a_closed_segment_is_sealed_and_not_asked_after(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.write(W0, closed=True)
    assert watched.turn_at(0.0) == (Seal(),)
    assert watched.turn_at(5 * QUIET) == ()
    assert watched.asked == []


@given(
    st.lists(st.tuples(st.floats(0.0, 40.0), st.sampled_from([None, W0, W1])), max_size=20).map(
        lambda steps: [(sum(wait for wait, _ in steps[: place + 1]), who) for place, (_, who) in enumerate(steps)]
    )
)
def test_nobody_is_asked_after_who_wrote_within_the_wait(steps: list[tuple[float, Stream | None]]) -> None:
    wrote: dict[Stream, float] = {}
    with tempfile.TemporaryDirectory() as root:
        watched = Watched(Path(root))
        for seconds, who in steps:
            if who is not None:
                watched.write(who)
                wrote[who] = seconds
            before = len(watched.asked)
            watched.turn_at(seconds)
            assert all(seconds - wrote[stream] >= QUIET for _, stream in watched.asked[before:])
        for stream in wrote:
            times = [at for at, asked in watched.asked if asked == stream]
            assert all(later - earlier >= QUIET for earlier, later in pairwise(times))
