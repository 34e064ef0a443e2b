import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from headgate.journal.disk import LocalDisk
from headgate.journal.ports import Disk
from headgate.testing.conformance_disk import DISK_CHECKS, expect, expect_error
from headgate.testing.disk import CRASH, Call, Crashed, UnkindDisk


@pytest.mark.parametrize("check", DISK_CHECKS, ids=lambda check: check.__name__)
def test_a_local_disk_conforms(check: Callable[[Disk], None], tmp_path: Path) -> None:
    check(LocalDisk(tmp_path))


@pytest.mark.parametrize("check", DISK_CHECKS, ids=lambda check: check.__name__)
def test_an_unkind_disk_conforms(check: Callable[[Disk], None]) -> None:
    check(UnkindDisk())


def test_the_conformance_suite_can_fail() -> None:
    with pytest.raises(AssertionError, match="a sentence"):
        expect(False, "a sentence")
    with pytest.raises(AssertionError, match="another"):
        expect_error(OSError, lambda: None, "another")


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = LocalDisk(tmp_path).create("a/file")
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data[:3])))
    file.append(b"0123456789")
    monkeypatch.undo()
    file.close()
    assert (tmp_path / "a/file").read_bytes() == b"0123456789"


def test_a_disk_that_fills_in_the_middle_of_an_append_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = LocalDisk(tmp_path).create("a/file")
    real = os.write

    def filling(handle: int, data: bytes) -> int:
        if len(data) <= 7:
            raise OSError(errno.ENOSPC, "full")
        return real(handle, data[:3])

    monkeypatch.setattr(os, "write", filling)
    with pytest.raises(OSError, match="full"):
        file.append(b"0123456789")
    monkeypatch.undo()
    file.close()


def test_new_folders_are_synced_into_their_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def watched(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    LocalDisk(tmp_path).create("a/b/file").close()
    assert synced == [str(tmp_path), str(tmp_path / "a")]


def unkind(text: bytes = b"") -> tuple[UnkindDisk, Callable[[], bytes]]:
    disk = UnkindDisk()
    file = disk.create("a/file")
    file.append(text)
    file.sync()
    disk.sync_folder("a")
    return disk, lambda: disk.read("a/file")


def test_a_power_loss_takes_unsynced_bytes() -> None:
    disk, content = unkind(b"kept")
    disk.reopen("a/file").append(b" lost")
    disk.power_loss()
    assert content() == b"kept"


def test_a_power_loss_may_leave_some_unsynced_bytes() -> None:
    disk, content = unkind(b"kept")
    disk.reopen("a/file").append(b" lost")
    disk.power_loss(surviving=lambda unsynced: unsynced - 1)
    assert content() == b"kept los"


def test_a_power_loss_undoes_an_unsynced_cut() -> None:
    disk, content = unkind(b"kept")
    disk.reopen("a/file").truncate(1)
    assert content() == b"k"
    disk.power_loss()
    assert content() == b"kept"


def test_a_power_loss_undoes_unsynced_names() -> None:
    disk, content = unkind(b"kept")
    disk.create("a/new").close()
    disk.rename("a/file", "a/other")
    disk.power_loss()
    assert disk.files("a") == [("file", 4)]
    disk.remove("a/file")
    disk.power_loss()
    assert content() == b"kept"


def test_a_power_loss_may_keep_a_removal_and_undo_a_creation() -> None:
    disk, _ = unkind(b"kept")
    disk.create("a/new").close()
    disk.remove("a/file")
    disk.power_loss(removals_survive=True)
    assert disk.files("a") == []


def test_the_power_can_be_cut_at_a_moment() -> None:
    disk, content = unkind(b"kept")
    disk.cut_power()
    with pytest.raises(Crashed):
        content()
    disk.killed()
    assert content() == b"kept"


def test_a_kill_takes_nothing() -> None:
    disk, content = unkind(b"kept")
    disk.reopen("a/file").append(b" too")
    disk.killed()
    assert content() == b"kept too"


def test_handles_die_with_the_power() -> None:
    disk, _ = unkind(b"kept")
    file = disk.reopen("a/file")
    disk.power_loss()
    with pytest.raises(Crashed):
        file.append(b"x")


def test_a_full_disk_takes_half() -> None:
    disk, content = unkind()
    file = disk.reopen("a/file")
    disk.faults[len(disk.calls)] = errno.ENOSPC
    with pytest.raises(OSError, match="No space"):
        file.append(b"0123")
    assert content() == b"01"


def test_what_a_failed_sync_lost_stays_lost() -> None:
    disk, content = unkind(b"kept")
    file = disk.reopen("a/file")
    file.append(b" lost")
    disk.faults[len(disk.calls)] = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        file.sync()
    file.sync()
    disk.power_loss()
    assert content() == b"kept"


def test_a_crash_ends_everything_until_the_power_is_back() -> None:
    disk, content = unkind(b"kept")
    disk.faults[len(disk.calls)] = CRASH
    with pytest.raises(Crashed):
        disk.remove("a/file")
    with pytest.raises(Crashed):
        disk.files("a")
    disk.power_loss()
    assert content() == b"kept"
    assert Call("remove", "a/file") in disk.calls
