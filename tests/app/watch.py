"""Callers in a process of their own that time every answer: `python -m tests.app.watch PORT PATH BODY`.

They go on until their standard input ends; then what happened goes to standard output as JSON. A process of their
own, because what a test does meanwhile would hold the interpreter they time with.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

CALLERS = 4
ROOT = Path(__file__).parent.parent.parent


@dataclass
class Seen:
    """Every answer, once there are no more."""

    times: list[tuple[float, float]] = field(default_factory=list)
    """(moment asked, milliseconds), on the machine's monotonic clock."""
    failures: list[int] = field(default_factory=list)
    """Statuses that were not 200."""

    def p99(self, start: float, end: float) -> float:
        """Of what was asked in that time, in milliseconds."""
        return float(np.quantile([ms for at, ms in self.times if start <= at < end], 0.99))


class Watch:
    """Callers at work for a block; what they saw is in `seen` behind it."""

    def __init__(self, port: int, path: str, body: bytes) -> None:
        words = [sys.executable, "-m", "tests.app.watch", str(port), path, body.decode()]
        self._process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seen = Seen()

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        self._process.stdout.readline()  # they began
        return self

    def __exit__(self, *_: object) -> None:
        said = self._process.communicate(timeout=60)[0]
        self.seen = Seen(**json.loads(said))


def call(port: int, path: str, body: bytes, seen: Seen, over: threading.Event) -> None:
    """Ask again and again on a kept connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not over.is_set():
        began = time.monotonic()
        connection.request("POST", path, body)
        reply = connection.getresponse()
        reply.read()
        seen.times.append((began, (time.monotonic() - began) * 1e3))
        if reply.status != 200:
            seen.failures.append(reply.status)
    connection.close()


def main(port: str, path: str, body: str) -> None:
    """See the module."""
    seen, over = Seen(), threading.Event()
    words = int(port), path, body.encode(), seen, over
    threads = [threading.Thread(target=call, args=words) for _ in range(CALLERS)]
    for each in threads:
        each.start()
    sys.stdout.write("began\n")
    sys.stdout.flush()
    sys.stdin.read()
    over.set()
    for each in threads:
        each.join()
    sys.stdout.write(json.dumps({"times": seen.times, "failures": seen.failures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
