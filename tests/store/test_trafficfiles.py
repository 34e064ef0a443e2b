"""Traffic files as gateways meet them: damaged, missing, foreign, swapped by several processes."""

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from headgate.errors import IntegrityError
from headgate.store import reports as reports_module
from headgate.store.reports import FileReports
from headgate.store.trafficfiles import FileTraffic
from headgate.testing.conformance_traffic import some_traffic

KEY = ("default", "delays")


def test_what_cannot_be_read_just_now_is_read_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traffic, other = FileTraffic(tmp_path), FileTraffic(tmp_path)
    other.swap(some_traffic(1), 0)
    assert traffic.read() == {("default", "delays"): some_traffic(1)}
    other.swap(some_traffic(2), 1)
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(OSError(errno.EMFILE, "too many")))
    assert traffic.changed()
    assert traffic.read() == {("default", "delays"): some_traffic(1)}, "what is known goes on"
    assert traffic.changed()
    monkeypatch.setattr(Path, "read_bytes", read)
    assert traffic.read() == {("default", "delays"): some_traffic(2)}
    assert not traffic.changed()


def test_a_second_reader_sees_a_swap(tmp_path: Path) -> None:
    writer, reader = FileTraffic(tmp_path), FileTraffic(tmp_path)
    assert reader.read() == {}
    writer.swap(some_traffic(1), 0)
    assert reader.changed()
    assert reader.read() == {KEY: some_traffic(1)}


def test_same_size_swaps_within_one_tick_are_seen(tmp_path: Path) -> None:
    writer, reader = FileTraffic(tmp_path), FileTraffic(tmp_path)
    for revision in range(1, 10):
        writer.swap(some_traffic(revision), revision - 1)
        marks = dict(reader._marks())
        reader.read()
        assert not reader.changed()
        assert marks == reader._seen


def test_an_entry_that_turns_bad_keeps_its_last_value(tmp_path: Path) -> None:
    traffic = FileTraffic(tmp_path)
    traffic.swap(some_traffic(1), 0)
    assert traffic.read() == {KEY: some_traffic(1)}
    file = tmp_path / "default" / "delays.json"
    for content in (b"", b"{", b"{}", file.read_bytes()[:-9], file.read_bytes()[:-1] + b',"novelty":1}'):
        file.write_bytes(content)
        assert traffic.changed()
        assert traffic.read() == {KEY: some_traffic(1)}, "the data plane goes on with what it knew"
        assert FileTraffic(tmp_path).read() == {}, "and a newcomer passes over it"
        with pytest.raises(IntegrityError, match="apply the endpoint again"):
            traffic.swap(some_traffic(2), 1)
    file.unlink()
    assert traffic.changed()
    assert traffic.read() == {}


def test_foreign_files_are_passed_over(tmp_path: Path) -> None:
    traffic = FileTraffic(tmp_path)
    traffic.swap(some_traffic(1), 0)
    folder = tmp_path / "default"
    shutil.copy(folder / "delays.json", folder / "another.json")
    (folder / ".delays.json.x.tmp").write_bytes(b"{")
    (folder / "notes.txt").write_text("")
    (folder / "folder.json").mkdir()
    (tmp_path / "Not A Project").mkdir()
    (tmp_path / "file").write_text("")
    assert traffic.read() == {KEY: some_traffic(1)}


def test_what_an_interrupted_writer_left_is_swept(tmp_path: Path) -> None:
    traffic = FileTraffic(tmp_path)
    traffic.swap(some_traffic(1), 0)
    leftover = tmp_path / "default" / ".delays.json.x.tmp"
    leftover.write_bytes(b"{")
    traffic.swap(some_traffic(2), 1)
    assert not leftover.exists()


def test_processes_never_lose_a_swap_and_reports_die_with_them(
    tmp_path: Path, together: Callable[..., list[str]]
) -> None:
    assert sum(map(int, together(*[["climb", str(tmp_path), "60"]] * 3))) == 60
    reports = FileReports(tmp_path / "reports")
    assert len(list((tmp_path / "reports").glob("*.json"))) == 3
    assert reports.obeyed() == {}
    reports.report("mine", {"default/delays": 60})
    (tmp_path / "reports" / "bad.json").write_bytes(b"{")
    assert reports.obeyed() == {"mine": {"default/delays": 60}}


def test_a_pid_used_again_is_not_taken_for_its_worker(tmp_path: Path) -> None:
    reports = FileReports(tmp_path)
    reports.report("w0", {"default/delays": 1})
    file = tmp_path / "w0.json"
    file.write_bytes(file.read_bytes().replace(b'"started":', b'"started":1'))
    assert reports.obeyed() == {}


def test_a_file_that_goes_while_the_folder_is_looked_at_is_passed_over(tmp_path: Path) -> None:
    traffic = FileTraffic(tmp_path)
    traffic.swap(some_traffic(1), 0)
    traffic.swap(some_traffic(1, endpoint="other"), 0)
    marks = traffic._marks()
    first, _ = next(marks)
    left = {"delays", "other"} - {Path(first).stem}
    (tmp_path / "default" / f"{left.pop()}.json").unlink()
    assert list(marks) == []


def test_without_the_kernels_files_a_process_that_exists_is_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no /proc, a process id that is used again cannot be told apart."""
    monkeypatch.setattr(reports_module, "_started", reports_module._exists)
    reports = FileReports(tmp_path)
    reports.report("w0", {"default/delays": 3})
    assert reports.obeyed() == {"w0": {"default/delays": 3}}
    report = msgspec.json.decode((tmp_path / "w0.json").read_bytes())
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    (tmp_path / "w0.json").write_bytes(msgspec.json.encode(report | {"pid": ended.pid}))
    assert reports.obeyed() == {}
    (tmp_path / "w0.json").write_bytes(msgspec.json.encode(report | {"pid": 1}))
    assert reports.obeyed() == {"w0": {"default/delays": 3}}, "another user's process is one, too"
