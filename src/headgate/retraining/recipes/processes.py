"""Processes as the kernel tells of them: who lives, who descends from whom, what they hold."""

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_AGAIN: Final = 0.02


def started(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (field 22 of ``proc_pid_stat(5)``); None when it is dead.

    Together with its id it names a process for as long as the machine runs, as an id alone does not.
    """
    fields = _stat(pid)
    return None if fields is None or fields[0] == "Z" else int(fields[19])


def spawn(words: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
    """Start a process in a session of its own, its words going to the file `log`, and return its id.

    It is no `subprocess.Popen`: it is meant to outlive whoever starts it. Raises OSError.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(words[0], [*words], dict(environment), file_actions=actions, setsid=True)


def status(pid: int) -> int | None:
    """With what a child of this process ended; None while it runs. 0 where somebody else has buried it."""
    try:
        dead, code = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(code) if dead else None


def descendants(pid: int) -> list[int]:
    """Every process that descends from `pid`; those whose parent died meanwhile where `pid` is their reaper."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def carrying(mark: str) -> list[int]:
    """Processes of this user that were started with `mark`, a ``NAME=value``, in their environment."""
    wanted = mark.encode()
    return [pid for pid in _all() if pid != os.getpid() and wanted in _bytes(_PROC / str(pid) / "environ").split(b"\0")]


def resident_mb(pids: Iterable[int]) -> float:
    """Memory that processes hold, in MiB; what several of them share is counted once for each."""
    return sum(_kilobytes(_PROC / str(pid) / "status", b"VmRSS:") for pid in pids) / 1024


def held_mb(pids: Iterable[int]) -> float:
    """Memory that processes hold together, in MiB; what they share is counted once. It takes long to say."""
    return sum(_kilobytes(_PROC / str(pid) / "smaps_rollup", b"Pss:") for pid in pids) / 1024


def kill(pids: Iterable[int], by: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to those that still live."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, by)


def kill_carrying(mark: str, *, within: float = 5.0) -> None:
    """End every process that carries `mark`, those they start meanwhile too; give up after `within` seconds."""
    end = time.monotonic() + within
    while (left := [pid for pid in carrying(mark) if started(pid) is not None]) and time.monotonic() < end:
        kill(left)
        time.sleep(_AGAIN)


def _children(pid: int) -> list[int]:
    lists = list((_PROC / str(pid) / "task").glob("*/children"))
    if not lists:  # a kernel that keeps no such lists, or a process that is gone
        return [each for each in _all() if (fields := _stat(each)) is not None and int(fields[1]) == pid]
    return [int(each) for path in lists for each in _bytes(path).split()]


def _all() -> list[int]:
    return [int(each.name) for each in _PROC.iterdir() if each.name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """The fields behind a process's name, which may hold blanks and brackets; state first, then the parent."""
    text = _bytes(_PROC / str(pid) / "stat").decode(errors="replace")
    return text[text.rindex(")") + 2 :].split() if text else None


def _kilobytes(path: Path, key: bytes) -> float:
    for line in _bytes(path).splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0.0


def _bytes(path: Path) -> bytes:
    """A file's content; nothing once its process is gone, and where it is another user's."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
