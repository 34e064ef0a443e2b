"""The supervisor over real processes: starts, restarts, ends by tier, and lets nothing outlive it."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headgate.processor import step_back
from headgate.supervisor.child import BACKOFF, Child, Life
from headgate.supervisor.supervisor import Supervisor

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
THREADS = (sys.executable, "-c", "import threading, time; threading.Thread(target=time.sleep, args=[60]).start()")


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
    until(lambda: not Path(f"/proc/{pid}").exists(), supervisor)


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
    assert "a" not in supervisor.pids, "the old one ends before the new one begins: they may share a lock"
    until(lambda: "a" in supervisor.pids, supervisor)
    assert supervisor.pids["a"] != first
    assert not Path(f"/proc/{first}").exists()
    assert supervisor.restarts == {"a": 0}


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
    assert os.getpriority(os.PRIO_PROCESS, supervisor.pids["a"]) == max(7, os.getpriority(os.PRIO_PROCESS, 0))


def test_a_child_that_cannot_step_back_runs_all_the_same(
    supervisor: Supervisor, wanted: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, "not here")

    monkeypatch.setattr(os, "setpriority", refuse)
    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    wanted.append(Child("a", SLEEPER, nice=7, unheard=True))
    supervisor.step()
    pid = supervisor.pids["a"]
    wanted[0] = Child("a", SLEEPER, nice=7)
    supervisor.step()
    assert supervisor.pids["a"] == pid
    assert supervisor.restarts == {"a": 0}


def test_a_child_never_steps_forward(supervisor: Supervisor, wanted: list[Child]) -> None:
    # It sets its own, and nobody else does: reading and setting are two calls, and one may come in between.
    wanted.append(Child("a", (sys.executable, "-c", "import os, time; os.nice(12); time.sleep(60)")))
    supervisor.step()
    pid = supervisor.pids["a"]
    until(lambda: os.getpriority(os.PRIO_PROCESS, pid) >= 12, supervisor)
    step_back(pid, 7)
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 12


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="this kernel has no such class")
def test_a_child_nobody_waits_for_lets_others_first_as_long_as_that_is_so(
    supervisor: Supervisor, wanted: list[Child]
) -> None:
    wanted.append(Child("a", THREADS, unheard=True))
    supervisor.step()
    pid = supervisor.pids["a"]
    until(lambda: policies(pid) == [os.SCHED_BATCH] * 2, supervisor)
    wanted[0] = Child("a", THREADS)
    supervisor.step()
    assert policies(pid) == [os.SCHED_OTHER] * 2
    wanted[0] = Child("a", THREADS, unheard=True)
    supervisor.step()
    assert policies(pid) == [os.SCHED_BATCH] * 2
    assert supervisor.pids["a"] == pid, "it is the same process"


def policies(pid: int) -> list[int]:
    """How the kernel treats each thread."""
    return [os.sched_getscheduler(int(each.name)) for each in Path(f"/proc/{pid}/task").iterdir()]


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


STUBBORN = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({!r}).touch()
time.sleep(60)
"""


def stubborn(mark: Path, *, stop_after: float, name: str = "stubborn") -> Child:
    return Child(name, (sys.executable, "-c", STUBBORN.format(str(mark))), stop_after=stop_after)


def test_a_child_that_does_not_end_keeps_nobody_else_waiting(
    supervisor: Supervisor, wanted: list[Child], tmp_path: Path
) -> None:
    wanted += [stubborn(tmp_path / "up", stop_after=60.0), Child("a", SLEEPER)]
    until((tmp_path / "up").exists, supervisor)
    del wanted[0]
    began = time.monotonic()
    supervisor.step()
    first = supervisor.pids["a"]
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor.pids.get("a") not in (None, first), supervisor)
    assert time.monotonic() - began < 10
    (_, process, _) = supervisor._ending["stubborn"]
    process.kill()


def test_an_unwanted_child_that_ignores_the_signal_is_killed_and_may_come_again(
    supervisor: Supervisor, wanted: list[Child], tmp_path: Path
) -> None:
    wanted.append(stubborn(tmp_path / "up", stop_after=0.3))
    until((tmp_path / "up").exists, supervisor)
    first = supervisor.pids["stubborn"]
    wanted.clear()
    supervisor.step()
    wanted.append(stubborn(tmp_path / "up", stop_after=0.3))
    supervisor.step()
    assert supervisor.pids == {}, "its namesake is still there"
    until(lambda: supervisor.pids.get("stubborn") not in (None, first), supervisor)
    assert not Path(f"/proc/{first}").exists()


def test_what_is_still_ending_is_seen_off_at_the_end(wanted: list[Child], tmp_path: Path) -> None:
    made = Supervisor(lambda: wanted)
    wanted.append(stubborn(tmp_path / "up", stop_after=0.3))
    until((tmp_path / "up").exists, made)
    pid = made.pids["stubborn"]
    wanted.clear()
    made.step()
    made.end_all()
    assert not Path(f"/proc/{pid}").exists()


def test_while_nobody_can_say_what_ought_to_run_what_runs_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    wanted: list[Child] | None = [Child("a", SLEEPER)]

    def told() -> list[Child]:
        if wanted is None:
            raise OSError("the traffic cannot be read")
        return wanted

    made = Supervisor(told)
    try:
        made.step()
        first, wanted = made.pids["a"], None
        made.step()
        assert made.pids == {"a": first}
        os.kill(first, signal.SIGKILL)
        until(lambda: "a" not in made.pids, made)
        wanted = [Child("a", SLEEPER)]
        until(lambda: "a" in made.pids, made)
    finally:
        made.end_all()
    assert "what runs goes on" in caplog.text


def test_a_child_that_cannot_be_started_is_tried_again_and_harms_no_other(wanted: list[Child]) -> None:
    told: list[tuple[str, str]] = []
    made = Supervisor(lambda: wanted, on_death=lambda name, cause: told.append((name, cause)))
    wanted += [Child("gone", ("/no/such/program",)), Child("a", SLEEPER)]
    try:
        made.step()
        assert set(made.pids) == {"a"}
        until(lambda: made.restarts["gone"] >= 3, made)
        assert told[0] == ("gone", "not started: No such file or directory")
        wanted[0] = Child("gone", SLEEPER)
        until(lambda: "gone" in made.pids, made)
    finally:
        made.end_all()


def test_a_signal_without_a_name_is_a_cause_like_any_other(wanted: list[Child]) -> None:
    told: list[str] = []
    made = Supervisor(lambda: wanted, on_death=lambda _, cause: told.append(cause))
    wanted.append(Child("a", SLEEPER))
    try:
        made.step()
        os.kill(made.pids["a"], 40)
        until(lambda: bool(told), made)
    finally:
        made.end_all()
    assert told == ["signal 40"]


def test_running_ends_with_a_signal_and_ends_every_child(tmp_path: Path) -> None:
    program = (
        "from headgate.supervisor.child import Child\n"
        "from headgate.supervisor.supervisor import Supervisor\n"
        f"made = Supervisor(lambda: [Child('a', {SLEEPER!r})], turn=0.01)\n"
        "step = made.step\n"
        f"def told(): step(); open({str(tmp_path / 'pid')!r}, 'w').write(str(made.pids.get('a', '')))\n"
        "made.step = told; made.run()"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        deadline = time.monotonic() + 20
        while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child = int((tmp_path / "pid").read_text())
        process.terminate()
        assert process.wait(20) == 0
        assert not Path(f"/proc/{child}").exists()
    finally:
        process.kill()
        process.wait()


def test_the_environment_of_a_child_is_the_parents_and_its_own(wanted: list[Child], tmp_path: Path) -> None:
    program = f"import os; open({str(tmp_path / 'said')!r}, 'w').write(os.environ['TOLD'] + os.environ['PATH'])"
    made = Supervisor(lambda: wanted)
    wanted.append(Child("a", (sys.executable, "-c", program), environment=(("TOLD", "so "),)))
    try:
        until(lambda: (tmp_path / "said").exists() and bool((tmp_path / "said").read_text()), made)
    finally:
        made.end_all()
    assert (tmp_path / "said").read_text() == f"so {os.environ['PATH']}"


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_every_child(asked: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    seen: list[int] = []

    def wanted() -> list[Child]:
        if made.pids:
            seen.extend(made.pids.values())
            os.kill(os.getpid(), asked)
        return [Child("a", SLEEPER), Child("b", SLEEPER, tier=1)]

    made = Supervisor(wanted)
    try:
        made.run()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert len(set(seen)) == 2
    assert made.pids == {}
    assert not [each for each in seen if Path(f"/proc/{each}").exists()]


@pytest.mark.parametrize(("parent", "code"), [("os.getppid()", 7), ("os.getppid() + 1", 0)])
def test_who_starts_after_its_parent_died_ends_at_once(parent: str, code: int) -> None:
    tie = f"from headgate.supervisor.parent import die_with_parent; die_with_parent({parent})"
    program = f"import os, sys; {tie}; sys.exit(7)"
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == code
