"""What a piece of work takes of its process. Imported by our programs and by the peers', so it needs nothing else.

A peer's program is started by its path, so that it finds this file beside it.
"""

import time
from pathlib import Path


def resident_mb(key: str) -> float:
    """Memory of this process: VmRSS now, VmHWM its most; the peak of rusage is the parent's where that was more."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) * 1024 / 1e6


class Used:
    """Counts from where it was made: after the imports."""

    def __init__(self) -> None:
        self._memory, self._begun, self._cpu = resident_mb("VmRSS"), time.perf_counter(), time.process_time()

    def so_far(self) -> dict[str, float]:
        """Seconds by the clock and of the processor, and megabytes at most beyond what the imports had taken."""
        seconds, cpu = time.perf_counter() - self._begun, time.process_time() - self._cpu
        return {"seconds": seconds, "cpu": cpu, "peak_mb": resident_mb("VmHWM") - self._memory}
