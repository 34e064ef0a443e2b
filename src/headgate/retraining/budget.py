"""What holds a reason up that would begin a run: quiet hours, the time since the last one, and the month's number."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from headgate.retraining.run import Run, Source
from headgate.traffic.durations import duration
from headgate.traffic.retrained import RetrainingWords
from headgate.vocabulary import DAY, SECOND, Micros

MONTH: Final = Micros(30 * DAY)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def held_up(words: RetrainingWords, runs: Sequence[Run], now: Micros, *, again: bool = False) -> str:
    """Why no run may begin by itself now; empty where one may.

    `again` is about a model that was learned from too little: the cooldown is not for it, the month's number is.

    >>> from headgate.retraining.run import Firing
    >>> fired = Firing(at=Micros(0), source=Source.ALARM, why="risk")
    >>> one = Run(endpoint="late", fired=Micros(0), firings=(fired,), champion="late:1")
    >>> held_up(RetrainingWords(cooldown="2d"), [one], Micros(DAY))
    'a run began less than 2d ago'
    >>> held_up(RetrainingWords(runs_per_month=1), [one], Micros(15 * DAY))
    '1 of 1 runs of these 30 days have begun'
    >>> held_up(RetrainingWords(quiet="22:00-06:00"), [], Micros(5 * 3600 * SECOND))
    'it is quiet from 22:00-06:00 (UTC)'
    """
    if _is_quiet(words, now):
        return f"it is quiet from {words.quiet} ({words.zone})"
    if runs and not again and now < runs[-1].fired + words.cooldown_s * SECOND:
        return f"a run began less than {duration(words.cooldown_s)} ago"
    begun = sum(by_itself(each) for each in runs if each.fired > now - MONTH)
    if begun >= words.runs_per_month:
        return f"{begun} of {words.runs_per_month} runs of these 30 days have begun"
    return ""


def by_itself(run: Run) -> bool:
    """Whether a run began without a person who asked for it."""
    return all(each.source is not Source.PERSON for each in run.firings[:1])


def _is_quiet(words: RetrainingWords, now: Micros) -> bool:
    minutes = words.quiet_minutes
    if minutes is None:
        return False
    local = (_EPOCH + timedelta(microseconds=now)).astimezone(ZoneInfo(words.zone))
    start, end, at = *minutes, local.hour * 60 + local.minute
    return start <= at < end if start < end else at >= start or at < end
