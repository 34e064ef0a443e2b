"""Files are whole or not there, and locks exclude."""

import errno
import os
import threading
from pathlib import Path

import pytest

from headgate.store import atomic


def test_replaces_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write_file(path, b"old")
    with path.open("rb") as reader:
        atomic.write_file(path, b"newer", mode=0o600, mtime_ns=1_000_000_007)
        assert reader.read() == b"old"
    assert path.read_bytes() == b"newer"
    assert (path.stat().st_mode & 0o777, path.stat().st_mtime_ns) == (0o600, 1_000_000_007)
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    atomic.write_file(path, b"old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_durable_means_bytes_before_name_before_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, calls = tmp_path / "file", []
    fsync, replace = os.fsync, Path.replace

    def seen_fsync(handle: int) -> None:
        calls.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "bytes")
        fsync(handle)

    def seen_replace(self: Path, target: Path) -> Path:
        calls.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    atomic.write_file(path, b"x")
    assert calls == ["bytes", "name", "folder"]
    calls.clear()
    atomic.write_file(path, b"x", durable=False)
    assert calls == ["name"]


def test_threads_exclude_each_other(tmp_path: Path) -> None:
    inside, most = [0], [0]

    def enter() -> None:
        for _ in range(50):
            with atomic.locked(tmp_path / "lock"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == [1]
    with atomic.attempted(tmp_path / "lock") as free:
        assert free
        with atomic.attempted(tmp_path / "lock") as again:
            assert not again
