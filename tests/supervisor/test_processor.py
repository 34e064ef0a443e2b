"""Who steps back has less of a busy processor, also where sessions share it before processes do."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.processor import step_back

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
needs_sessions = pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="this kernel does not share processors among sessions"
)


def nice_of_session(pid: int) -> int | None:
    share = Path(f"/proc/{pid}/autogroup").read_text().rpartition(" ")[2]
    return int(share) if share else None  # a container's first session has no share of its own


@pytest.fixture(params=[True, False], ids=["leads", "follows"])
def child(request: pytest.FixtureRequest) -> Iterator[tuple[int, bool]]:
    process = subprocess.Popen(SLEEPER, start_new_session=request.param)
    try:
        yield process.pid, request.param
    finally:
        process.kill()
        process.wait()


@needs_sessions
def test_a_session_steps_back_with_the_process_that_leads_it_and_with_no_other(child: tuple[int, bool]) -> None:
    pid, leads = child
    before = nice_of_session(pid)
    step_back(pid, 7)
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 7
    assert nice_of_session(pid) == (os.getpriority(os.PRIO_PROCESS, pid) if leads else before)


@needs_sessions
def test_a_session_that_takes_less_already_is_left_alone(child: tuple[int, bool]) -> None:
    pid, leads = child
    if leads:
        Path(f"/proc/{pid}/autogroup").write_text("12")
    before = nice_of_session(pid)
    step_back(pid, 7)
    assert nice_of_session(pid) == before


@needs_sessions
def test_the_kernel_is_asked_again_where_it_takes_no_more_wishes_now(
    child: tuple[int, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, leads = child
    refused: list[Path] = []
    write = Path.write_text

    def busy_once(path: Path, text: str) -> int:
        if path.name == "autogroup" and not refused:
            refused.append(path)
            raise BlockingIOError(errno.EAGAIN, "too soon")
        return write(path, text)

    monkeypatch.setattr(Path, "write_text", busy_once)
    step_back(pid, 7)
    assert bool(refused) is leads
    assert not leads or (nice_of_session(pid) or 0) >= 7


def test_a_session_without_a_share_of_its_own_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda path: "")
    process = subprocess.Popen(SLEEPER, start_new_session=True)
    try:
        step_back(process.pid, 7)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 7
    finally:
        process.kill()
        process.wait()


def test_a_process_that_is_gone_is_no_fault() -> None:
    process = subprocess.Popen((sys.executable, "-c", ""))
    process.wait()
    step_back(process.pid, 7)
