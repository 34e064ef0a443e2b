"""How an endpoint stands, for a terminal: each monitor with its evidence in plain words, then day by day."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from headgate.alerts.told import printed
from headgate.evaluation.table import shown, table
from headgate.monitors.diagnosis import text as diagnosed
from headgate.monitors.standing import Standing
from headgate.monitors.watch.days import Day, date_of
from headgate.monitors.watch.monitor import Says
from headgate.monitors.watch.report import Line, Monitored
from headgate.vocabulary import Micros

FIGURES: Final = 2
"""Metrics beside the other columns of the table of days."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def as_text(found: Monitored) -> str:
    """For a terminal of 100 columns."""
    lines = [f"{found.endpoint}  ({found.version}, project {found.project})", *_how_far(found), ""]
    for each in found.monitors:
        lines.extend(_line(each))
    lines.extend(_why(found))
    if found.days:
        lines.extend(["", _days(found)])
    lines.extend(_unlisted(found))
    if found.notes:
        lines.extend(["", "notes", *(f"  {each}" for each in found.notes)])
    return "\n".join(map(printed, "\n".join(lines).rstrip().split("\n")))


def minute(at: Micros) -> str:
    """A moment in UTC, to the minute.

    >>> minute(Micros(1_362_355_200_000_000))
    '2013-03-04 00:00'
    """
    return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%d %H:%M}"


def _how_far(found: Monitored) -> Iterator[str]:
    if found.began is not None and found.until is not None and found.matured is not None:
        yield f"  watched from {minute(found.began)}; hours until {minute(found.until)}, labels until " + (
            f"{minute(found.matured)} (UTC)"
        )
    yield f"  false alarms of all monitors together: {found.false_alarms}"


def _line(line: Line) -> Iterator[str]:
    says = line.says
    since = f"since {minute(says.since)}: " if says.since is not None else ""
    loud = says.standing in (Standing.ALARM, Standing.BROKEN)
    standing = says.standing.upper() if loud else says.standing.value
    yield f"{standing:<10} {line.monitor:<12} {since}{says.what}"
    yield from (f"{'':<24}{each}" for each in _details(says))


def _details(says: Says) -> Iterator[str]:
    for each in says.figures:
        yield f"{each.name}: {each.value}" + (f"  [{each.limit}]" if each.limit else "")
    if says.advice:
        yield f"what to do: {says.advice}"
    if says.standing is Standing.ALARM and says.certainty:
        yield f"how sure: {says.certainty}"


def _why(found: Monitored) -> Iterator[str]:
    """Why the last alarms of the model are, or were."""
    if found.diagnosis is not None and found.diagnosis.last is not None:
        yield from ("", "why it alarms" if found.alarms else "why it alarmed last; that is over")
        yield diagnosed.as_text(found.diagnosis.last)
        yield from (f"  {line}" for line in ("", *diagnosed.told(found.diagnosis.said).splitlines()))


def _days(found: Monitored) -> str:
    names = _metrics(found.days)
    price = found.price_per_cpu_hour
    head = ["day (UTC)", "version", "requests", "refused", "errors", "fallbacks", "p50 ms", "p95 ms", "p99 ms"]
    head += ["model s/1000", *(["cost/1000"] if price is not None else []), "labels", *names]
    rows = [_cells(each, price, names) for each in found.days]
    return table(head, rows, left=2)


def _cells(day: Day, price: float | None, names: Sequence[str]) -> list[str]:
    seconds, money = day.model_s_per_thousand, None if price is None else day.cost_per_thousand(price)
    cost = [] if price is None else ["-" if money is None else f"{money:.3g}"]
    return [
        date_of(day.start),
        day.version or "nobody",
        f"{day.volume:,}",
        f"{sum(day.refused.values()):,}",
        f"{day.errors:,}",
        f"{day.fallbacks:,}",
        *(_milliseconds(day.latency.quantile(each)) for each in (0.5, 0.95, 0.99)),
        "-" if seconds is None else f"{seconds:.3g}",
        *cost,
        f"{day.labelled:,} of {day.due:,}" if day.due else "-",
        *(shown(day.figures.get(name)) for name in names),
    ]


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _metrics(days: Sequence[Day]) -> list[str]:
    """The first metrics that have a value on any day."""
    names = dict.fromkeys(name for day in days for name, each in day.figures.items() if each.known)
    return list(names)[:FIGURES]


def _unlisted(found: Monitored) -> list[str]:
    """Refusals by rule, which have no column."""
    rules: dict[str, int] = {}
    for day in found.days:
        for rule, count in day.refused.items():
            rules[rule] = rules.get(rule, 0) + count
    ranked = sorted(rules.items(), key=lambda pair: (-pair[1], pair[0]))
    return ["", "refused by rule: " + ", ".join(f"{rule} {count:,}" for rule, count in ranked)] if rules else []
