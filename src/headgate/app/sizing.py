"""Load-tests one package on this machine and says what it needs; called by ``headgate size`` and ``hg.size``.

In order: the package alone in a process of its own, a whole gateway over loopback, the changes that may save something,
the plan. What a model does meanwhile stays in the processes it runs in.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from headgate.app.loadtest import Subject, load_test
from headgate.errors import RuntimeFailed
from headgate.registry.package import Engine
from headgate.registry.packages import Package
from headgate.sizing import procfs
from headgate.sizing.figures import ENOUGH, Machine, Memory, Objective, Requests, Sizing
from headgate.sizing.plan import Measured, plan
from headgate.sizing.probe import Task
from headgate.sizing.process import Alone, Limits, measure_alone
from headgate.sizing.rows import questions
from headgate.sizing.savings import Form, savings
from headgate.sizing.text import counted
from headgate.sizing.variant import refused
from headgate.traffic.endpoint import EndpointSpec

SECONDS: Final = 10.0
"""Measured by default; loading comes on top."""
LARGEST: Final = 1024
"""Rows of the largest batch, by default."""
CEILING: Final = 0.7
"""The utilisation never to be planned beyond, by default: what is left is for bursts and for restarts."""
_ONNX: Final = "ONNX"
_ALONE, _ASKED, _CHANGE = 0.3, 0.5, 0.1
"""Shares of the time: the model alone, a whole gateway, each of two changes that need a process of their own."""
_MANY: Final = 64
_NOISY: Final = 0.25
"""Spread of the repeats from which it is said aloud."""

Progress = Callable[[float, str], None]
"""Told the share that is done, 0 to 1, and what is being measured."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure and to plan."""

    seconds: float = SECONDS
    """To measure for."""
    largest: int = LARGEST
    """Rows of the largest batch."""
    rows: int = 1
    """In each request, for the plan."""
    utilisation: float = CEILING
    """Never to be planned beyond, 0 to 1."""
    progress: Progress = lambda _share, _what: None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be sized."""

    name: str
    """``model:number``, or the folder, for people to read."""
    spec: EndpointSpec
    """Its model is version 1 of the home that is made for measuring."""
    declared: bool
    """Whether `spec` is somebody's; else it stands for one without an objective."""
    options: Options = Options()
    beside: Path | None = None
    """Where the measured gateway keeps its journal for the time being; None: where temporary files go."""
    hint: str = ""
    """Why there is no objective."""

    @property
    def limits(self) -> Limits:
        """What the endpoint grants a model's process, and the patience of its callers."""
        patience = min(self.spec.deadline_ms / 1000, self.spec.resources.call_seconds or float("inf"))
        return Limits(patience, self.spec.resources.memory_mb or 0)

    @property
    def objective(self) -> Objective | None:
        """What the endpoint promises; None when nobody declared one."""
        slo = self.spec.slo
        if not self.declared:
            return None
        return Objective(
            endpoint=self.spec.endpoint,
            latency_p99_ms=slo.latency_p99_ms,
            requests_per_second=slo.requests_per_second,
            memory_mb=self.spec.resources.memory_mb,
            rows=self.options.rows,
            ceiling=self.options.utilisation,
        )

    def says(self, before: float, what: str) -> Callable[[float], None]:
        """What turns seconds of one part into the share of the whole."""
        return lambda done: self.options.progress(min(1.0, before + done / self.options.seconds), what)


def size(package: Package, wanted: Wanted) -> Sizing:
    """What `package` needs on this machine.

    Raises RuntimeFailed when its model errs, hangs, dies or takes too much memory on a single row, BadConfiguration
    when the endpoint does not fit it, BadInput when there are no rows to ask with.
    """
    began, machine, options = time.monotonic(), _machine(), wanted.options
    rows = questions(package.path, wanted.spec.contract or package.contract)
    with TemporaryDirectory(prefix="headgate-size-") as name:
        bench = _Bench(package, wanted, Path(name))
        alone = bench.alone()
        subject = Subject(package, wanted.spec, rows, alone, options.rows)
        said = wanted.says(_ALONE, "a whole gateway")
        whole = load_test(subject, options.seconds * _ASKED, beside=wanted.beside, said=said)
        threaded = bench.threaded(alone)
        forms = bench.forms(alone)
    host = _host(alone, whole.host_peak_mb) if subject.hosted else None
    measured = Measured(whole.requests, alone.model, subject.hosted, machine.cores, whole.memory, host)
    objective = wanted.objective
    nothing = Objective(wanted.name, None, None, rows=options.rows, ceiling=options.utilisation)
    planned = plan(objective or nothing, measured)
    found = savings(
        whole.requests, alone.model, rows=options.rows, forms=forms, threaded=threaded.model if threaded else (),
        plan=planned, cores=machine.cores, gateway=whole.memory,
    )  # fmt: skip
    return Sizing(
        package=wanted.name,
        digest=package.digest,
        engine=package.manifest.engine.value,
        hosted=subject.hosted,
        rows=options.rows,
        rows_from=rows.source,
        machine=machine,
        seconds=round(time.monotonic() - began, 1),
        load=alone.load,
        gateway=whole.memory,
        host=host,
        model=alone.model,
        requests=whole.requests,
        objective=objective,
        plan=planned,
        savings=found,
        notes=tuple(_notes(wanted, alone, machine, whole.requests)),
    )


class _Bench:
    """Everything that is measured in a process of its own."""

    def __init__(self, package: Package, wanted: Wanted, folder: Path) -> None:
        self._package = package
        self._wanted = wanted
        self._rows = folder / "rows"
        self._rows.write_bytes(b"\n".join(questions(package.path, package.contract).rows))

    def alone(self) -> Alone:
        """The package as it is, batch after batch."""
        sizes = {1, self._wanted.options.rows}
        size = 1
        while size <= self._wanted.options.largest:
            sizes.add(size)
            size *= 2
        task = self._task(sorted(sizes), self._wanted.options.seconds * _ALONE)
        return measure_alone(task, self._wanted.limits, self._wanted.says(0.0, "the model alone"))

    def threaded(self, alone: Alone) -> Alone | None:
        """The package with two threads a call; None where it does not run so."""
        before = _ALONE + _ASKED
        sizes = sorted({1, alone.model[-1].rows})
        task = msgspec.structs.replace(self._task(sizes, self._wanted.options.seconds * _CHANGE), threads=2)
        try:
            return measure_alone(task, self._wanted.limits, self._wanted.says(before, "two threads"))
        except RuntimeFailed:  # one thread is what gateways run; that it runs with two was only hoped
            return None

    def forms(self, alone: Alone) -> tuple[Form, ...]:
        """The first ONNX form that `register` could make and refused because it was not exact, if there is one."""
        for attempt in refused(self._package):
            if attempt.candidate.startswith(_ONNX) and attempt.parity is not None:
                name = f"{attempt.candidate}, instead of {_form_of(self._package)}"
                cost = f"registered otherwise because {attempt.reason}"
                if self._package.manifest.engine is Engine.ONNX:
                    why = "the package keeps the converted model alone, and no other form can be made of that"
                    return (Form(name, cost, why=why),)
                return (self._converted(attempt.candidate, Form(name, cost), alone),)
        return ()

    def _converted(self, candidate: str, form: Form, alone: Alone) -> Form:
        said = self._wanted.says(_ALONE + _ASKED + _CHANGE, candidate)
        sizes = sorted({self._wanted.options.rows, *_few(alone)})
        task = self._task(sizes, self._wanted.options.seconds * _CHANGE)
        try:
            made = measure_alone(msgspec.structs.replace(task, candidate=candidate), self._wanted.limits, said)
        except RuntimeFailed as error:
            return replace(form, why=str(error))
        return replace(form, model=made.model)

    def _task(self, sizes: list[int], seconds: float) -> Task:
        return Task(str(self._package.path.resolve()), str(self._rows), sizes, seconds)


def _few(alone: Alone) -> set[int]:
    known = [each.rows for each in alone.model]
    return {1, max(each for each in known if each <= _MANY)}


def _form_of(package: Package) -> str:
    if package.manifest.engine is not Engine.ONNX:
        return f"{package.manifest.engine.value} in a runtime host"
    return "ONNX, float64 inputs"


def _machine() -> Machine:
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return Machine(cores, procfs.processor(), round(load, 2), busy=load > cores / 2)


def _host(alone: Alone, peak_mb: float) -> Memory:
    memory = alone.memory
    return Memory(memory.base_mb, memory.version_mb, max(memory.peak_mb, peak_mb))


def _notes(wanted: Wanted, alone: Alone, machine: Machine, requests: tuple[Requests, ...]) -> Iterator[str]:
    """What a reader should know before believing the figures."""
    if machine.busy:
        yield (
            f"the machine was busy before it began ({machine.load:.1f} processes wanted its {machine.cores} cores): "
            "latencies are too high, processor times a little"
        )
    if machine.cores < 2:
        yield "what asked shared the only core with what answered: latencies are too high, processor times a little"
    if alone.stopped:
        yield f"no larger batches were asked: {alone.stopped}"
    noisy = max(requests, key=lambda each: each.spread)
    if noisy.spread > _NOISY:
        where = f"{noisy.what}, {counted(noisy.rows, 'row')}, {counted(noisy.callers, 'caller')}"
        yield (
            f"the rates of repeats lay apart by up to {noisy.spread:.0%} ({where}); "
            "more --seconds or a quieter machine bring them together"
        )
    few = min(requests, key=lambda each: each.requests)
    if few.requests < ENOUGH:
        of = f"of {few.requests} at {counted(few.rows, 'row')}"
        yield f"some p99 are the slowest of few requests ({of}); give more --seconds"
    for each in requests:
        if each.failed:
            yield f"{each.failed} of {each.requests} requests of {counted(each.rows, 'row')} failed: {each.why}"
    if not wanted.declared:
        yield f"{wanted.hint}, so there is no objective to plan for: --endpoint names one, or its file"
