"""Asks one real gateway in every way a plan or a change is made of, several times over; called by `sizing`.

All ways are gone through, and then all again: what disturbs the machine for a moment is one figure of three, and the
median passes it by.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from headgate.app.trial import Trial, trial
from headgate.contracts.contract import Contract
from headgate.errors import RuntimeFailed
from headgate.registry.package import Engine
from headgate.registry.packages import Package
from headgate.sizing.bodies import LENGTH_HEADER, v2_binary
from headgate.sizing.callers import Answered, request
from headgate.sizing.figures import Memory, Requests
from headgate.sizing.plan import JSON, model_ms
from headgate.sizing.probe import LONGEST_SHARE, ROUNDS
from headgate.sizing.process import Alone, Said
from headgate.sizing.rows import Questions
from headgate.sizing.savings import BINARY, BUFFERED
from headgate.traffic.endpoint import EndpointSpec, JournalWords
from headgate.vocabulary import Ack

_CALLERS: Final = (8, 64)
"""Callers at once, besides one."""
_BINARY_ROWS: Final = 64
_BODIES: Final = 16
"""Different requests of one kind that callers go round through."""
_MOST_BYTES: Final = 64 * 1024 * 1024
"""Of all the different bodies of one way to ask, which are in memory at once."""
_LONGEST_BODY: Final = 12 << 20
"""Bytes; a gateway takes no much larger body."""


@dataclass(frozen=True, slots=True)
class Step:
    """One way of asking."""

    what: str
    rows: int
    callers: int
    requests: list[bytes]


@dataclass(slots=True)
class _Tally:
    """What one way of asking cost and gave, round by round."""

    rounds: list[Answered] = field(default_factory=list)
    gateway_s: float = 0.0
    host_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Whole:
    """A gateway measured."""

    memory: Memory
    host_peak_mb: float
    requests: tuple[Requests, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked: a package under an endpoint, with rows its contract takes."""

    package: Package
    spec: EndpointSpec
    rows: Questions
    alone: Alone
    own_rows: int
    """Rows in each of the requests a plan is made for."""

    @property
    def contract(self) -> Contract:
        """What the gateway holds rows to."""
        return self.spec.contract or self.package.contract

    @property
    def hosted(self) -> bool:
        """Whether the model has a process of its own."""
        return self.package.manifest.engine is not Engine.ONNX

    def request_ms(self, rows: int, callers: int) -> float:
        """About how long such a request may take, by the model's own time."""
        together = 1 if self.package.manifest.options.get("batchable") == "no" else callers
        return model_ms(self.alone.model, rows * together) * callers / together


def load_test(subject: Subject, seconds: float, *, beside: Path | None, said: Said) -> Whole:
    """What a whole gateway takes to answer in each way, for about so many seconds.

    Raises RuntimeFailed when it answers no request of one row, BadConfiguration when the endpoint does not fit.
    """
    with trial(subject.package, subject.spec, beside=beside) as gateway:
        gateway.serve(subject.spec)
        steps = list(_steps(subject, seconds))
        patience = subject.spec.deadline_ms / 1000 + 5.0
        _warm_up(gateway, steps[0], patience)
        durable = subject.spec.journal.ack is Ack.DURABLE
        share = 0.8 if durable else 1.0
        found = _measure(gateway, steps, seconds * share, patience, said)
        if durable:
            words = JournalWords(Ack.BUFFERED, subject.spec.journal.on_failure)
            gateway.serve(msgspec.structs.replace(subject.spec, journal=words))
            again = [Step(BUFFERED, each.rows, each.callers, each.requests) for each in _journalled(steps, subject)]
            found += _measure(
                gateway, again, seconds * (1 - share), patience, lambda done: said(seconds * share + done)
            )
        _require_answers(found, subject)
        return Whole(gateway.gateway_memory(), gateway.host_peak_mb(), tuple(found))


def _steps(subject: Subject, seconds: float) -> Iterator[Step]:
    path = f"/v1/endpoints/{subject.spec.endpoint}/predict"
    sizes = sorted({subject.own_rows, *(each.rows for each in subject.alone.model)})
    for rows in sizes:
        enough = subject.request_ms(rows, 1) <= 1000 * seconds / LONGEST_SHARE
        if rows != subject.own_rows and not enough:
            continue
        bodies = _bodies(subject.rows, rows)
        if rows == subject.own_rows or len(bodies[0]) <= _LONGEST_BODY:
            yield Step(JSON, rows, 1, [request(path, body) for body in bodies])
    bodies = [request(path, body) for body in _bodies(subject.rows, subject.own_rows, _BODIES * max(_CALLERS))]
    for callers in _CALLERS:
        if subject.request_ms(subject.own_rows, callers) <= 1000 * seconds / LONGEST_SHARE:
            yield Step(JSON, subject.own_rows, callers, bodies)
    binary = _binary(subject)
    if binary and _BINARY_ROWS in sizes:
        yield Step(BINARY, _BINARY_ROWS, 1, binary)


def _bodies(rows: Questions, count: int, different: int = _BODIES) -> list[bytes]:
    different = max(1, min(different, len(rows.rows), _MOST_BYTES // len(rows.body(count, 0))))
    return [rows.body(count, place * count) for place in range(different)]


def _binary(subject: Subject) -> list[bytes]:
    """Requests of raw tensors, of rows without a null; none where the contract has no such form."""
    whole: list[Any] = [each for each in subject.rows.values if None not in each.values()]
    if not whole:
        return []
    chosen = [whole[place % len(whole)] for place in range(_BINARY_ROWS)]
    made = v2_binary(subject.contract, chosen)
    if made is None:
        return []
    headers = [(LENGTH_HEADER, str(made[1])), ("Content-Type", "application/octet-stream")]
    return [request(f"/v2/models/{subject.spec.endpoint}/infer", made[0], headers)]


def _journalled(steps: Sequence[Step], subject: Subject) -> list[Step]:
    """The ways in which the journal's waiting shows most: one caller, and most at once."""
    alike = [each for each in steps if each.what == JSON and each.rows == subject.own_rows]
    return alike[:1] if len(alike) == 1 else [alike[0], alike[-1]]


def _warm_up(gateway: Trial, step: Step, patience: float) -> None:
    """A first answer, so that what happens once is not measured; a gateway that gives none is not measured at all."""
    first = gateway.ask(step.requests, callers=1, seconds=0.0, patience=patience)
    if first.failed:
        raise RuntimeFailed(f"the gateway did not answer a request: {first.why}")


def _require_answers(found: Sequence[Requests], subject: Subject) -> None:
    """Nothing, or RuntimeFailed: where single requests fail now and then, no plan is worth anything."""
    for each in found:
        if each.failed and (each.rows, each.callers) == (subject.own_rows, 1):
            raise RuntimeFailed(f"{each.failed} of {each.requests} requests failed, one at a time: {each.why}")


def _measure(gateway: Trial, steps: Sequence[Step], seconds: float, patience: float, said: Said) -> list[Requests]:
    tallies = [_Tally() for _ in steps]
    slice_s = seconds / (ROUNDS * len(steps))
    began = time.monotonic()
    for number in range(ROUNDS):
        round_began = time.monotonic()
        for step, tally in zip(steps, tallies, strict=True):
            before = gateway.spent()
            answered = gateway.ask(step.requests, callers=step.callers, seconds=slice_s, patience=patience)
            after = gateway.spent()
            tally.rounds.append(answered)
            tally.gateway_s += after.gateway - before.gateway
            tally.host_s += after.host - before.host
            said(time.monotonic() - began)
        lasted = time.monotonic() - round_began
        if number + 1 < ROUNDS and time.monotonic() - began + lasted > seconds * 1.3:
            break
    return [_requests(step, tally) for step, tally in zip(steps, tallies, strict=True)]


def _requests(step: Step, tally: _Tally) -> Requests:
    """The figures of one way: of each the median over the rounds."""
    count = sum(each.requests for each in tally.rounds)
    heard = [np.array(each.latencies_s) * 1000 for each in tally.rounds if each.latencies_s]
    rates = [each.requests / each.seconds for each in tally.rounds]
    middle = float(np.median(rates))
    return Requests(
        what=step.what,
        rows=step.rows,
        callers=step.callers,
        requests=count,
        failed=sum(each.failed for each in tally.rounds),
        per_second=middle,
        p50_ms=float(np.median([np.median(each) for each in heard])) if heard else 0.0,
        p99_ms=float(np.median([np.quantile(each, 0.99, method="higher") for each in heard])) if heard else 0.0,
        gateway_ms=1000 * tally.gateway_s / count,
        host_ms=1000 * tally.host_s / count,
        spread=(max(rates) - min(rates)) / middle if middle else 0.0,
        why=next((each.why for each in tally.rounds if each.why), ""),
    )
