"""A server with all its processes: on one core, its processor time added up, ended by id.

Called by the benchmarks of servers that may be several processes: peers, memory, startup.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks import load

_TICK: Final = os.sysconf("SC_CLK_TCK")
_START_S: Final = 90.0
_END_S: Final = 10.0
_LISTENS: Final = "0A"
# As /proc/net writes them: 127.0.0.1, ::1 and 127.0.0.1 inside IPv6.
_LOOPBACK: Final = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


class ServerFailed(Exception):
    """A server could not be installed, started or believed; the message is the reason a report gives."""


@dataclass(frozen=True)
class Member:
    """One process; its start time tells it from a later one with the same id."""

    pid: int
    started: int
    parent: int
    session: int
    busy: float


@dataclass
class Tree:
    """A server's first process and every process that came from it."""

    process: subprocess.Popen[bytes]
    _known: dict[int, int] = field(default_factory=dict)

    def members(self) -> list[Member]:
        """Those of this server that live now, found by descent, by session and by memory."""
        every = {each.pid: each for each in _processes()}
        found = {self.process.pid} & every.keys()
        found |= {each.pid for each in every.values() if each.session == self.process.pid}
        found |= {pid for pid, started in self._known.items() if pid in every and every[pid].started == started}
        while more := {each.pid for each in every.values() if each.parent in found} - found:
            found |= more
        self._known.update({pid: every[pid].started for pid in found})
        return [every[pid] for pid in found]

    def busy(self) -> float:
        """Seconds of processor time all of them took so far."""
        return sum(each.busy for each in self.members())

    def resident_kb(self) -> int:
        """Resident memory of all of them."""
        return sum(load.resident_kb(each.pid) for each in self.members())

    def measure(self, target: load.Target, connections: int, seconds: float) -> load.Row:
        """One run of wrk, with the processor share of every process of the server."""
        before, began = self.busy(), time.perf_counter()
        row = load.measure(self.process, target, connections, seconds)
        return replace(row, server_share=(self.busy() - before) / (time.perf_counter() - began))

    def open_to_others(self) -> list[str]:
        """Listening addresses that are not loopback, as /proc writes them."""
        addresses = listening(each.pid for each in self.members())
        return [each for each in addresses if each.partition(":")[0] not in _LOOPBACK]

    def end(self) -> None:
        """Ask the first process to stop, then end by id whatever is still there."""
        self.members()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_END_S)
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for each in self.members():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, sign)
            self._gone(3.0)
        self.process.wait(_END_S)

    def _gone(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.members() and time.monotonic() < end:
            self.process.poll()  # takes the first process's remains away
            time.sleep(0.05)


@contextmanager
def serving(
    command: list[str], variables: dict[str, str], folder: Path, port: int, *, one_core: bool = True
) -> Iterator[Tree]:
    """`command` until the block ends, once it listens on `port` and on nothing but loopback; on the first core."""
    log = folder / "server.log"
    cores = os.sched_getaffinity(0)
    # Processes inherit the core, so every worker a server starts shares it: that is what one core means.
    os.sched_setaffinity(0, {min(cores)} if one_core else cores)
    try:
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=variables, cwd=folder,
                start_new_session=True,
            )  # fmt: skip
    finally:
        os.sched_setaffinity(0, cores)
    tree = Tree(process)
    try:
        _wait(process, port, log)
        if beyond := tree.open_to_others():
            raise ServerFailed(f"listens beyond loopback: {', '.join(beyond)}")
        yield tree
    finally:
        tree.end()


def last_words(output: str, limit: int = 300) -> str:
    """The end of what a program said, on one line, without the marks under a traceback's lines."""
    lines = (line.strip() for line in output.splitlines())
    return " ".join(line for line in lines if line.strip("^~ "))[-limit:]


def listening(pids: Iterable[int]) -> list[str]:
    """The addresses on which these processes take connections, as /proc writes them."""
    inodes = {inode for pid in pids for inode in _sockets(pid)}
    tables = (Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6"))
    rows = [line.split() for table in tables for line in table]
    return [row[1] for row in rows if row[3] == _LISTENS and row[9] in inodes]


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_S
    while not listens(port):
        if process.poll() is not None:
            raise ServerFailed(f"ended with status {process.returncode}: {last_words(log.read_text(errors='replace'))}")
        if time.monotonic() > end:
            raise ServerFailed(f"took longer than {_START_S:.0f} s: {last_words(log.read_text(errors='replace'))}")
        time.sleep(0.01)


def _processes() -> Iterator[Member]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError):
            text = (entry / "stat").read_text()
            fields = text[text.rindex(")") + 2 :].split()
            if fields[0] != "Z":
                spent = (int(fields[11]) + int(fields[12])) / _TICK
                yield Member(int(entry.name), int(fields[19]), int(fields[1]), int(fields[3]), spent)


def _sockets(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                name = str(entry.readlink())
                if name.startswith("socket:["):
                    yield name[8:-1]
