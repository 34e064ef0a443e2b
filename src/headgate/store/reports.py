"""What each worker says it obeys, as one small file per worker that vanishes from sight with its process."""

import os
from pathlib import Path

import msgspec

from headgate.errors import BadInput
from headgate.store import atomic
from headgate.vocabulary import NAME, NAME_RULE, readable


@readable
class _Report(msgspec.Struct, frozen=True):
    pid: int
    started: int
    """When the kernel says the process began, so that a pid used again is not taken for it."""
    revisions: dict[str, int]


class FileReports:
    """Reports in ``{folder}/{worker}.json``; a worker is alive for as long as the process that reported is.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     reports = FileReports(Path(folder) / "reports")
    ...     reports.report("w0", {"default/delays": 3})
    ...     reports.obeyed()
    {'w0': {'default/delays': 3}}
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def report(self, worker: str, revisions: dict[str, int]) -> None:
        """Worker `worker` of this process now obeys these revisions, by ``project/endpoint``.

        Raises BadInput when the worker's name is not one.
        """
        if not NAME.fullmatch(worker):
            raise BadInput("worker", "name", f"must match {NAME_RULE}")
        self._folder.mkdir(parents=True, exist_ok=True)
        pid = os.getpid()
        data = msgspec.json.encode(_Report(pid, _started(pid) or 0, revisions))
        # Not durable: nothing here outlives the process it speaks of.
        atomic.write_file(self._folder / f"{worker}.json", data, durable=False)

    def obeyed(self) -> dict[str, dict[str, int]]:
        """The last report of every worker alive, by worker."""
        found = {}
        for path in sorted(self._folder.glob("[a-z0-9-]*.json")):
            try:
                report = msgspec.json.decode(path.read_bytes(), type=_Report)
            except (OSError, ValueError):  # text that is no UTF-8 is not msgspec's own error
                continue
            if _started(report.pid) == report.started:
                found[path.stem] = report.revisions
        return found


def _started(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (field 22 of ``proc_pid_stat(5)``); None when it is dead.

    Where the kernel shows no such file, 0 stands for every process that exists.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _exists(pid)
    state, *rest = stat[stat.rindex(")") + 2 :].split()
    return None if state == "Z" else int(rest[18])


def _exists(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return 0
    return 0
