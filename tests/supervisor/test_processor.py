"""Who steps back has less of a busy processor, also where sessions share it; who shares work does all of it."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headgate import processor
from headgate.processor import side_by_side, step_back

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


@pytest.mark.parametrize("processors", [1, 2, 64])
def test_what_is_made_side_by_side_comes_in_the_order_of_what_was_given(
    monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    monkeypatch.setattr(processor, "_processors", lambda: processors)
    seen = set[int]()

    def work(number: int) -> int:
        seen.add(threading.get_ident())
        return number * number

    assert side_by_side(work, range(50)) == [each * each for each in range(50)]
    assert (seen == {threading.get_ident()}) is (processors == 1)
    assert len(seen) <= processor.AT_ONCE
    assert side_by_side(work, ()) == []


def test_two_are_worked_on_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_processors", lambda: 2)
    both = threading.Barrier(2, timeout=10)
    assert sorted(side_by_side(lambda _: both.wait(), range(2))) == [0, 1]


def test_the_first_that_fails_is_told_of_once_the_others_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_processors", lambda: 2)
    done = set[int]()

    def work(number: int) -> None:
        if number in (1, 3):
            raise ValueError(number)
        done.add(number)

    with pytest.raises(ValueError, match="1"):
        side_by_side(work, range(6))
    assert done == {0, 2, 4, 5}


def test_what_the_caller_has_said_about_arithmetic_holds_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_processors", lambda: 2)
    with np.errstate(over="raise"):
        assert side_by_side(lambda _: np.geterr()["over"], range(2)) == ["raise", "raise"]
