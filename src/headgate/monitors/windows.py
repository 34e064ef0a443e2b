"""What an endpoint did, window by window of event time: volume, speed, refusals, labels and quality.

`headgate status` and ``hg.windows`` call this on the journal's joined table. Metrics are those of
`headgate.evaluation`, so a window's AUC and a report's AUC are the same function.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Output
from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate, Floats
from headgate.evaluation.metrics import Metric, estimates, for_task
from headgate.evaluation.report import Report
from headgate.evaluation.rows import Rows
from headgate.monitors.calendars import check_zone, moment_of, wall_clocks
from headgate.monitors.columns import Bools, Columns, Ints, columns
from headgate.vocabulary import DAY, HOUR, SECOND, Micros, Task

WIDTHS: Final = {"day": DAY, "hour": HOUR}
BY_CALENDAR: Final = ("month", "week", "day")
"""Windows whose bounds depend on where one lives."""
MOST: Final = 10_000
"""Windows one call may make; a year by the hour is 8,784."""


class Quantiles(msgspec.Struct, frozen=True):
    """How long answers took, in milliseconds."""

    p50: float
    p95: float
    p99: float


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to inputs whose event time lies in [start, end)."""

    start: Micros
    end: Micros
    volume: int
    """Inputs asked about: answered, refused and errors."""
    answered: int
    refused: tuple[tuple[str, int], ...]
    """(rule, inputs refused for it), most first."""
    fallbacks: int
    """Inputs whose assigned version did not answer, so that another did."""
    errors: int
    """Inputs neither answered nor refused."""
    flagged: int
    """Inputs answered although a rule set to ``flag`` was broken."""
    judged: int
    """Answered inputs that labels and metrics speak of: all but those whose caller chose the version."""
    labelled: int
    """Judged inputs whose truth is known; the rows of `metrics`."""
    due: int
    """Judged inputs old enough for their label to be known."""
    coverage: float | None
    """Share of the due labels that are there, 0 to 1; None while none is due."""
    latency_ms: Quantiles | None
    """From the request's last byte to its record; None without answers."""
    compute_ms: Quantiles | None
    """Next to the model."""
    metrics: dict[str, Estimate]
    versions: tuple[str, ...]
    """Which versions answered, sorted."""
    zone: str = "UTC"
    """Whose calendar the window follows."""

    @property
    def refusals(self) -> int:
        """Inputs refused for any rule."""
        return sum(count for _, count in self.refused)

    @property
    def pending(self) -> int:
        """Judged inputs whose label is neither due nor there."""
        came_early = self.labelled - round((self.coverage or 0.0) * self.due)
        return self.judged - self.due - came_early


def windows(
    table: pa.Table,
    output: Output,
    *,
    every: str | float = "month",
    version: str | None = None,
    reference: Report | None = None,
    maturity_s: float = 0.0,
    now: Micros | None = None,
    zone: str = "UTC",
) -> list[Window]:
    """The windows from the first input to the last, in order, empty ones between them included.

    `table` is what ``journal.reader.Reader.joined`` gives. `every` is ``month``, ``week`` (from Monday), ``day``
    or ``hour``, or a number of seconds counted from 1970; months, weeks and days are those of the calendar in
    `zone`, an IANA name such as ``America/New_York``. With `version`, only inputs assigned to
    it count, shadow ones among them, and its metrics leave out answers another version gave in its place;
    without, every input counts once. Inputs whose caller chose the version are in volume and latency but not
    in labels and metrics. `reference` fixes which metrics are measured, so that figures can stand beside its
    own; intervals have its confidence. A label is due `maturity_s` seconds after its input, judged at `now`;
    without `now` every label is due.

    Raises headgate.errors.BadInput when `every` is none of these, `zone` is unknown, or `every` is so short
    that there would be more than 10,000 windows.

    >>> names = ["at", "assigned", "answered", "role", "prediction", "scores", "compute_us", "latency_us",
    ...          "fallback", "refusal_rule", "flags", "label"]
    >>> rows = [[0, "m:1", "m:1", "live", 1.5, None, 300, 900, "", None, [], 2.0],
    ...         [9_000_000, None, None, None, None, None, None, None, None, "range", [], None]]
    >>> table = pa.table(dict(zip(names, map(list, zip(*rows)))))
    >>> table = table.set_column(0, "at", table["at"].cast(pa.timestamp("us", tz="UTC")))
    >>> [window] = windows(table, Output(Task.REGRESSION))
    >>> window.volume, window.answered, window.refused, window.coverage, window.metrics["mae"].value
    (2, 1, (('range', 1),), 1.0, 0.5)
    """
    codes_of, start_of = _calendar(every, zone)
    metrics = for_task(output.task, list(reference.estimates) if reference else None)
    confidence = reference.confidence if reference else 0.95
    rows = columns(table, output, version)
    if len(rows) == 0:
        return []
    codes = codes_of(rows.at)
    if bool((codes[1:] < codes[:-1]).any()):
        order = np.argsort(codes, kind="stable")
        rows, codes = rows.take(order), codes[order]
    first, last = int(codes[0]), int(codes[-1])
    if last - first >= MOST:
        raise BadInput("every", "range", f"these events would make {last - first + 1} windows; choose a longer one")
    cuts = np.searchsorted(codes, np.arange(first, last + 2))
    ripe = np.iinfo(np.int64).max if now is None else int(now - maturity_s * SECOND)
    return [
        _window(
            rows.take(slice(cuts[place], cuts[place + 1])),
            span=(Micros(start_of(first + place)), Micros(start_of(first + place + 1))),
            output=output,
            metrics=metrics,
            confidence=confidence,
            ripe=ripe,
            zone=zone,
        )
        for place in range(last - first + 1)
    ]


Numbering = tuple[Callable[[Ints], Ints], Callable[[int], int]]
"""How to number windows by event time, and the first microsecond of a number."""


def _calendar(every: str | float, zone: str) -> Numbering:
    codes_of, start_of = _numbering(every)
    if zone == "UTC" or every not in BY_CALENDAR:
        return codes_of, start_of
    check_zone(zone)
    return lambda at: codes_of(wall_clocks(at, zone)), lambda code: moment_of(start_of(code), zone)


def _numbering(every: str | float) -> Numbering:
    if every == "month":
        return (
            lambda at: at.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64),
            lambda code: int(np.datetime64(code, "M").astype("datetime64[us]").astype(np.int64)),
        )
    if every == "week":
        # 1970-01-01 was a Thursday: three days later than the Monday its week began with.
        return lambda at: (at // DAY + 3) // 7, lambda code: (code * 7 - 3) * DAY
    if isinstance(every, str):
        if every not in WIDTHS:
            raise BadInput("every", "unknown", "choose month, week, day, hour or a number of seconds")
        width = WIDTHS[every]
    else:
        if not (math.isfinite(every) and every * SECOND >= 1):
            raise BadInput("every", "range", "a window lasts a positive number of seconds")
        width = round(every * SECOND)
    return lambda at: at // width, lambda code: code * width


def _window(
    rows: Columns,
    *,
    span: tuple[Micros, Micros],
    output: Output,
    metrics: Sequence[Metric],
    confidence: float,
    ripe: int,
    zone: str,
) -> Window:
    spoke = rows.answered >= 0
    refused = rows.refused >= 0
    due = rows.judged & (rows.at <= ripe)
    known = rows.judged & rows.labelled
    owed = int(due.sum())
    return Window(
        start=span[0],
        end=span[1],
        volume=len(rows),
        answered=int(spoke.sum()),
        refused=_counted(rows.refused[refused], rows.rules),
        fallbacks=int(rows.fell_back.sum()),
        errors=int((~spoke & ~refused).sum()),
        flagged=int((rows.flagged & spoke).sum()),
        judged=int(rows.judged.sum()),
        labelled=int(known.sum()),
        due=owed,
        coverage=int((due & known).sum()) / owed if owed else None,
        latency_ms=quantiles(rows.latency_ms[spoke]),
        compute_ms=quantiles(rows.compute_ms[spoke]),
        metrics={} if output.task is Task.TENSOR else estimates(_measured(rows, known, output), metrics, confidence),
        versions=tuple(sorted(name for name, _ in _counted(rows.answered[spoke], rows.versions))),
        zone=zone,
    )


def _measured(rows: Columns, known: Bools, output: Output) -> Rows:
    scores = None if rows.scores is None else rows.scores[known]
    if scores is not None and len(scores) and bool(np.isnan(scores).all()):
        scores = None
    return Rows(output.task, rows.truth[known], rows.predicted[known], scores, output.classes)


def _counted(codes: Ints, names: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    counts = np.bincount(codes, minlength=len(names))
    ranked = sorted(zip(names, counts.tolist(), strict=True), key=lambda each: (-each[1], each[0]))
    return tuple((name, count) for name, count in ranked if count)


def quantiles(values: Floats) -> Quantiles | None:
    """The quantiles of times, NaN left out; None where there is no time.

    >>> quantiles(np.array([1.0, 2.0, 3.0, np.nan])).p50, quantiles(np.array([np.nan]))
    (2.0, None)
    """
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return None
    p50, p95, p99 = np.quantile(values, (0.5, 0.95, 0.99))
    return Quantiles(float(p50), float(p95), float(p99))
