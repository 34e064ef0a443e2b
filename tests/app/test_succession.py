"""A new `headgate up` waits for what a killed one left, a bounded time, and names it."""

import contextlib
import os
import signal
import threading
from pathlib import Path

import pytest

from headgate.app.succession import await_predecessors
from headgate.app.workers import controller_lock, worker_lock
from headgate.errors import HomeInUse
from headgate.settings import Home
from headgate.store.home import claim, create_home
from headgate.testing.installation import Installation


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "h")


def awaited(home: Home, *, workers: int = 2, ports_free: bool = True, longest: float = 0.0) -> list[str]:
    """What was said while waiting."""
    said: list[str] = []
    await_predecessors(home, workers, ports_free=lambda: ports_free, said=said.append, longest=longest)
    return said


def test_nobody_to_wait_for(home: Home) -> None:
    with claim(worker_lock(home, 0)), claim(controller_lock(home)):
        pass  # their files stay behind
    assert awaited(home) == []
    assert awaited(home, ports_free=False) == [], "a port somebody else took is not ours to wait for"


def test_who_still_ends_is_named_once_and_waited_for(home: Home) -> None:
    said: list[str] = []
    with contextlib.ExitStack() as held:
        held.enter_context(claim(worker_lock(home, 1)))
        held.enter_context(claim(controller_lock(home)))

        def heard(line: str) -> None:
            said.append(line)
            threading.Timer(0.2, held.close).start()

        await_predecessors(home, 2, ports_free=lambda: True, said=heard, longest=60.0)
    assert said == ["waiting up to 60 s for what an earlier `headgate up` left: controller, gateway 1"]


def test_who_does_not_end_is_named_with_its_process(home: Home) -> None:
    named = f"gateway 0 of this home still runs as process {os.getpid()}; stop it first"
    with claim(worker_lock(home, 0)), pytest.raises(HomeInUse, match=named):
        awaited(home)


def test_a_gateway_beyond_ours_is_waited_for_only_while_a_port_is_taken(home: Home) -> None:
    with claim(worker_lock(home, 7)):
        assert awaited(home) == []
        assert len(awaited(home, ports_free=False)) == 1, "and then the port is refused by its number, not by this"


def test_up_starts_while_the_children_of_a_killed_one_are_still_ending(tmp_path: Path) -> None:
    with Installation(tmp_path / "h") as installation:
        installation.serve("late", {installation.linear(): 1.0})
        installation.start()
        left = [pid for name, pid in installation.processes().items() if name != "up"]
        for pid in left:
            os.kill(pid, signal.SIGSTOP)  # they hold their ports and locks for as long as the test likes
        installation.orphan()
        before = len(installation.log)

        def let_them_end() -> None:
            installation.until(lambda: "waiting up to" in installation.log, "up says that it waits")
            for pid in left:
                os.kill(pid, signal.SIGCONT)

        waker = threading.Thread(target=let_them_end)
        waker.start()
        installation.start()
        waker.join()
        assert installation.post("/v1/endpoints/late/predict", b'{"rows": [{"f0": 1.0, "f1": 2.0}]}')[0] == 200
        log = installation.log[before:]
        assert "15 s for what an earlier `headgate up` left: controller, gateway 0\n" in log
        assert "Traceback" not in log
        assert "ended by itself" not in log, "nothing was started too early"
        assert installation.stop() == 0
