"""What an endpoint did, day by day: each quantity as a plot, and every number of it in a table, newest first."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.table import digits, shown
from headgate.monitors.watch.days import Day, date_of
from headgate.monitors.watch.page.courses import NOBODY, Days, Said, drawn, told
from headgate.monitors.watch.report import Monitored
from headgate.pages.parts import Band, Drawn, Line, Plot, Plots, Section, Table

ACROSS: Final = 3
"""Metrics beside each other in a table, so that it fits on paper."""
QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
Read = Callable[[Day], float | None]
Columns = dict[str, Callable[[Day], str]]
"""What stands in each column of a table, by its head."""


def day_sections(found: Monitored) -> Iterator[Section[Drawn]]:
    """Traffic, time and cost, labels and figures; nothing where no day was looked at."""
    if not found.days:
        return
    days = Days.of(found.days)
    yield Section("Traffic", tuple(_traffic(found, days)))
    yield Section("Time and cost", tuple(_times(found, days)))
    yield Section("Labels and what they say", tuple(_truths(found, days)))


def _traffic(found: Monitored, days: Days) -> Iterator[Drawn]:
    volumes = [*_lines(days, _volume), days.line("", _volume, NOBODY)]
    shares = [
        days.total(name, _share_of(read))
        for name, read in {"errors": _errors, "refused": _refused, "fallbacks": _fallbacks}.items()
    ]
    marks = _since(found, days, "errors", "refusals", "fallbacks")
    yield Plots(
        (
            *_plot("inputs a day", days, volumes, _whole),
            *_plot("% of all inputs of a day", days, shares, _per_cent, marks=marks),
        )
    )
    if days.left_out:
        yield f"Of {len(days.left_out)} more versions with fewer inputs the tables tell: {', '.join(days.left_out)}."
    columns: Columns = {
        "inputs": lambda day: f"{day.volume:,}",
        "refused": lambda day: f"{_refused(day):,}",
        "errors": lambda day: f"{day.errors:,}",
        "fallbacks": lambda day: f"{day.fallbacks:,}",
        "flagged": lambda day: f"{day.flagged:,}",
    }
    yield _table("Inputs, and what became of them", found.days, columns)
    yield from _rules(found)


def _times(found: Monitored, days: Days) -> Iterator[Drawn]:
    price = found.price_per_cpu_hour
    reads: dict[str, Read] = {f"{name} of latency, ms": _quantile(share) for name, share in QUANTILES.items()}
    reads["seconds of model for 1,000 answers"] = _seconds
    columns: Columns = {f"{name} ms": _text(_quantile(share)) for name, share in QUANTILES.items()}
    columns["model s/1000"] = _text(_seconds)
    if price is not None:
        reads["cost of 1,000 answers"] = _cost(price)
        columns["cost/1000"] = _text(_cost(price))
    marks = _since(found, days, "latency")
    yield Plots(
        tuple(
            each for name, read in reads.items() for each in _plot(name, days, _lines(days, read), digits, marks=marks)
        )
    )
    yield _table("Time from a request's last byte to its record, and next to the model", found.days, columns)


def _truths(found: Monitored, days: Days) -> Iterator[Drawn]:
    due = [day for day in found.days if day.due]
    if not due:
        yield "No label of these days is due yet. More days are shown with --last."
        return
    names = list(dict.fromkeys(name for day in due for name, each in day.figures.items() if each.known))
    coverage = "% of due labels that came in time"
    late = _since(found, days, "labels")
    plots = [*_plot(coverage, days, _lines(days, _coverage), _per_cent, marks=late)]
    for name in names:
        plots += _metric(found, days, name)
    yield Plots(tuple(plots))
    yield _table("Labels", due, {"in time": lambda day: f"{day.labelled:,}", "due": lambda day: f"{day.due:,}"})
    for start in range(0, len(names), ACROSS):
        columns = {name: _figure(name) for name in names[start : start + ACROSS]}
        yield _table("Figures of each day with their intervals", due, columns)


def _metric(found: Monitored, days: Days, name: str) -> Iterator[Plot]:
    lines = [days.figure(version, name) for version in days.versions]
    bands = tuple(_bands(found.reference.get(name), found.version))
    worse = _since(found, days, "performance", "risk")
    yield from _plot(name, days, lines, digits, marks=worse, bands=bands, from_zero=False)


def _bands(reference: Estimate | None, version: str) -> Iterator[Band]:
    low, high = (None, None) if reference is None else (drawn(reference.low), drawn(reference.high))
    if low is not None and high is not None:
        yield Band(f"{version} when it was evaluated: {shown(reference)}", low, high)


def _plot(
    caption: str,
    days: Days,
    lines: Iterable[Line],
    said: Said,
    *,
    marks: tuple[tuple[int, str], ...] = (),
    bands: tuple[Band, ...] = (),
    from_zero: bool = True,
) -> Iterator[Plot]:
    """A plot of the lines that have a value anywhere; none where no line has."""
    known = tuple(line for line in lines if any(value is not None for value in line.values))
    if known:
        yield Plot(caption, told(known, days.dates, said), days.dates, known, bands, marks, from_zero)


def _lines(days: Days, read: Read) -> list[Line]:
    return [days.line(version, read) for version in days.versions]


def _since(found: Monitored, days: Days, *monitors: str) -> tuple[tuple[int, str], ...]:
    """The day since which each of these monitors alarms, if it does and the day is among those shown."""
    since = {each.monitor: each.says.since for each in found.alarms if each.monitor in monitors}
    dated = {name: date_of(at) for name, at in since.items() if at is not None}
    return tuple((days.dates.index(date), f"{name} alarms since") for name, date in dated.items() if date in days.dates)


def _table(caption: str, days: Sequence[Day], columns: Columns) -> Table:
    """A row a day and version, the newest first."""
    head = ("day (UTC)", "version", *columns)
    rows = [
        (date_of(day.start), day.version or NOBODY, *(text(day) for text in columns.values()))
        for day in sorted(days, key=lambda day: -day.start)
    ]
    return Table(caption, head, tuple(rows), left=2, most=len(rows))


def _rules(found: Monitored) -> Iterator[Drawn]:
    """Refusals by rule, which have no column."""
    rules: dict[str, int] = {}
    for day in found.days:
        for rule, count in day.refused.items():
            rules[rule] = rules.get(rule, 0) + count
    if rules:
        ranked = sorted(rules.items(), key=lambda pair: (-pair[1], pair[0]))
        yield "Refused by rule: " + ", ".join(f"{rule} {count:,}" for rule, count in ranked) + "."


# What is read of a day


def _volume(day: Day) -> float:
    return float(day.volume)


def _errors(day: Day) -> int:
    return day.errors


def _refused(day: Day) -> int:
    return sum(day.refused.values())


def _fallbacks(day: Day) -> int:
    return day.fallbacks


def _seconds(day: Day) -> float | None:
    return day.model_s_per_thousand


def _cost(price: float) -> Read:
    return lambda day: day.cost_per_thousand(price)


def _coverage(day: Day) -> float | None:
    return 100.0 * day.labelled / day.due if day.due else None


def _quantile(share: float) -> Read:
    return lambda day: day.latency.quantile(share)


def _share_of(read: Callable[[Day], int]) -> Callable[[Sequence[Day]], float | None]:
    def share(days: Sequence[Day]) -> float | None:
        volume = sum(day.volume for day in days)
        return 100.0 * sum(map(read, days)) / volume if volume else None

    return share


# How it is written


def _text(read: Read) -> Callable[[Day], str]:
    def text(day: Day) -> str:
        value = read(day)
        return "-" if value is None else digits(value)

    return text


def _figure(name: str) -> Callable[[Day], str]:
    return lambda day: shown(day.figures.get(name))


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _per_cent(value: float) -> str:
    return f"{value:.3g} %"
