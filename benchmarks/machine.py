"""What a benchmark ran on, for every report: processor, file system, the disk's own sync, versions."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def facts(folder: Path, packages: Iterable[str]) -> dict[str, Any]:
    """The machine seen from `folder`, and the versions of `packages` here; takes a fraction of a second."""
    p50, p99 = sync_quantiles_ms(folder)
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "file_system": _file_system(folder),
        "fdatasync_p50_ms": round(p50, 3),
        "fdatasync_p99_ms": round(p99, 3),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def sync_quantiles_ms(folder: Path, count: int = 300) -> tuple[float, float]:
    """p50 and p99 of fdatasync after appending 4 kB to a file in `folder`."""
    path, times = folder / "sync-times", []
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1e3)
    path.unlink()
    times.sort()
    return times[count // 2], times[int(count * 0.99) - 1]


def version(name: str) -> str:
    """The installed version of a package, or ``absent``."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((each.partition(":")[2].strip() for each in lines if "model name" in each), platform.processor())


def _file_system(folder: Path) -> str:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    where = folder.resolve()
    return max((each for each in mounts if where.is_relative_to(each[1])), key=lambda each: len(each[1]))[2]
