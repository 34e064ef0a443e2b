"""How an endpoint is doing, as one value and as text a stranger understands: `headgate status`.

The command and the API gather versions, windows and the reference figures and hand them to
`endpoint_status`; nothing here reads a store.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.report import Report
from headgate.evaluation.table import shown, table
from headgate.monitors.calendars import wall_clock
from headgate.monitors.windows import Quantiles, Window
from headgate.traffic.endpoint import Slo
from headgate.vocabulary import DAY

THIN: Final = 0.5
"""Label coverage below which a note says that the metrics rest on part of the rows."""
NOTES: Final = 12
"""Notes shown; the others are counted."""
WIDTH: Final = 100
"""Columns of a terminal the text keeps to."""
FIGURES_WIDE: Final = 3
"""Metrics beside each other in one table; so many fit into `WIDTH` with their intervals."""


class Share(msgspec.Struct, frozen=True):
    """One version of the endpoint and what it may answer."""

    version: str
    weight: float
    """Share of callers, 0 to 1."""
    role: str = "live"
    """``live``, ``canary``, ``shadow`` or ``human``."""


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """What ``slo`` in endpoint.yaml promises, beside what was measured."""

    latency_p99_ms: float | None
    """Milliseconds promised; None promises nothing."""
    requests_per_second: float | None
    """The rate the endpoint should bear; None promises nothing. Said, not judged."""
    kept: int
    """Windows whose 99th percentile lay within the promise."""
    windows: int
    """Windows with answers to judge by."""


class EndpointStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `headgate status` says of one endpoint; ``msgspec.json.encode`` is its JSON."""

    endpoint: str
    task: str
    project: str = "default"
    versions: tuple[Share, ...] = ()
    windows: tuple[Window, ...] = ()
    """Oldest first."""
    objective: Objective | None = None
    """None when the endpoint promises nothing."""
    reference: dict[str, Estimate] = {}
    """What the live version's evaluation measured."""
    reference_name: str = ""
    """Where the reference figures come from, such as ``flight-delay:1, evaluated on 8,000 rows``."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know, most pressing first."""


def endpoint_status(
    endpoint: str,
    *,
    task: str,
    versions: Sequence[Share],
    windows: Sequence[Window],
    reference: Report | None = None,
    project: str = "default",
    slo: Slo | None = None,
    notes: Sequence[str] = (),
) -> EndpointStatus:
    """The status of an endpoint, with notes drawn from its windows after the caller's own."""
    live = next((each.version for each in versions if each.role == "live"), "the live version")
    return EndpointStatus(
        endpoint=endpoint,
        task=str(task),
        project=project,
        versions=tuple(versions),
        windows=tuple(windows),
        objective=_objective(slo, windows) if slo else None,
        reference=dict(reference.estimates) if reference else {},
        reference_name=f"{live}, evaluated on {reference.rows:,} rows" if reference else "",
        notes=(*notes, *notes_on(windows, measured=task != "tensor")),
    )


def _objective(slo: Slo, windows: Sequence[Window]) -> Objective | None:
    if slo.latency_p99_ms is None and slo.requests_per_second is None:
        return None
    took = [each.latency_ms.p99 for each in windows if each.latency_ms is not None]
    return Objective(
        latency_p99_ms=slo.latency_p99_ms,
        requests_per_second=slo.requests_per_second,
        kept=0 if slo.latency_p99_ms is None else sum(each <= slo.latency_p99_ms for each in took),
        windows=0 if slo.latency_p99_ms is None else len(took),
    )


def notes_on(windows: Sequence[Window], *, measured: bool = True) -> tuple[str, ...]:
    """What a reader of these windows must know: errors, silence, refusals, labels that are not there."""
    notes: list[str] = []
    for each in windows:
        if each.errors:
            notes.append(f"{title(each)}: {_of(each.errors, each.volume)} requests ended in an error")
    silent = [title(each) for each in windows if each.volume == 0]
    if silent:
        notes.append(f"no requests at all in {_listed(silent)}")
    for each in windows:
        if each.fallbacks:
            notes.append(f"{title(each)}: {_of(each.fallbacks, each.volume)} were answered by another version")
    for each in windows if measured else ():
        notes.extend(_on_labels(each))
    rules: dict[str, int] = {}
    for each in windows:
        for rule, count in each.refused:
            rules[rule] = rules.get(rule, 0) + count
    if rules:
        ranked = sorted(rules.items(), key=lambda pair: (-pair[1], pair[0]))
        notes.append("rows refused by rule: " + ", ".join(f"{rule} {count:,}" for rule, count in ranked))
    return tuple(notes)


def _on_labels(window: Window) -> list[str]:
    notes = []
    if window.coverage is not None and window.coverage < THIN:
        there = _percent(window.coverage)
        rest = f"its metrics rest on {_of(window.labelled, window.judged)} rows"
        notes.append(f"{title(window)}: label coverage {there}; {rest}")
    if window.pending:
        notes.append(f"{title(window)}: labels still due for {_of(window.pending, window.judged)} rows")
    return notes


def title(window: Window) -> str:
    """The window's name: its month, its first day, or its first minute, on its own clocks.

    >>> from headgate.monitors.windows import Window
    >>> empty = dict(volume=0, answered=0, refused=(), fallbacks=0, errors=0, flagged=0, judged=0, labelled=0, due=0,
    ...              coverage=None, latency_ms=None, compute_ms=None, metrics={}, versions=())
    >>> title(Window(start=0, end=31 * DAY, **empty)), title(Window(start=0, end=DAY, **empty))
    ('1970-01', '1970-01-01')
    """
    length = window.end - window.start
    start = np.datetime64(wall_clock(window.start, window.zone), "us")
    midnight = start == start.astype("datetime64[D]")
    # A month with a change of clocks in it is an hour short or long of whole days.
    if length % DAY and not (midnight and window.zone != "UTC" and length > DAY // 2):
        return str(np.datetime_as_string(start, unit="m" if length % 60_000_000 == 0 else "s")).replace("T", " ")
    if length >= 28 * DAY and start == start.astype("datetime64[M]"):
        return str(np.datetime_as_string(start, unit="M"))
    return str(np.datetime_as_string(start, unit="D"))


def as_text(status: EndpointStatus) -> str:
    """The status for a terminal of 100 columns: versions, traffic, every metric with its interval, notes."""
    lines = [f"{status.endpoint}  ({status.task}, project {status.project})"]
    lines.extend(f"  {each.version}  {_share(each)}" for each in status.versions)
    lines.extend(f"  objective: {each}" for each in _promises(status.objective))
    if not status.windows:
        return "\n".join([*lines, "", "no requests yet"])
    lines.extend(["", _traffic(status.windows)])
    names = [name for name in status.windows[0].metrics if any(_known(each, name) for each in status.windows)]
    for place in range(0, len(names), FIGURES_WIDE):
        lines.extend(["", _figures(status, names[place : place + FIGURES_WIDE])])
    lines.extend(_without_value(status, names))
    if status.reference and names:
        lines.extend(["", f"reference: {status.reference_name}"])
    if status.notes:
        lines.extend(["", "notes"])
        lines.extend(f"  {each}" for each in status.notes[:NOTES])
        if len(status.notes) > NOTES:
            lines.append(f"  and {len(status.notes) - NOTES} more (--json shows all)")
    return "\n".join(lines)


def _without_value(status: EndpointStatus, shown_names: Sequence[str]) -> list[str]:
    """Why metrics have no value in any window that has labels."""
    latest = next((each for each in reversed(status.windows) if each.labelled), None)
    hidden = [] if latest is None else [each for name, each in latest.metrics.items() if name not in shown_names]
    return ["", *(f"{each.name} has no value: {each.reason}" for each in hidden)] if hidden else []


def _share(share: Share) -> str:
    return "shadow, answers nobody" if share.role == "shadow" else f"{share.weight * 100:g} % of callers, {share.role}"


def _promises(objective: Objective | None) -> list[str]:
    if objective is None:
        return []
    said = []
    if objective.latency_p99_ms is not None:
        kept = f"kept in {_of(objective.kept, objective.windows)} windows" if objective.windows else "no answers yet"
        said.append(f"p99 within {objective.latency_p99_ms:g} ms, {kept}")
    if objective.requests_per_second is not None:
        said.append(f"{objective.requests_per_second:g} requests per second")
    return said


def _traffic(windows: Sequence[Window]) -> str:
    head = [
        "window",
        "requests",
        "refused",
        "errors",
        "fallbacks",
        "labels",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "model p99 ms",
    ]
    return table(
        head,
        [
            [
                title(each),
                f"{each.volume:,}",
                f"{each.refusals:,}",
                f"{each.errors:,}",
                f"{each.fallbacks:,}",
                "-" if each.coverage is None else _percent(each.coverage),
                *_times(each.latency_ms),
                _times(each.compute_ms)[2],
            ]
            for each in windows
        ],
    )


def _times(quantiles: Quantiles | None) -> tuple[str, str, str]:
    if quantiles is None:
        return "-", "-", "-"
    return f"{quantiles.p50:.2f}", f"{quantiles.p95:.2f}", f"{quantiles.p99:.2f}"


def _figures(status: EndpointStatus, names: Sequence[str]) -> str:
    rows = [[title(each), *(shown(each.metrics.get(name)) for name in names)] for each in status.windows]
    if status.reference:
        rows.append(["reference", *(shown(status.reference.get(name)) for name in names)])
    return table(["window", *names], rows)


def _known(window: Window, name: str) -> bool:
    return name in window.metrics and window.metrics[name].known


def _percent(share: float) -> str:
    """A share in per cent; never rounded up to all or down to none.

    >>> _percent(1.0), _percent(0.99999), _percent(0.03)
    ('100 %', '99.9 %', '3 %')
    """
    if 0 < share < 0.001 or 0.999 < share < 1:
        return "0.1 %" if share < 0.5 else "99.9 %"
    return f"{share * 100:.3g} %"


def _of(count: int, total: int) -> str:
    return f"{count:,} of {total:,}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more windows" if len(names) > 6 else "")
