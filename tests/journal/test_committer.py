import errno
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.journal.writing import DELAYS, START, Told, block, committer, kept, schema, write

from headgate.clock import HeldClock, SystemClock
from headgate.errors import JournalUnavailable
from headgate.journal.disk import LocalDisk
from headgate.journal.packed import Alike, Cells, PackedBlock
from headgate.journal.ports import Disk
from headgate.journal.records import Block, Input
from headgate.journal.scan import scan
from headgate.journal.segment import LARGE
from headgate.journal.segments import DiskSegmentSource
from headgate.testing.disk import CRASH, UnkindDisk
from headgate.vocabulary import SECOND, Micros


class SlowDisk(UnkindDisk):
    """A disk whose syncs wait for the test, once it says so."""

    def __init__(self) -> None:
        super().__init__()
        self.may_sync = threading.Event()
        self.may_sync.set()
        self.syncing = threading.Event()

    def call(self, name: str, path: str, life: int, on_fault: Callable[[], None] | None = None):  # type: ignore[no-untyped-def]
        if name == "sync":
            self.syncing.set()
            assert self.may_sync.wait(20)
        return super().call(name, path, life, on_fault)


def sequences(disk: Disk) -> list[tuple[int, bool]]:
    return [(each.sequence, each.closed) for each in DiskSegmentSource(disk).segments()]


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for the committer's thread to finish a chore nobody is told about."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.001)


def test_acknowledged_means_it_survives_a_power_loss() -> None:
    disk = UnkindDisk()
    journal = committer(disk)
    for number in range(3):
        assert write(journal, number) is None
        assert [call.name for call in disk.calls[-2:]] == ["append", "sync"]
    disk.power_loss()
    assert kept(disk) == [0, 1, 2]
    journal.close()


def test_acknowledged_means_a_packed_block_survives_a_power_loss(tmp_path: Path) -> None:
    rows = LARGE // 8  # its ids and its features are written by themselves
    names = b"".join(each.to_bytes(16) for each in range(rows))
    features = Cells("features", np.arange(9.0 * rows).reshape(rows, 9))
    packed = PackedBlock(names, inputs=Alike(Input(b"", 0, None, "r", 0), [features]))
    disks: tuple[Disk, ...] = (UnkindDisk(), LocalDisk(tmp_path))
    for disk in disks:
        journal, told = committer(disk), Told()
        assert journal.write(DELAYS, packed, told)
        assert told.wait() is None
        if isinstance(disk, UnkindDisk):
            disk.power_loss()
        assert kept(disk) == list(range(rows))
        assert journal.counters.committed_bytes == sum(map(len, packed.parts()))
        assert journal.counters.waiting_bytes == 0
        journal.close()


def test_nothing_is_acknowledged_before_its_sync() -> None:
    disk = SlowDisk()
    journal = committer(disk)
    disk.may_sync.clear()
    told = Told()
    disk.syncing.clear()
    journal.write(DELAYS, block(1), told)
    assert disk.syncing.wait(20)
    assert told.answers == []
    disk.may_sync.set()
    assert told.wait() is None
    journal.close()


def test_what_arrives_during_a_commit_shares_the_next() -> None:
    disk = SlowDisk()
    journal = committer(disk)
    disk.may_sync.clear()
    disk.syncing.clear()
    told = [Told() for _ in range(5)]
    journal.write(DELAYS, block(0), told[0])
    assert disk.syncing.wait(20)
    for number in range(1, 5):
        journal.write(DELAYS, block(number), told[number])
    disk.may_sync.set()
    assert [each.wait() for each in told] == [None] * 5
    assert journal.counters.commits == 2
    journal.close()
    assert [each.answers for each in told] == [[None]] * 5
    assert kept(disk) == [0, 1, 2, 3, 4]


def test_the_block_is_encoded_when_written() -> None:
    disk = UnkindDisk()
    journal = committer(disk)
    reused = block(1)
    journal.write(DELAYS, reused, None)
    reused.inputs.clear()
    journal.close()
    assert kept(disk) == [1]


def test_records_nobody_waits_for_gather_and_are_synced() -> None:
    disk = UnkindDisk()
    journal = committer(disk, commit_interval=1000.0)
    for number in range(10):
        journal.write(DELAYS, block(number), None)
    assert write(journal, 10) is None, "a record somebody waits for ends the gathering"
    assert journal.counters.commits == 1
    disk.power_loss()
    assert kept(disk) == list(range(11))
    journal.close()


def test_gathering_ends_by_itself() -> None:
    disk = UnkindDisk()
    journal = committer(disk, commit_interval=0.001)
    journal.write(DELAYS, block(1), None)
    eventually(lambda: journal.counters.commits == 1)
    disk.power_loss()
    assert kept(disk) == [1]
    journal.close()


def test_close_commits_what_was_written() -> None:
    disk = UnkindDisk()
    journal = committer(disk, commit_interval=1000.0)
    journal.write(DELAYS, block(1), None)
    told = Told()
    journal.close()
    journal.close()
    journal.write(DELAYS, block(2), told)
    assert isinstance(told.wait(), JournalUnavailable)
    disk.power_loss()
    assert kept(disk) == [1]
    assert sequences(disk) == [(0, True)]


def test_an_unused_journal_leaves_nothing() -> None:
    disk = UnkindDisk()
    committer(disk).close()
    assert sequences(disk) == []


def test_a_new_committer_takes_up_after_a_dead_one() -> None:
    disk = UnkindDisk()
    write(committer(disk), 1)
    disk.power_loss()
    second = committer(disk)
    write(second, 2)
    assert sequences(disk) == [(0, True), (1, False)]
    second.close()
    assert kept(disk) == [1, 2]


def test_segments_rotate_by_size() -> None:
    disk = UnkindDisk()
    journal = committer(disk, segment_bytes=1)
    for number in range(3):
        write(journal, number)
    journal.close()
    assert sequences(disk) == [(0, True), (1, True), (2, True)]
    assert kept(disk) == [0, 1, 2]
    for each in DiskSegmentSource(disk).segments():
        assert scan(DiskSegmentSource(disk).read(each)).blocks[0][0] == DELAYS, "each segment explains itself"


@pytest.mark.parametrize("moved", [10 * SECOND, -10 * SECOND])
def test_segments_rotate_by_age(moved: int) -> None:
    class Jumping:
        moment = START

        def now(self) -> Micros:
            return self.moment

    disk, clock = UnkindDisk(), Jumping()
    journal = committer(disk, clock, rotate_after=10.0)
    write(journal, 1)
    clock.moment = Micros(START + moved)
    write(journal, 2)
    eventually(lambda: sequences(disk) == [(0, True), (1, False)])
    journal.close()
    assert kept(disk) == [1, 2]


def test_an_idle_segment_is_closed_by_itself() -> None:
    disk = UnkindDisk()
    journal = committer(disk, SystemClock(), rotate_after=0.01)
    write(journal, 1)
    eventually(lambda: (0, True) in sequences(disk))
    journal.close()


def test_a_full_queue_refuses_instead_of_growing() -> None:
    disk = SlowDisk()
    journal = committer(disk, queue_bytes=400)
    disk.may_sync.clear()
    disk.syncing.clear()
    first, second = Told(), Told()
    journal.write(DELAYS, block(1), first)
    assert disk.syncing.wait(20)
    journal.write(DELAYS, block(*range(10)), second)
    assert isinstance(second.answers[0], JournalUnavailable), "refused at once, on the caller's thread"
    journal.write(DELAYS, block(*range(10)), None)
    assert journal.healthy
    disk.may_sync.set()
    assert first.wait() is None
    assert journal.counters.refused == 2
    journal.close()
    assert kept(disk) == [1]
    assert journal.counters.waiting_bytes == 0


@pytest.mark.parametrize("call", ["append", "sync"])
def test_a_failing_disk_turns_the_journal_unhealthy_until_a_new_segment_opens(call: str) -> None:
    disk, clock = UnkindDisk(), HeldClock(START)
    journal = committer(disk, clock)
    assert write(journal, 1) is None
    disk.faults = {len(disk.calls) + (call == "sync"): errno.EIO}
    problem = write(journal, 2)
    assert isinstance(problem, JournalUnavailable)
    assert "Input/output error" in str(problem)
    assert not journal.healthy
    assert isinstance(write(journal, 3), JournalUnavailable), "refused before the next attempt is due"
    clock.move_to(Micros(START + 1000 * SECOND))
    assert write(journal, 4) is None
    eventually(lambda: journal.healthy)
    journal.close()
    disk.power_loss()
    assert kept(disk) == [1, 4]
    assert sequences(disk) == [(0, True), (1, True)]
    assert (journal.counters.failures, journal.counters.refused) == (1, 1)


def test_what_waited_behind_a_failing_commit_is_told_and_not_kept() -> None:
    disk = SlowDisk()
    journal = committer(disk)
    write(journal, 0)
    disk.faults = {len(disk.calls) + 1: errno.EIO}
    disk.may_sync.clear()
    disk.syncing.clear()
    told = [Told() for _ in range(3)]
    journal.write(DELAYS, block(1), told[0])
    assert disk.syncing.wait(20)
    journal.write(DELAYS, block(2), told[1])
    journal.write(DELAYS, block(3), told[2])
    disk.may_sync.set()
    assert all(isinstance(each.wait(), JournalUnavailable) for each in told)
    journal.close()
    assert kept(disk) == [0]
    assert journal.counters.waiting_bytes == 0


def test_an_unhealthy_journal_recovers_without_traffic() -> None:
    disk = UnkindDisk()
    journal = committer(disk, SystemClock(), retry_after=0.005)
    disk.faults = {len(disk.calls): errno.ENOSPC}
    assert isinstance(write(journal, 1), JournalUnavailable)
    eventually(lambda: journal.healthy)
    assert write(journal, 2) is None
    journal.close()
    assert kept(disk) == [2]


def test_a_journal_that_cannot_begin_is_unhealthy_and_tries_again() -> None:
    disk, clock = UnkindDisk({0: errno.EIO, 1: errno.ENOSPC}), HeldClock(START)
    journal = committer(disk, clock)
    assert not journal.healthy
    clock.move_to(Micros(START + 1000 * SECOND))
    assert isinstance(write(journal, 1), JournalUnavailable), "the second attempt fails too"
    clock.move_to(Micros(START + 2000 * SECOND))
    assert write(journal, 2) is None
    journal.close()
    assert kept(disk) == [2]


def test_a_segment_that_will_not_close_keeps_its_records() -> None:
    disk = UnkindDisk()
    journal = committer(disk)
    write(journal, 1)
    disk.faults = {len(disk.calls): errno.EIO}
    journal.close()
    assert sequences(disk) == [(0, False)]
    committer(disk).close()
    assert sequences(disk) == [(0, True)]
    assert kept(disk) == [1]


@pytest.mark.parametrize("call", [0, 1], ids=["rename", "sync-folder"])
def test_a_segment_that_would_not_close_is_closed_with_the_next(call: int) -> None:
    disk = UnkindDisk()
    journal = committer(disk, segment_bytes=1)
    disk.faults = {len(disk.calls) + 2 + call: errno.EIO}
    for number in range(3):
        assert write(journal, number) is None
    journal.close()
    assert sequences(disk) == [(0, True), (1, True), (2, True)]
    disk.power_loss()
    assert sequences(disk) == [(0, True), (1, True), (2, True)]
    assert journal.counters.failures == 1


def test_a_sealed_off_segment_whose_name_stuck_is_closed_later() -> None:
    disk, clock = UnkindDisk(), HeldClock(START)
    journal = committer(disk, clock)
    write(journal, 1)
    disk.faults = dict.fromkeys(range(len(disk.calls), len(disk.calls) + 3), errno.EIO)
    write(journal, 2)
    assert sequences(disk) == [(0, False)]
    clock.move_to(Micros(START + 1000 * SECOND))
    assert write(journal, 3) is None
    journal.close()
    assert sequences(disk) == [(0, True), (1, True)]


def test_one_bad_callback_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    disk = UnkindDisk()
    journal = committer(disk, commit_interval=1000.0)

    def bad(problem: JournalUnavailable | None) -> None:
        raise RuntimeError("a mistake")

    journal.write(DELAYS, block(1), bad)
    assert write(journal, 2) is None
    journal.close()
    assert "callback" in caplog.text


def test_a_value_msgpack_does_not_know_is_the_callers_mistake() -> None:
    journal = committer(UnkindDisk())
    with pytest.raises(TypeError):
        journal.write(DELAYS, Block(inputs=[object()]), None)  # type: ignore[list-item]
    assert write(journal, 1) is None
    journal.close()


def test_many_threads_may_write(tmp_path: Path) -> None:
    disk = LocalDisk(tmp_path)
    journal = committer(disk, segment_bytes=20_000)
    told: list[list[Told]] = [[Told() for _ in range(100)] for _ in range(4)]

    def work(worker: int) -> None:
        for number, each in enumerate(told[worker]):
            journal.write(schema(f"e{worker}"), block(worker * 100 + number), each)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.wait() for group in told for each in group} == {None}
    journal.close()
    assert sorted(kept(disk)) == list(range(400))


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let the kernel refuse writes beyond `size` bytes of any file, as a full disk does: part first, then an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_real_file_that_fills_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    disk, clock = LocalDisk(tmp_path), HeldClock(START)
    journal = committer(disk, clock)
    acknowledged: list[int] = []
    with files_no_larger_than(100_000):
        for number in range(1000):
            told = Told()
            journal.write(DELAYS, block(*range(number * 100, number * 100 + 100)), told)
            if told.wait() is not None:
                break
            acknowledged += range(number * 100, number * 100 + 100)
        assert not journal.healthy
    clock.move_to(Micros(START + 1000 * SECOND))
    assert write(journal, 999_999) is None
    journal.close()
    assert acknowledged
    assert kept(disk) == [*acknowledged, 999_999]
    [full, _] = DiskSegmentSource(disk).segments()
    assert scan(DiskSegmentSource(disk).read(full)).end == full.size < 100_000, "cut to what was acknowledged"


# The model: whatever fails at whatever call, what was acknowledged is there exactly once.


def live(disk: UnkindDisk, clock: HeldClock, numbers: range) -> list[int]:
    """Write `numbers` one by one, trying a failed journal again after each; the acknowledged ones."""
    journal = committer(disk, clock, segment_bytes=700)
    acknowledged = []
    for number in numbers:
        if write(journal, number) is None:
            acknowledged.append(number)
        clock.move_to(Micros(clock.now() + 500 * SECOND))
    journal.close()
    return acknowledged


CALLS = 60
"""More calls than the story below makes, so that the last ones fail nothing and cover the end."""


def test_the_story_is_shorter_than_the_faults() -> None:
    disk = UnkindDisk()
    assert live(disk, HeldClock(START), range(8)) == list(range(8))
    assert 30 < len(disk.calls) < CALLS
    assert len(sequences(disk)) > 2


@pytest.mark.parametrize("fault", [CRASH, errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("power", [True, False], ids=["power-loss", "killed"])
def test_a_fault_at_every_call(fault: int, power: bool) -> None:
    for number in range(CALLS):
        disk, clock = UnkindDisk({number: fault}), HeldClock(START)
        acknowledged = live(disk, clock, range(8))
        if fault != CRASH:
            assert len(acknowledged) >= 6, "one fault costs no more than the writes until the next attempt"
        disk.power_loss() if power else disk.killed()
        acknowledged += live(disk, clock, range(8, 12))
        disk.power_loss()
        found = kept(disk)
        assert len(found) == len(set(found)), "nothing is there twice"
        assert set(acknowledged) <= set(found) <= set(range(12))
        if fault != CRASH:
            assert found == acknowledged, "what was refused does not come back"


SURVIVING: dict[str, Callable[[int], int]] = {
    "closed": lambda unsynced: 0,
    "power": lambda unsynced: 0,
    "half": lambda unsynced: unsynced // 2,
}


@settings(deadline=None, max_examples=60)
@given(
    faults=st.dictionaries(st.integers(0, 60), st.sampled_from([CRASH, errno.ENOSPC, errno.EIO]), max_size=8),
    ends=st.lists(st.sampled_from(["closed", "power", "half", "killed"]), min_size=1, max_size=3),
    groups=st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=8),
)
def test_any_faults_any_lives(faults: dict[int, int], ends: list[str], groups: list[tuple[int, bool]]) -> None:
    disk, clock = UnkindDisk(), HeldClock(START)
    told: dict[int, Told] = {}
    for end in ends:
        begin = len(disk.calls)
        disk.faults = {begin + number: fault for number, fault in faults.items()}
        journal = committer(disk, clock, segment_bytes=900)
        for size, wait in groups:
            for _ in range(size):
                each = told[len(told)] = Told()
                journal.write(DELAYS, block(len(told) - 1), each)
            if wait:
                each.wait()
            clock.move_to(Micros(clock.now() + 600 * SECOND))
        if end == "closed":
            journal.close()
        disk.cut_power()
        journal.close()  # the thread of a dead process does nothing more
        disk.killed() if end == "killed" else disk.power_loss(SURVIVING[end])
    committer(disk, clock).close()
    disk.power_loss()
    found = kept(disk)
    assert [each.answers for each in told.values() if len(each.answers) != 1] == [], "each is told once"
    acknowledged = {number for number, each in told.items() if each.answers == [None]}
    assert len(found) == len(set(found)), "nothing is there twice"
    assert acknowledged <= set(found) <= set(told)
