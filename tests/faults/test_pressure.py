"""Everything at once: more callers than there is room for, callers that dawdle, and kills of every kind of process.

No answer is wrong, no acknowledged prediction is lost or kept twice, and all of it recovers without help. The short
form lasts some ten seconds, the long one, run by `make accept`, a minute.
"""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pytest
from tests.faults.accounts import (
    assert_each_promise_is_kept_once,
    assert_the_lake_holds_each_row_once,
    given_two_versions,
)

from headgate.testing.callers import Callers
from headgate.testing.installation import Installation

ROOM = 4
"""Rows a gateway takes at once, for two dozen callers."""
FORMS = [pytest.param(3.0, marks=pytest.mark.full), pytest.param(60.0, marks=pytest.mark.slow)]
BODY = json.dumps({"rows": [Callers.row(0)]}).encode()
HEAD = b"POST /v1/endpoints/late/predict HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % len(BODY)


class Dawdlers:
    """Callers that begin and do not end, drip, never read, or say goodbye in the middle; cut off, they come again."""

    BEGUN = (
        HEAD[:40],
        HEAD + BODY[:5],
        b"",
        (HEAD + BODY) * 50,
        HEAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"),
        b"POST /v1/endpoints/late/predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    )

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._dawdle, args=(place,), daemon=True) for place in range(count)]
        self.connected = 0

    def _dawdle(self, place: int) -> None:
        begun = self.BEGUN[place % len(self.BEGUN)]
        while not self._over.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 5) as line:
                self.connected += 1
                line.sendall(begun)
                for _ in range(20):
                    if self._over.wait(0.1):
                        return
                    if place % 3 == 0:
                        line.sendall(b" ")
                if place % 2:
                    line.shutdown(socket.SHUT_WR)
                    self._over.wait(0.5)
            self._over.wait(0.05)

    def __enter__(self) -> "Dawdlers":
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for each in self._threads:
            each.join(10)


def kill_at_once(installation: Installation, names: Sequence[str]) -> None:
    """SIGKILL those of `names` that run, in one breath, and wait until others have taken their places."""
    pids = {name: pid for name, pid in installation.processes().items() if name in names}
    for pid in pids.values():
        with contextlib.suppress(ProcessLookupError):  # it may have just ended with another
            os.kill(pid, signal.SIGKILL)

    def replaced() -> bool:
        now = installation.processes()
        return all(now.get(name) not in (None, pid) for name, pid in pids.items())

    installation.until(replaced, f"{', '.join(pids)} are started again")


def resident_mb(installation: Installation, name: str) -> int:
    """Resident memory of a process in MiB."""
    status = Path(f"/proc/{installation.processes()[name]}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) >> 10


@pytest.mark.parametrize("seconds", FORMS)
def test_pressure_dawdling_and_kills_at_once_cost_no_promise(tmp_path: Path, seconds: float) -> None:
    with Installation(tmp_path / "h", workers=2, seal_interval=0.5, queue_rows=ROOM) as installation:
        given_two_versions(installation)
        installation.start()
        host = next(name for name in installation.processes() if name.startswith("host"))
        victims = (["gateway 0", host], ["controller", "gateway 1"], ["gateway 0", "gateway 1", "controller", host])
        end, turns = time.monotonic() + seconds, 0
        with (
            Callers(installation.port, "late", connections=24, requests=10_000_000, seconds=seconds + 120) as callers,
            Dawdlers(installation.port, 12) as dawdlers,
        ):
            while time.monotonic() < end or turns < len(victims):
                wanted = callers.answered() + 40
                installation.until(lambda wanted=wanted: callers.answered() >= wanted, "callers are answered again")  # type: ignore[misc] # mypy takes no default here
                kill_at_once(installation, victims[turns % len(victims)])
                turns += 1
            installation.settled()
            wanted = callers.answered() + 200
            installation.until(lambda: callers.answered() >= wanted, "all of it has recovered")
            memory = [resident_mb(installation, f"gateway {index}") for index in (0, 1)]
            promised = callers.stop()
        assert dawdlers.connected >= 12
        installation.settled()
        with installation.open() as hg:
            assert_each_promise_is_kept_once(hg, promised)
            reasons = Counter(hg.reader.joined("default", "late").column("fallback").to_pylist())
        assert installation.stop() == 0
        with installation.open() as hg:
            assert_each_promise_is_kept_once(hg, promised)
        assert_the_lake_holds_each_row_once(installation)
    assert promised.statuses.keys() <= {200, 503, 0}, "answers, room for no more, and broken connections: nothing else"
    assert promised.statuses[503], "there was less room than callers"
    assert promised.statuses[0], "some were in the middle of it when a gateway was killed"
    assert {reason for reason in reasons if reason} <= {"failed", "late", "resting"}
    assert max(memory) < 600
