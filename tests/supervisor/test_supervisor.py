"""The supervisor over real processes: starts, restarts, ends by tier, and lets nothing outlive it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headgate.supervisor.child import BACKOFF, Child, Life
from headgate.supervisor.supervisor import Supervisor

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


def until(true: Callable[[], bool], supervisor: Supervisor, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        supervisor.step()
        time.sleep(0.01)


@pytest.fixture
def wanted() -> list[Child]:
    return []


@pytest.fixture
def supervisor(wanted: list[Child]):  # type: ignore[no-untyped-def]  # a generator fixture
    made = Supervisor(lambda: wanted)
    yield made
    made.end_all()


def test_what_is_wanted_runs_and_what_is_no_longer_wanted_ends(supervisor: Supervisor, wanted: list[Child]) -> None:
    wanted += [Child("a", SLEEPER), Child("b", SLEEPER)]
    supervisor.step()
    assert set(supervisor.pids) == {"a", "b"}
    pid = supervisor.pids["a"]
    del wanted[0]
    supervisor.step()
    assert set(supervisor.pids) == {"b"}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_that_dies_is_started_again_with_another_id(supervisor: Supervisor, wanted: list[Child]) -> None:
    wanted.append(Child("a", SLEEPER))
    supervisor.step()
    first = supervisor.pids["a"]
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor.pids.get("a") not in (None, first), supervisor)
    assert supervisor.restarts == {"a": 1}


def test_a_changed_command_line_replaces_the_child(supervisor: Supervisor, wanted: list[Child]) -> None:
    wanted.append(Child("a", SLEEPER))
    supervisor.step()
    first = supervisor.pids["a"]
    wanted[0] = Child("a", (*SLEEPER, "other"))
    supervisor.step()
    assert supervisor.pids["a"] != first


def test_a_child_that_ignores_the_signal_is_killed_within_its_grace(supervisor: Supervisor, tmp_path: Path) -> None:
    stubborn = "import signal, time, pathlib, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    stubborn += f"pathlib.Path({str(tmp_path / 'up')!r}).touch(); time.sleep(60)"
    made = Supervisor(lambda: [Child("a", (sys.executable, "-c", stubborn), stop_after=0.2)])
    made.step()
    until((tmp_path / "up").exists, made)
    pid = made.pids["a"]
    made.end_all()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_children_end_from_the_highest_tier_down(wanted: list[Child], tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = (
        "import signal, sys, time, pathlib\n"
        f"log = open({str(log)!r}, 'a')\n"
        "def end(*_): log.write(sys.argv[1] + ' '); log.flush(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"pathlib.Path({str(tmp_path)!r}, sys.argv[1]).touch()\n"
        "time.sleep(60)\n"
    )
    names = [("controller", 0), ("gateway", 2), ("host", 1)]
    children = [Child(name, (sys.executable, "-c", program, name), tier=tier) for name, tier in names]
    made = Supervisor(lambda: children)
    made.step()
    until(lambda: all((tmp_path / name).exists() for name, _ in names), made)
    made.end_all()
    assert log.read_text().split() == ["gateway", "host", "controller"]


def test_deaths_in_a_row_wait_ever_longer_and_a_long_life_forgives() -> None:
    life = Life(started_at=0.0)
    delays = []
    for _ in range(8):
        life = life.died(0.1)
        delays.append(life.delay())
    assert delays == [*BACKOFF, BACKOFF[-1], BACKOFF[-1]]
    assert life.died(1000.0).delay() == BACKOFF[0]


def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    """A process that asks to die with its parent ends when the parent is killed without warning."""
    mark = tmp_path / "pid"
    child = (
        "import os, pathlib, time; from headgate.supervisor.parent import die_with_parent\n"
        f"die_with_parent(os.getppid()); pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", parent])
    try:
        deadline = time.monotonic() + 10
        while not (mark.exists() and mark.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        pid = int(mark.read_text())
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 10
    while _alive(pid):
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_child_steps_back_as_far_as_it_is_told(supervisor: Supervisor, wanted: list[Child]) -> None:
    wanted.append(Child("a", SLEEPER, nice=7))
    supervisor.step()
    assert os.getpriority(os.PRIO_PROCESS, supervisor.pids["a"]) == 7


def test_a_death_is_told_with_its_cause_and_an_ending_is_not(wanted: list[Child]) -> None:
    told: list[tuple[str, str]] = []
    made = Supervisor(lambda: wanted, on_death=lambda name, cause: told.append((name, cause)))
    wanted.append(Child("a", SLEEPER))
    try:
        made.step()
        os.kill(made.pids["a"], signal.SIGKILL)
        until(lambda: bool(told), made)
    finally:
        made.end_all()
    assert told == [("a", "signal SIGKILL")]
