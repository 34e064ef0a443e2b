"""A sizing as people read it: tables first, then what follows from them in sentences. Called by the command line."""

from collections.abc import Iterator
from typing import Final

from headgate.evaluation.table import table
from headgate.sizing.figures import How, Memory, ModelTime, Objective, Plan, Requests, Saving, Sizing
from headgate.sizing.plan import JSON

GAIN: Final = 1.05
"""How many times less a figure must get to be called a gain: repeats differ by about as much."""


def as_text(sizing: Sizing) -> str:
    """All of it."""
    return "\n".join(_lines(sizing))


def _lines(sizing: Sizing) -> Iterator[str]:
    machine = sizing.machine
    where = "in a runtime host of its own" if sizing.hosted else "inside the gateways"
    yield f"{sizing.package}  {sizing.engine}, runs {where}; asked with {sizing.rows_from}"
    cores = counted(machine.cores, "core")
    yield f"{machine.processor}, {cores}, load {machine.load:.1f}; {sizing.seconds:.0f} s in all"
    yield ""
    yield from _by_rows(sizing)
    yield ""
    yield from _by_callers(sizing)
    yield ""
    yield from _memory(sizing)
    if sizing.plan is not None:
        yield ""
        yield from _planned(sizing.objective, sizing.plan, sizing)
    if sizing.savings:
        yield ""
        yield "What would be saved by which change"
        for saving in sizing.savings:
            yield from _saved(saving)
    if sizing.notes:
        yield ""
        yield from (f"note: {each}" for each in sizing.notes)


def _by_rows(sizing: Sizing) -> Iterator[str]:
    yield "Rows in one request, one caller. The model alone; then a whole gateway over HTTP with JSON:"
    yield "decode, check, model, journal, encode, reply."
    whole = {each.rows: each for each in sizing.requests if each.what == JSON and each.callers == 1}
    model = {each.rows: each for each in sizing.model}
    rows = [_row(size, model.get(size), whole.get(size)) for size in sorted({*whole, *model})]
    head = [
        "rows",
        "model p50 ms",
        "p99 ms",
        "model MB",
        "gateway p50 ms",
        "p99 ms",
        "µs CPU per row",
        "rows/s per core",
    ]
    yield table(head, rows, left=0)


def _row(size: int, model: ModelTime | None, whole: Requests | None) -> list[str]:
    cells = [f"{size:,}"]
    cells += [number(model.p50_ms), number(model.p99_ms), f"{model.resident_mb:,.0f}"] if model else ["-"] * 3
    if whole is None or not whole.rows_per_core:
        return [*cells, *["-"] * 4]
    per_row = 1000 * whole.cpu_ms / whole.rows
    return [*cells, number(whole.p50_ms), number(whole.p99_ms), number(per_row), f"{whole.rows_per_core:,.0f}"]


def _by_callers(sizing: Sizing) -> Iterator[str]:
    rows = sizing.rows
    yield f"Callers at once, {counted(rows, 'row')} in each request, one gateway"
    alike = [each for each in sizing.requests if (each.what, each.rows) == (JSON, rows)]
    cells = [
        [
            str(each.callers),
            f"{each.per_second:,.0f}",
            number(each.p50_ms),
            number(each.p99_ms),
            number(1000 * each.gateway_ms),
            *([number(1000 * each.host_ms)] if sizing.hosted else []),
            f"{each.rows_per_core / each.rows:,.0f}",
        ]
        for each in sorted(alike, key=lambda each: each.callers)
    ]
    head = ["callers", "requests/s", "p50 ms", "p99 ms", "gateway µs CPU", "requests/s per core"]
    if sizing.hosted:
        head.insert(5, "host µs CPU")
    yield table(head, cells, left=0)


def _memory(sizing: Sizing) -> Iterator[str]:
    load = sizing.load
    yield (
        f"Loading takes {number(load.load_ms)} ms; the first call {number(load.first_ms)} ms, "
        f"later ones {number(load.warm_ms)} ms."
    )
    yield f"Memory of a gateway: {_of(sizing.gateway)}."
    if sizing.host is not None:
        yield f"Memory of the runtime host: {_of(sizing.host)}."


def _of(memory: Memory) -> str:
    return (
        f"{memory.base_mb:,.0f} MB empty, {memory.version_mb:,.0f} MB for each version, "
        f"{memory.peak_mb:,.0f} MB at its peak"
    )


def _planned(objective: Objective | None, plan: Plan, sizing: Sizing) -> Iterator[str]:
    rows = objective.rows if objective else sizing.rows
    each = f"requests of {counted(rows, 'row')}"
    if objective is None or objective.asks_nothing:
        yield "Without an objective" if objective is None else f"{objective.endpoint} has no objective"
        yield f"  One gateway core bears {plan.per_core:,.0f} {each} a second at {plan.utilisation:.0%} utilisation."
        yield f"  This machine bears {plan.per_replica:,.0f}; its limit: {_bound(plan)}."
        return
    yield f"Objective of {objective.endpoint}: {_asked(objective)}"
    if not plan.met:
        yield f"  NOT MET by any number of cores: a request alone has a p99 of {number(plan.alone_p99_ms)} ms here."
        yield "  It needs a quicker model, or a longer latency."
        return
    if objective.latency_p99_ms is not None:
        yield f"  Up to {counted(plan.largest_rows, 'row')} in one request are answered within the latency."
    why = "the ceiling" if plan.utilisation >= objective.ceiling else "what the latency allows"
    model = f"M/G/1 over batches of {counted(plan.together, 'request')}"
    yield f"  Utilisation: at most {plan.utilisation:.0%} ({why}; {model})."
    yield f"  One gateway core bears {plan.per_core:,.0f} {each} a second,"
    yield f"  a machine like this one {plan.per_replica:,.0f}; its limit: {_bound(plan)}."
    if plan.replicas is not None and plan.cores is not None:
        machines = f"{counted(plan.replicas, 'replica')} of {counted(sizing.machine.cores, 'core')}"
        yield f"  Needed: {counted(plan.cores, 'core')}, so {machines}, and {plan.spare} spare;"
        yield f"  in each --workers {plan.workers}, which take {plan.memory_mb:,.0f} MB{_host_too(sizing)}."


def _host_too(sizing: Sizing) -> str:
    return " with the runtime host" if sizing.hosted else ""


def _asked(objective: Objective) -> str:
    words = []
    if objective.latency_p99_ms is not None:
        words.append(f"p99 within {objective.latency_p99_ms:g} ms")
    if objective.requests_per_second is not None:
        words.append(f"{objective.requests_per_second:,g} requests/s of {counted(objective.rows, 'row')}")
    return ", ".join(words)


def _bound(plan: Plan) -> str:
    if plan.bound == "cores":
        return "its cores"
    return "the one runtime host, which answers one batch at a time: further cores do not help, further replicas do"


def _saved(saving: Saving) -> Iterator[str]:
    if saving.how is How.UNKNOWN:
        yield f"  {saving.change}: not measured; {saving.says}"
    else:
        gain = f"{saving.factor:.1f} times less" if saving.factor >= GAIN else "no gain"
        yield f"  {saving.change}: {number(saving.before)} → {number(saving.after)} {saving.unit}, {gain}"
        yield f"      {saving.how.value}: {saving.says}"
    if saving.cost:
        yield f"      cost: {saving.cost}"


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(1024, "row")
    ('1 row', '1,024 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def number(value: float) -> str:
    """A time to three digits, however small.

    >>> number(0.01234), number(1.5), number(1234.5)
    ('0.0123', '1.5', '1,234')
    """
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
