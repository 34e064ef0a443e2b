"""What an endpoint did, one summary a version and day: counts and sketches that add up, so that a year can be asked.

Hours make days as they are over; a day's figures by labels come when those are due. Kept in the store, some hundred
bytes to a few kilobytes each.
"""

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from headgate.evaluation.estimate import Estimate, Floats
from headgate.monitors.columns import Bools, Ints, named
from headgate.monitors.watch.monitor import Portion
from headgate.monitors.watch.times import Times
from headgate.monitors.windows import Window
from headgate.vocabulary import DAY, Micros, readable


@readable
class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What happened on one UTC day to the inputs that one version answered, or that nobody did.

    >>> monday = Day(version="late:1", start=Micros(0), volume=3, answered=2, errors=1)
    >>> monday.merged(monday).volume
    6
    """

    version: str
    """Who answered, ``model:number``; empty for inputs that nobody answered."""
    start: Micros
    volume: int = 0
    answered: int = 0
    refused: dict[str, int] = {}
    """Inputs by the rule of the contract they were refused for."""
    errors: int = 0
    """Inputs that nobody answered although no caller did anything wrong."""
    fallbacks: int = 0
    """Answers given in the place of another version."""
    flagged: int = 0
    latency: Times = Times()
    """From a request's last byte to its record."""
    compute: Times = Times()
    """Next to the model; every row with the time of the whole call it was part of."""
    calls: int = 0
    """Calls of the model."""
    model_us: int = 0
    """What all calls took next to the model, in microseconds, each call once."""
    due: int = 0
    """Inputs whose label is due."""
    labelled: int = 0
    """Those of them whose truth was known by then."""
    figures: dict[str, Estimate] = {}
    """Every metric of the task, on these."""

    @property
    def model_s_per_thousand(self) -> float | None:
        """Seconds next to the model per thousand answers; None without answers.

        >>> Day(version="late:1", start=Micros(0), answered=500, model_us=2_000_000).model_s_per_thousand
        4.0
        """
        return self.model_us / 1e6 / self.answered * 1000 if self.answered else None

    def cost_per_thousand(self, price_per_cpu_hour: float) -> float | None:
        """The same in money; None without answers."""
        seconds = self.model_s_per_thousand
        return None if seconds is None else seconds / 3600 * price_per_cpu_hour

    def merged(self, other: "Day") -> "Day":
        """Both together; figures are those of whichever has them, `other`'s before these."""
        names = ("volume", "answered", "errors", "fallbacks", "flagged", "calls", "model_us", "due", "labelled")
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return msgspec.structs.replace(
            self,
            **sums,
            refused=_added(self.refused, other.refused),
            latency=self.latency.merged(other.latency),
            compute=self.compute.merged(other.compute),
            figures=other.figures or self.figures,
        )


def day_of(moment: Micros) -> Micros:
    """When the UTC day of a moment began.

    >>> day_of(Micros(DAY + 5)) == DAY
    True
    """
    return Micros(moment // DAY * DAY)


def date_of(start: Micros) -> str:
    """The date of a UTC day.

    >>> date_of(Micros(DAY))
    '1970-01-02'
    """
    return str(np.datetime64(start, "us").astype("datetime64[D]"))


def days_of(portion: Portion, *, replayed: bool) -> list[Day]:
    """What one portion, of one day, adds to the day of each version.

    Rows of one call took one time together. They are those that arrived in one moment or, where callers state
    moments, in one request.
    """
    rows, found = portion.rows, list[Day]()
    if not len(portion):
        return found
    # An hour's calls are its own, so that it is the same how many hours come together.
    together = named(portion.table["request_id"])[0] * 24 + portion.hours if replayed else rows.at
    for code in np.unique(rows.answered).tolist():
        found.append(_day(portion, rows.answered == code, code, together))
    return found


def measured(portion: Portion, version: str) -> list[Day]:
    """What the labels of a day add to the day of `version`, which was in charge when they were due."""
    return [] if portion.window is None else [labelled(portion.start, version, portion.window)]


def labelled(start: Micros, version: str, window: Window) -> Day:
    """The same of any version, by what it did on the day that begins at `start`."""
    known = round((window.coverage or 0.0) * window.due)
    return Day(version=version, start=day_of(start), due=window.due, labelled=known, figures=window.metrics)


def joined(days: Iterable[Day]) -> list[Day]:
    """The days, those of one version and day laid together, by day and version."""
    found: dict[tuple[Micros, str], Day] = {}
    for each in days:
        key = each.start, each.version
        found[key] = found[key].merged(each) if key in found else each
    return [found[key] for key in sorted(found)]


def _day(portion: Portion, mine: Bools, code: int, together: Ints) -> Day:
    rows = portion.rows.take(mine)
    spoke, failed = code >= 0, rows.failed
    refused = np.bincount(rows.refused[(rows.refused >= 0) & ~failed], minlength=len(rows.rules)).tolist()
    took = np.round(rows.compute_ms * 1000)
    calls = _calls(took, together[mine]) if spoke else np.zeros(0, np.int64)
    return Day(
        version=rows.versions[code] if spoke else "",
        start=day_of(portion.start),
        volume=len(rows),
        answered=len(rows) if spoke else 0,
        refused={rule: count for rule, count in zip(rows.rules, refused, strict=True) if count},
        errors=int(failed.sum()),
        fallbacks=int(rows.fell_back.sum()),
        flagged=int(rows.flagged.sum()) if spoke else 0,
        latency=_times(np.round(rows.latency_ms * 1000)),
        compute=_times(took),
        calls=len(calls),
        model_us=int(calls.sum()),
    )


def _calls(took: Floats, together: Ints) -> Ints:
    """What each call took: rows that came together and took the same were one."""
    known = ~np.isnan(took)
    when, long = together[known], took[known].astype(np.int64)
    order = np.lexsort((long, when))
    when, long = when[order], long[order]
    first = np.ones(len(long), np.bool_)
    first[1:] = (when[1:] != when[:-1]) | (long[1:] != long[:-1])
    calls: Ints = long[first]
    return calls


def _times(values: Floats) -> Times:
    return Times.of(values[~np.isnan(values)].astype(np.int64))


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {rule: one.get(rule, 0) + other.get(rule, 0) for rule in sorted({*one, *other})}
