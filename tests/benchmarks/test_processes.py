import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from benchmarks.load import free_port
from benchmarks.processes import ServerFailed, Tree, last_words, listens, serving

LISTENS = """
import os, socket, subprocess, sys, time
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
alone = sys.argv[3] == "alone"
deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" if alone else "pass"
child = f"import signal, time; {deaf}; print('up', flush=True); time.sleep(600)"
helper = subprocess.Popen([sys.executable, "-c", child], start_new_session=alone, stdout=subprocess.PIPE)
helper.stdout.readline()
server.listen()
open("child", "w").write(str(helper.pid))
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
open("spent", "w").write("0.3")
time.sleep(600)
"""


def command(host: str, port: int, word: str) -> list[str]:
    return [sys.executable, "-c", LISTENS, host, str(port), word]


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]


def until(path: Path, tree: Tree) -> str:
    while not (path.exists() and path.read_text()):
        assert tree.process.poll() is None
    return path.read_text()


@pytest.mark.parametrize("word", ["alone", "together"])
def test_everything_a_server_started_ends_with_it_even_what_left_its_session_and_ignores_the_signal(
    tmp_path: Path, word: str
) -> None:
    port = free_port()
    with (
        suppress(KeyboardInterrupt),
        serving(command("127.0.0.1", port, word), dict(os.environ), tmp_path, port) as tree,
    ):
        child = int(until(tmp_path / "child", tree))
        assert child in {each.pid for each in tree.members()}
        raise KeyboardInterrupt
    assert not is_there(child)
    assert not is_there(tree.process.pid)
    assert not listens(port)


def test_a_server_stays_on_one_core_and_its_time_is_counted(tmp_path: Path) -> None:
    port, before = free_port(), os.sched_getaffinity(0)
    with serving(command("127.0.0.1", port, "together"), dict(os.environ), tmp_path, port) as tree:
        child = int(until(tmp_path / "child", tree))
        until(tmp_path / "spent", tree)
        assert os.sched_getaffinity(tree.process.pid) == os.sched_getaffinity(child) == {min(before)}
        assert tree.busy() >= 0.25
        assert tree.resident_kb() > 5_000
    assert os.sched_getaffinity(0) == before


def test_a_server_that_listens_beyond_loopback_is_refused_and_ended(tmp_path: Path) -> None:
    port = free_port()
    with (
        pytest.raises(ServerFailed, match="beyond loopback"),
        serving(command("0.0.0.0", port, "together"), dict(os.environ), tmp_path, port),  # noqa: S104 - what is refused
    ):
        pytest.fail("it was let through")
    assert not listens(port)


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerFailed, match="ended with status 3: no such model"),
        serving([sys.executable, "-c", "print('no such model'); raise SystemExit(3)"], {}, tmp_path, free_port()),
    ):
        pytest.fail("it was let through")


def test_last_words_leave_out_the_marks_under_a_traceback() -> None:
    assert last_words("File x\n  f(a)\n    ^^~~\nValueError: no\n") == "File x f(a) ValueError: no"
    assert last_words("x" * 400 + "end", 5) == "xxend"


def test_nobody_listens_on_a_free_port() -> None:
    assert not listens(free_port())
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listens(server.getsockname()[1])
