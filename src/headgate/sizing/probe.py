"""The process that is measured: one package, opened as a runtime host opens it; ``python -m headgate.sizing.probe``.

Started by `process.measure_alone`. What a model does in here (err, hang, leak, die) stays in here. What it finds out it
writes as JSON, a line each, to a descriptor of its own, because a model may print. A line says what is about to be
done before it is done, so that whoever reads knows what it hung or died in.
"""

import gc
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, perf_counter_ns, process_time_ns
from types import GenericAlias
from typing import Any, Final

import msgspec

from headgate.contracts.decode import compile_contract
from headgate.errors import HeadgateError
from headgate.registry.packages import open_package
from headgate.runtimes.feeds import compile_feeds
from headgate.runtimes.host import apply_limits, end_with
from headgate.runtimes.open import open_runtime
from headgate.runtimes.ports import Runtime
from headgate.sizing.procfs import resident_mb
from headgate.sizing.variant import write_variant
from headgate.vocabulary import readable

ROUNDS: Final = 3
"""Times every batch size is come back to, so that a moment's noise is one figure of three."""
LONGEST_SHARE: Final = 8
"""A call that takes more than this part of the time given is the last one that is made larger."""
_KEPT: Final = 4000
"""Calls of one batch size and round whose times are kept."""


@readable
class Task(msgspec.Struct):
    """What the process is told to do."""

    package: str
    rows: str
    """File of JSON rows, a line each."""
    batches: list[int]
    seconds: float
    threads: int = 1
    memory_mb: int = 0
    candidate: str | None = None
    """Candidate to make of the package's own model and to measure in its place."""
    workdir: str | None = None
    """Where to put it."""


@dataclass
class _Subject:
    """The package, open, and the rows it is asked with."""

    runtime: Runtime
    batch: Callable[[int, int], Any]
    """Feeds of so many rows, from the row with that number on."""
    ragged: bool
    started: float = field(default_factory=perf_counter)


def main(argv: Sequence[str]) -> int:
    """Do what the task file named first says, and write to the descriptor named second; the parent is the third."""
    task = msgspec.json.decode(Path(argv[0]).read_bytes(), type=Task)
    channel = os.fdopen(int(argv[1]), "w", buffering=1)

    def say(**what: Any) -> None:
        channel.write(json.dumps(what) + "\n")

    if not end_with(int(argv[2])):
        return 0
    apply_limits(task.memory_mb, 0, task.threads)
    try:
        _measure(task, say)
    except HeadgateError as error:
        say(event="failed", why=str(error))
    except MemoryError:
        say(event="failed", why="the model found no memory left")
    return 0


def _measure(task: Task, say: Callable[..., None]) -> None:
    path = Path(task.package)
    if task.candidate is not None:
        say(event="doing", what="converting the model")
        path = write_variant(path, task.candidate, Path(task.workdir or "."))
    say(event="doing", what="loading the package", resident_mb=resident_mb())
    began = perf_counter()
    package = open_package(path)
    runtime = open_runtime(package.path, package.manifest, package.contract, threads=task.threads)
    loaded_ms = (perf_counter() - began) * 1000
    say(event="loaded", load_ms=loaded_ms, resident_mb=resident_mb())
    lines = Path(task.rows).read_bytes().splitlines()
    decoder = compile_contract(package.contract)
    plan = compile_feeds(package.contract, package.manifest.signature, package.manifest.options)
    rows_type: Any = GenericAlias(list, (decoder.row_type,))  # made at run time, so no checker can know it
    read = msgspec.json.Decoder(rows_type).decode

    def batch(count: int, start: int) -> Any:
        chosen = [lines[(start + each) % len(lines)] for each in range(count)]
        body = b"[%b]" % b",".join(chosen)
        before = perf_counter_ns()
        feeds = plan.from_values([decoder.values(row) for row in read(body)])
        return feeds, perf_counter_ns() - before

    subject = _Subject(runtime, batch, plan.ragged)
    say(event="doing", what="the first call, of one row")
    before = perf_counter_ns()
    runtime.run(batch(1, 0)[0])
    say(event="first", ms=(perf_counter_ns() - before) / 1e6)
    _rounds(task, subject, say)
    runtime.close()
    say(event="end")


def _rounds(task: Task, subject: _Subject, say: Callable[..., None]) -> None:
    batches = [1] if subject.ragged else task.batches
    slice_s = task.seconds / (ROUNDS * len(batches))
    sizes: list[int] = []
    began = perf_counter()
    gc.freeze()  # what loading left behind is nothing a call should pay for
    for size in batches:
        took = _slice(subject, size, slice_s, say)
        sizes.append(size)
        if took > task.seconds / LONGEST_SHARE or perf_counter() - began > task.seconds:
            if size != batches[-1]:
                say(event="stopped", why=f"a call of {size:,} rows takes {took:.1f} s")
            break
    lasted = perf_counter() - began
    for _ in range(ROUNDS - 1):
        if perf_counter() - began + lasted > task.seconds * 1.2:
            return
        for size in sizes:
            _slice(subject, size, slice_s, say)


def _slice(subject: _Subject, size: int, seconds: float, say: Callable[..., None]) -> float:
    """Calls of `size` rows for so long, at least one; the seconds the longest took."""
    say(event="doing", what=f"a call of {size:,} rows" if size > 1 else "a call of one row")
    calls: list[int] = []
    checks: list[int] = []
    cpu = 0
    end = perf_counter() + seconds
    while not calls or (perf_counter() < end and len(calls) < _KEPT):
        feeds, check = subject.batch(size, len(calls) * size)
        worked, before = process_time_ns(), perf_counter_ns()
        subject.runtime.run(feeds)
        calls.append(perf_counter_ns() - before)
        cpu += process_time_ns() - worked
        checks.append(check)
    checks.sort()
    say(
        event="batch",
        rows=size,
        calls=calls,
        cpu_ns=cpu / len(calls),
        check_ns=checks[len(checks) // 2] / size,
        resident_mb=resident_mb(),
    )
    return max(calls) / 1e9


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
