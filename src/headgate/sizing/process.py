"""Measures a package in a process of its own and ends that process whatever the model in it does.

Called by the app's sizing. The process says what it is about to do; when it says nothing for too long it hangs, when it
holds more memory than it may it is ended, and both are told together with what it was doing.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from headgate.errors import RuntimeFailed
from headgate.runtimes.open import THREAD_VARIABLES
from headgate.sizing.figures import Load, Memory, ModelTime
from headgate.sizing.probe import Task
from headgate.sizing.procfs import available_mb, peak_mb, resident_mb

LOADING_SECONDS: Final = 120.0
"""Longest a package may take to be opened or converted."""
_LOOK_SECONDS: Final = 0.05
_MOST_OF_MEMORY: Final = 0.7
"""Share of the memory that is free which a model may take before it is ended: others live here too."""
_LAST_WORDS: Final = 300

Said = Callable[[float], None]
"""Told how many seconds of measuring are done."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the measured process may take."""

    call_seconds: float = 10.0
    """Longest a call may take."""
    memory_mb: int = 0
    """Private memory in MiB, as a runtime host's; 0 sets none, and it is ended before the machine has none left."""


@dataclass(slots=True)
class Alone:
    """A package measured alone."""

    load: Load
    memory: Memory
    model: tuple[ModelTime, ...]
    stopped: str = ""
    """Why no larger batch was asked; empty when all were."""


@dataclass
class _Heard:
    """What the process has said so far."""

    doing: str = "starting"
    loading: bool = True
    base_mb: float = 0.0
    loaded_mb: float = 0.0
    load_ms: float = 0.0
    first_ms: float = 0.0
    peak_mb: float = 0.0
    stopped: str = ""
    failed: str = ""
    ended: bool = False
    calls: dict[int, list[list[int]]] = field(default_factory=dict)
    """Nanoseconds of every call, by rows and round."""
    cpu_ns: dict[int, list[float]] = field(default_factory=dict)
    check_ns: dict[int, list[float]] = field(default_factory=dict)
    resident_mb: dict[int, float] = field(default_factory=dict)

    def hear(self, line: Mapping[str, Any]) -> None:
        """Take in one line."""
        match line["event"]:
            case "doing":
                self.doing = line["what"]
                self.base_mb = line.get("resident_mb", self.base_mb)
            case "loaded":
                self.load_ms, self.loaded_mb = line["load_ms"], line["resident_mb"]
            case "first":
                self.first_ms, self.loading = line["ms"], False
            case "batch":
                rows = line["rows"]
                self.calls.setdefault(rows, []).append(line["calls"])
                self.cpu_ns.setdefault(rows, []).append(line["cpu_ns"])
                self.check_ns.setdefault(rows, []).append(line["check_ns"])
                self.resident_mb[rows] = line["resident_mb"]
            case "stopped" | "failed" as event:
                setattr(self, event, line["why"])
            case "end":
                self.ended = True


def measure_alone(task: Task, limits: Limits, said: Said = lambda _: None) -> Alone:
    """What `task` measures. Where the model gives up on larger batches only, the smaller ones and why.

    Raises RuntimeFailed when it cannot even be asked one row: it errs, hangs, dies or takes too much memory.
    """
    heard = _Heard()
    why = _watch(task, limits, heard, said)
    why = why or heard.failed
    if not heard.calls or 1 not in heard.calls:
        raise RuntimeFailed(f"while {_gerund(heard.doing)}: {why or 'the process ended without a word'}")
    return _told(heard, f"at {heard.doing}, {why}" if why else heard.stopped)


def _gerund(doing: str) -> str:
    return f"making {doing}" if "call" in doing else doing


def _watch(task: Task, limits: Limits, heard: _Heard, said: Said) -> str:
    """Run the process to its end or ours; why it did not come to its own, empty when it did."""
    memory_mb = _MOST_OF_MEMORY * available_mb()
    task = msgspec.structs.replace(task, memory_mb=limits.memory_mb)
    with tempfile.TemporaryDirectory(prefix="headgate-size-") as name, _started(task, Path(name)) as (process, reader):
        began = since = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            left = b""
            while True:
                if selector.select(_LOOK_SECONDS):
                    chunk = os.read(reader, 1 << 20)
                    if not chunk:
                        return "" if heard.ended or heard.failed else _ended(process, Path(name))
                    *lines, left = (left + chunk).split(b"\n")
                    for line in lines:
                        heard.hear(json.loads(line))
                    since = time.monotonic()
                heard.peak_mb = max(heard.peak_mb, peak_mb(process.pid))
                said(0.0 if heard.loading else time.monotonic() - began)
                if (held := resident_mb(process.pid)) > memory_mb:
                    return f"it held {held:,.0f} MB and was ended before the machine had no memory left"
                patience = LOADING_SECONDS if heard.loading and "call" not in heard.doing else limits.call_seconds
                if time.monotonic() - since > patience + task.seconds / 3:
                    return f"it did not come back within {patience:g} s and was ended"


@contextlib.contextmanager
def _started(task: Task, folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """The process and where its words arrive; at the end of the block it is gone, and so is whatever it started."""
    file = folder / "task.json"
    workdir = folder / "work"
    workdir.mkdir()
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(task, workdir=str(workdir))))
    reader, writer = os.pipe()
    words = [sys.executable, "-m", "headgate.sizing.probe", str(file), str(writer), str(os.getpid())]
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(task.threads))}
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, pass_fds=[writer],
                start_new_session=True,
            )  # fmt: skip
    finally:
        os.close(writer)
    try:
        yield process, reader
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(reader)


def _ended(process: "subprocess.Popen[bytes]", folder: Path) -> str:
    """How a process ended that should not have."""
    try:
        status = process.wait(5.0)
    except subprocess.TimeoutExpired:
        return "it closed its door and did not end"
    if status < 0:
        return f"its process died of {signal.Signals(-status).name}"
    return f"its process ended with status {status}{last_words(folder / 'log')}"


def last_words(log: Path) -> str:
    """The end of what a process said, to be put behind a sentence; empty when it said nothing."""
    said = " ".join(log.read_text(errors="replace").split())[-_LAST_WORDS:] if log.exists() else ""
    return f": {said}" if said else ""


def _told(heard: _Heard, stopped: str) -> Alone:
    model = tuple(_time(heard, rows) for rows in sorted(heard.calls))
    load = Load(heard.load_ms, heard.first_ms, model[0].p50_ms)
    version_mb = max(0.0, heard.loaded_mb - heard.base_mb)
    memory = Memory(heard.base_mb, version_mb, max(heard.peak_mb, heard.loaded_mb))
    return Alone(load, memory, model, stopped)


def _time(heard: _Heard, rows: int) -> ModelTime:
    """The figures of one batch size: of each the median over the rounds."""
    rounds = [np.array(each) / 1e6 for each in heard.calls[rows]]
    return ModelTime(
        rows=rows,
        calls=sum(len(each) for each in rounds),
        p50_ms=_median([float(np.median(each)) for each in rounds]),
        p99_ms=_median([float(np.quantile(each, 0.99, method="higher")) for each in rounds]),
        mean_ms=_median([float(each.mean()) for each in rounds]),
        variation=_median([float(each.var() / each.mean() ** 2) for each in rounds]),
        cpu_ms=_median(heard.cpu_ns[rows]) / 1e6,
        check_us=_median(heard.check_ns[rows]) / 1e3,
        resident_mb=heard.resident_mb[rows],
    )


def _median(values: list[float]) -> float:
    return float(np.median(values))
