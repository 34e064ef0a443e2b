"""The part of the store in memory that keeps runs: `headgate.retraining.run.RunStore` in dictionaries."""

import threading

import msgspec

from headgate.errors import Conflict
from headgate.events import Event
from headgate.retraining.run import Call, Run, under_way
from headgate.vocabulary import Micros


class MemoryRuns:
    """Runs and calls, under the lock and with the history of whoever inherits this."""

    _lock: threading.Lock

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str, int], Run] = {}
        self._calls: dict[tuple[str, str, str], Call] = {}

    def _append(self, event: Event) -> None:
        raise NotImplementedError("whoever inherits this has the history")

    def add_run(self, run: Run, event: Event) -> Run:
        """Keep it under its endpoint's next number, with its event; Conflict while another has not ended."""
        with self._lock:
            earlier = [each for key, each in sorted(self._runs.items()) if key[:2] == (run.project, run.endpoint)]
            if earlier and not earlier[-1].ended:
                raise under_way(earlier[-1])
            numbered = msgspec.structs.replace(run, number=len(earlier) + 1)
            self._runs[run.project, run.endpoint, numbered.number] = numbered
            self._append(event)
            return numbered

    def keep_run(self, run: Run, before: int, event: Event | None = None) -> None:
        """Keep it in place of its revision `before`, with its event; Conflict where another is there by now."""
        key = run.project, run.endpoint, run.number
        with self._lock:
            if key not in self._runs or self._runs[key].revision != before:
                raise Conflict(f"run {run.number} of '{run.endpoint}' moved meanwhile; look again")
            self._runs[key] = run
            if event is not None:
                self._append(event)

    def runs(self, project: str | None = None, endpoint: str | None = None) -> list[Run]:
        """By project, endpoint and number."""
        with self._lock:
            kept = sorted(self._runs.items())
        return [each for key, each in kept if project in (None, key[0]) and endpoint in (None, key[1])]

    def open_runs(self) -> list[Run]:
        """Those that have not ended, of all projects."""
        return [each for each in self.runs() if not each.ended]

    def add_call(self, call: Call) -> bool:
        """Keep it; False where one of its endpoint and key is there already."""
        key = call.project, call.endpoint, call.key
        with self._lock:
            is_new = key not in self._calls
            self._calls.setdefault(key, call)
            return is_new

    def calls(self, project: str, endpoint: str, since: Micros) -> list[Call]:
        """Those from a moment on, the first one first."""
        with self._lock:
            kept = list(self._calls.values())
        mine = [each for each in kept if (each.project, each.endpoint) == (project, endpoint) and each.at >= since]
        return sorted(mine, key=lambda each: (each.at, each.key))
