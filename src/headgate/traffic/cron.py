"""Times of a schedule as cron writes them: ``0 3 * * 1`` is every Monday at three.

Called by an endpoint's file and by the triggers of retraining. Minute, hour, day of the month, month and day of the
week (0 and 7 are Sunday); each a number, ``*``, a range ``1-5``, a list ``1,3``, or any of them with a step
``*/15``. Where both days are restricted either will do, as cron has always had it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from headgate.errors import BadInput
from headgate.vocabulary import Micros

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_PART: Final = re.compile(r"(?:\*|(?P<first>[0-9]{1,2})(?:-(?P<last>[0-9]{1,2}))?)(?:/(?P<step>[0-9]{1,2}))?")
_LONGEST: Final = 366 * 5
"""Days after which a schedule that has no time, such as one on 30 February, is given up."""


class Cron(msgspec.Struct, frozen=True):
    """The minutes at which a schedule is due."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either: bool
    """Whether a day is taken that either of both lists of days has."""

    def last(self, since: Micros, until: Micros, zone: str = "UTC") -> Micros | None:
        """The last moment in (since, until] at which it was due by the clock of `zone`; None where there was none.

        >>> hour = 3600 * 1_000_000
        >>> read_cron("0 3 * * *").last(Micros(0), Micros(30 * hour)) == 27 * hour
        True
        """
        there = ZoneInfo(zone)
        last = _local(until, there).date()
        for back in range(_LONGEST):
            day = last - timedelta(days=back)
            if self._takes(day):
                moments = (_micros(datetime.combine(day, each, there)) for each in self._times())
                found = next((each for each in moments if each <= until), None)
                if found is not None:
                    return found if found > since else None
            if _micros(datetime.combine(day, time(), there)) <= since:
                return None
        return None

    def _takes(self, day: date) -> bool:
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and ((by_date or by_weekday) if self.either else (by_date and by_weekday))

    def _times(self) -> Iterator[time]:
        """Of a day, the last one first."""
        for hour in sorted(self.hours, reverse=True):
            for minute in sorted(self.minutes, reverse=True):
                yield time(hour, minute)


def read_cron(text: str) -> Cron:
    """The schedule of five fields. Raises BadInput naming the field that is none.

    >>> sorted(read_cron("*/20 3 * * 1-5").minutes)
    [0, 20, 40]
    """
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise BadInput("schedule", "format", 'must be five fields such as "0 3 * * 1": minute hour day month weekday')
    found = [_field(part, *each) for part, each in zip(parts, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = found
    either = parts[2] != "*" and parts[4] != "*"
    return Cron(text, minutes, hours, days, months, frozenset(each % 7 for each in weekdays), either)


def _field(text: str, name: str, least: int, most: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise BadInput(
                "schedule", "format", f"the {name} must be a number, a range, a list or *, such as 1-5 or */15"
            )
        step = int(match["step"] or 1)
        first = least if match["first"] is None else int(match["first"])
        last = int(match["last"]) if match["last"] else (first if match["first"] and not match["step"] else most)
        if not least <= first <= last <= most or step < 1:
            raise BadInput("schedule", "range", f"the {name} must lie between {least} and {most}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _local(moment: Micros, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(zone)


def _micros(moment: datetime) -> Micros:
    return Micros((moment - _EPOCH) // timedelta(microseconds=1))
