"""What would be saved by which change, from what was measured of both sides. Pure; called by the app's sizing.

A change that was tried and gains nothing is told as well: then nobody needs to try it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headgate.sizing.figures import How, Memory, ModelTime, Plan, Requests, Saving
from headgate.sizing.plan import JSON

BINARY: Final = "V2 binary"
"""The form of a body with raw tensors."""
BUFFERED: Final = "JSON, journal buffered"
"""JSON answered before its records are on disk."""
PER_ROW: Final = "µs of processor per row"
_MS: Final = "ms, p50"


@dataclass(frozen=True, slots=True)
class Form:
    """Another form of the model that `register` refused."""

    name: str
    cost: str
    """What it would answer otherwise."""
    model: Sequence[ModelTime] = ()
    why: str = ""
    """Why it was not measured; empty when it was."""


def savings(
    requests: Sequence[Requests],
    model: Sequence[ModelTime],
    *,
    rows: int,
    forms: Sequence[Form] = (),
    threaded: Sequence[ModelTime] = (),
    plan: Plan | None = None,
    cores: int = 1,
    gateway: Memory | None = None,
) -> tuple[Saving, ...]:
    """Every change there are figures of, the one that saves most first."""
    found = [
        *_larger(requests, rows),
        *_binary(requests),
        *_buffered(requests),
        *(_form(each, requests, model, rows) for each in forms),
        *_threads(model, threaded),
    ]
    if plan is not None and plan.replicas is not None and gateway is not None:
        found += _workers(plan, cores, gateway)
    return tuple(sorted(found, key=lambda each: (each.how is How.UNKNOWN, -each.factor)))


def _find(requests: Sequence[Requests], what: str, rows: int, callers: int) -> Requests | None:
    for each in requests:
        if (each.what, each.rows, each.callers) == (what, rows, callers) and not each.failed and each.cpu_ms > 0:
            return each
    return None


def _per_row(requests: Requests) -> float:
    return 1000 * requests.cpu_ms / requests.rows


def _larger(requests: Sequence[Requests], rows: int) -> list[Saving]:
    """The request size that costs least per row."""
    one = _find(requests, JSON, rows, 1)
    alone = [each for each in requests if each.what == JSON and each.callers == 1 and not each.failed]
    larger = [each for each in alone if each.rows > rows and each.cpu_ms > 0]
    if one is None or not larger:
        return []
    best = min(larger, key=_per_row)
    change = f"{best.rows:,} rows in one request instead of {rows:,}"
    cost = f"a row is answered when all are: p50 {best.p50_ms:.2g} ms instead of {one.p50_ms:.2g} ms"
    return [Saving(change, _per_row(one), _per_row(best), PER_ROW, How.MEASURED, "both over a whole gateway", cost)]


def _binary(requests: Sequence[Requests]) -> list[Saving]:
    found = []
    for binary in (each for each in requests if each.what == BINARY and not each.failed):
        json = _find(requests, JSON, binary.rows, binary.callers)
        if json is not None:
            change = f"V2 binary bodies instead of JSON, at {binary.rows:,} rows"
            says, cost = "both over a whole gateway", "callers must build raw tensors"
            found.append(Saving(change, _per_row(json), _per_row(binary), PER_ROW, How.MEASURED, says, cost))
    return found


def _buffered(requests: Sequence[Requests]) -> list[Saving]:
    found = []
    for buffered in (each for each in requests if each.what == BUFFERED and not each.failed):
        durable = _find(requests, JSON, buffered.rows, buffered.callers)
        if durable is not None:
            many = f", {buffered.callers} callers at once" if buffered.callers > 1 else ""
            change = f"journal ack: buffered instead of durable{many}"
            cost = "a crash of the machine may lose the last few records"
            says = "both over a whole gateway"
            found.append(Saving(change, durable.p50_ms, buffered.p50_ms, _MS, How.MEASURED, says, cost))
    return found


def _form(form: Form, requests: Sequence[Requests], model: Sequence[ModelTime], rows: int) -> Saving:
    now = _find(requests, JSON, rows, 1)
    ours, theirs = _of(model, rows), _of(form.model, rows)
    if form.why or now is None or ours is None or theirs is None:
        return Saving(form.name, 0.0, 0.0, PER_ROW, How.UNKNOWN, form.why or "it could not be run", form.cost)
    gateway_ms = now.gateway_ms if now.host_ms else max(0.0, now.gateway_ms - ours.cpu_ms)
    after = 1000 * (gateway_ms + theirs.cpu_ms) / rows
    says = f"the model alone was run in both forms ({ours.p50_ms:.3g} and {theirs.p50_ms:.3g} ms a call); "
    says += "the rest is the gateway's time as it is now"
    if now.host_ms:
        says += ", without the hop to a runtime host"
    return Saving(form.name, _per_row(now), after, PER_ROW, How.COMPUTED, says, form.cost)


def _threads(model: Sequence[ModelTime], threaded: Sequence[ModelTime]) -> list[Saving]:
    both = sorted({each.rows for each in model} & {each.rows for each in threaded})
    if not both:
        return []
    largest = both[-1]
    one, two = _of(model, largest), _of(threaded, largest)
    if one is None or two is None:
        return []
    change = f"2 threads per call instead of 1, at {largest:,} rows"
    more = two.cpu_ms / one.cpu_ms - 1 if one.cpu_ms > 0 else 0.0
    cost = (
        f"processor time of a call {more:+.0%}; gateways have no such setting, because one process per core does more"
    )
    return [Saving(change, one.p50_ms, two.p50_ms, _MS, How.MEASURED, "the model alone, both ways", cost)]


def _workers(plan: Plan, cores: int, gateway: Memory) -> list[Saving]:
    if plan.workers >= cores:
        return []
    change = f"--workers {plan.workers} instead of one per core ({cores})"
    says = f"{gateway.peak_mb:,.0f} MB, measured, for each gateway"
    before, after = cores * gateway.peak_mb, plan.workers * gateway.peak_mb
    return [Saving(change, before, after, "MB per replica", How.COMPUTED, says, "less room for bursts")]


def _of(model: Sequence[ModelTime], rows: int) -> ModelTime | None:
    return next((each for each in model if each.rows == rows), None)
