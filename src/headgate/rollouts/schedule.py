"""When a rollout may go forward: the hours in which somebody is there who could look. Going back knows no hours."""

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from headgate.errors import BadInput
from headgate.vocabulary import Micros

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES: Final = 24 * 60
_EPOCH: Final = datetime(1970, 1, 1)
_HOURS: Final = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?-([0-9]{1,2})(?::([0-9]{2}))?")


class Schedule(msgspec.Struct, frozen=True):
    """Hours of some days of the week, by the clock of a zone."""

    days: tuple[int, ...]
    """0 is Monday."""
    start: int
    """Minutes after midnight from which on it may."""
    end: int
    """Minutes after midnight from which on it may no more, later than `start`."""
    zone: str = "UTC"

    def allows(self, now: Micros) -> bool:
        """Whether `now` lies within its hours.

        >>> Schedule((0, 1, 2, 3, 4), 9 * 60, 17 * 60).allows(Micros(10 * 3600 * 1_000_000))
        True
        """
        local = (_EPOCH.replace(tzinfo=ZoneInfo("UTC")) + timedelta(microseconds=now)).astimezone(ZoneInfo(self.zone))
        return local.weekday() in self.days and self.start <= local.hour * 60 + local.minute < self.end


def read_schedule(days: str, hours: str, zone: str) -> Schedule:
    """The schedule of ``mon-fri`` or ``mon,wed``, ``9-17`` or ``9:30-16:00``, and a zone such as ``Europe/Berlin``.

    Raises BadInput naming the one of the three that is none.

    >>> read_schedule("mon-wed,sat", "9-16:30", "UTC")
    Schedule(days=(0, 1, 2, 5), start=540, end=990, zone='UTC')
    """
    found = _HOURS.fullmatch(hours)
    if found is None:
        raise BadInput("hours", "format", "must be two hours of a day, such as 9-17 or 9:30-16:00")
    start, end = int(found[1]) * 60 + int(found[2] or 0), int(found[3]) * 60 + int(found[4] or 0)
    if not 0 <= start < end <= DAY_MINUTES or int(found[2] or 0) > 59 or int(found[4] or 0) > 59:
        raise BadInput("hours", "range", "must begin before they end, within one day: 0-24")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput("zone", "unknown", f"'{zone[:64]}' is no time zone, such as UTC or Europe/Berlin") from error
    return Schedule(_days(days), start, end, zone)


def _days(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        last = last if dash else first
        if first not in DAYS or last not in DAYS:
            raise BadInput("days", "format", f"must be days such as mon-fri or sat,sun; there are {', '.join(DAYS)}")
        start, end = DAYS.index(first), DAYS.index(last)
        found.update(range(start, end + 1) if start <= end else [*range(start, 7), *range(end + 1)])
    return tuple(sorted(found))
