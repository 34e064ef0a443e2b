"""What a server does with requests that come whether it answers or not: `open_load.c` built and run, its arrays read.

Called by `overload.py`, `swap.py`, `shadow.py` and `rollback.py`. Needs a C compiler, as ``cc``.
"""

import os
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks import load

PUNCTUAL_MS: Final = 2.0
"""A generator whose requests leave later than this, one in a hundred, was itself the limit."""
REFUSED: Final = (429, 503)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Offered:
    """One stretch of requests at even moments; all times in seconds of the machine's monotonic clock."""

    rate: float
    """Requests per second that were due."""
    due: Floats
    sent: Floats
    done: Floats
    """0 where no answer came."""
    status: npt.NDArray[np.int16]
    generator_share: float

    @property
    def statuses(self) -> dict[int, int]:
        """How many answers there were of each status; 0 stands for none at all."""
        return dict(sorted(Counter(self.status.tolist()).items()))

    @property
    def goodput(self) -> float:
        """Accepted requests per second, over the time in which requests were due."""
        return float(np.sum(self.status == 200)) / (len(self.due) / self.rate)

    @property
    def failed(self) -> int:
        """Requests that were neither answered nor told to come back."""
        return int(np.sum(~np.isin(self.status, (200, *REFUSED))))

    @property
    def late_ms(self) -> float:
        """By how much requests left later than they were due: one in a hundred was later than this."""
        return quantile_ms(np.where(self.sent > 0, self.sent, self.done.max()) - self.due)

    @property
    def limit(self) -> str:
        """``generator`` where its core was too slow for it, ``connections`` where none was free, else ``server``."""
        if self.late_ms <= PUNCTUAL_MS:
            return "server"
        return "generator" if self.generator_share > load.GENERATOR_IDLE else "connections"

    def p99_ms(self, start: float = 0.0, end: float = np.inf) -> float:
        """p99 of accepted requests due in that time, from the moment they were due."""
        chosen = (self.status == 200) & (self.due >= start) & (self.due < end)
        return quantile_ms((self.done - self.due)[chosen])

    def p50_ms(self) -> float:
        """The median of accepted requests, likewise."""
        return quantile_ms((self.done - self.due)[self.status == 200], 0.5)

    @property
    def longest_gap_ms(self) -> float:
        """The longest time without an accepted answer while requests were due."""
        done = np.sort(self.done[self.status == 200])
        inside = done[done <= self.due[-1]]
        return float(np.max(np.diff(np.concatenate(([self.due[0]], inside, [self.due[-1]]))))) * 1e3


def quantile_ms(seconds: Floats, share: float = 0.99) -> float:
    """A quantile of times in milliseconds; infinite where there are none.

    >>> quantile_ms(np.array([0.001, 0.002, 0.003]), 0.5)
    2.0
    """
    return float(np.quantile(seconds, share)) * 1e3 if len(seconds) else float("inf")


def request_of(target: load.Target) -> bytes:
    """What is sent: one request, head and body."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in target.headers)
    head = f"POST {target.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(target.body)}\r\n\r\n"
    return head.encode() + target.body


def built(folder: Path) -> Path:
    """The generator as a program in that folder."""
    program = folder / "open_load"
    if not program.exists():
        compiler = shutil.which("cc")
        if compiler is None:
            raise RuntimeError("the open loop needs a C compiler that is called cc; on Debian: apt-get install gcc")
        source = Path(__file__).with_name("open_load.c")
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
    return program


class Offer:
    """A generator at work on the last core, in a block that it does not outlive; `outcome` waits for its end."""

    def __init__(self, target: load.Target, rate: float, seconds: float, connections: int, folder: Path) -> None:
        self.rate = rate
        self._out = folder / "offered"
        words = [built(folder), target.port, connections, rate, seconds, self._out]
        pinned = load.pinned_to(max(os.sched_getaffinity(0)), [str(each) for each in words])
        self._process = subprocess.Popen(pinned, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(request_of(target))
        self._process.stdin.close()
        self._process.stdin = None

    @property
    def running(self) -> bool:
        """Whether requests are still on their way."""
        return self._process.poll() is None

    def outcome(self) -> Offered:
        """What happened, once it has."""
        said, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError(f"the generator ended with status {self._process.returncode}")
        raw = self._out.read_bytes()
        total = (len(raw) - 8) // 18
        moments = np.frombuffer(raw, np.float64, 1 + 2 * total)
        status = np.frombuffer(raw, np.int16, total, offset=moments.nbytes)
        start, sent, done = float(moments[0]), moments[1 : 1 + total], moments[1 + total :]
        return Offered(self.rate, start + np.arange(total) / self.rate, sent, done, status, float(said))

    def __enter__(self) -> "Offer":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def offer(target: load.Target, rate: float, seconds: float, connections: int, folder: Path) -> Offered:
    """Requests at even moments for a while."""
    with Offer(target, rate, seconds, connections, folder) as generator:
        return generator.outcome()


def row(name: str, found: Offered, **more: Any) -> dict[str, Any]:
    """One line of a report."""
    return {
        "what": name,
        "offered_per_s": round(found.rate),
        "accepted_per_s": round(found.goodput),
        "statuses": " ".join(f"{status}:{count}" for status, count in found.statuses.items()),
        "p50_ms": round(found.p50_ms(), 2),
        "p99_ms": round(found.p99_ms(), 2),
        "longest_gap_ms": round(found.longest_gap_ms, 1),
        "late_ms": round(found.late_ms, 2),
        "generator_share": round(found.generator_share, 2),
        "limit": found.limit,
        **more,
    }
