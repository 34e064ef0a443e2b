"""What the kernel says of a process: memory, and processor time to the nanosecond. Linux only, as gateways are."""

import contextlib
import math
import os
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int | None = None) -> float:
    """Resident memory of a process, by default this one, in MiB; 0 when it is gone."""
    return _status(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """The most resident memory a process ever had, in MiB; 0 when it is gone."""
    return _status(pid, "VmHWM")


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads of a process so far; 0 when it is gone."""
    total = 0
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):  # a thread may end while we look
                total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9 if total else _ticked(pid)


def available_mb() -> float:
    """Memory that could be had without swapping, in MiB; endless where the kernel does not say."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) / 1024
    return math.inf


def processor() -> str:
    """The processor's name, as its maker wrote it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return os.uname().machine


def _status(pid: int | None, key: str) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid or 'self'}/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) / 1024
    return 0.0


def _ticked(pid: int) -> float:
    """Where the kernel keeps no finer account: in hundredths of a second."""
    with contextlib.suppress(OSError, ValueError):
        stat = Path(f"/proc/{pid}/stat").read_text()
        fields = stat[stat.rindex(")") + 2 :].split()
        return (int(fields[11]) + int(fields[12])) / _TICK
    return 0.0
