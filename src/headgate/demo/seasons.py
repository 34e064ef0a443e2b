"""What Headgate said of the model in summer and in December: read from its alerts, its diagnoses and its watch.

Nothing is measured here that an operator could not ask for: `headgate alerts`, and `headgate monitor --diagnose`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from headgate.alerts.alert import Alert
from headgate.app.facade import Headgate
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.monitors.diagnosis.kept import Said
from headgate.monitors.diagnosis.text import as_text, told
from headgate.monitors.diagnosis.words import cause, day
from headgate.monitors.watch.estimate import ESTIMATE
from headgate.vocabulary import SECOND, Micros

SEASONS: Final = (("summer", (6, 1), (9, 1)), ("December", (12, 1), (13, 1)))
"""Name, first day, and the day after the last one, as month and day of 2013."""
ALERTS: Final = 6
"""Alerts of a season that are listed, the first ones; JSON has all."""


@dataclass(frozen=True, slots=True)
class Season:
    """One season of the endpoint."""

    name: str
    alerts: tuple[Alert, ...]
    """Those that were raised in it, or stood when it began, by time."""
    said: tuple[Said, ...]
    """What diagnoses said while it went on, by what was known then: the first of them before all labels were in."""
    whole: Diagnosis
    """What is said of all of it, once its labels were in."""


def seasons(hg: Headgate, endpoint: str) -> tuple[Season, ...]:
    """What was said of the endpoint in each season."""
    return tuple(_season(hg, endpoint, *each) for each in SEASONS)


def _season(hg: Headgate, endpoint: str, name: str, first: tuple[int, int], after: tuple[int, int]) -> Season:
    start, end = _moment(*first), _moment(*after)
    alerts = [each for each in hg.alerts.every(endpoint, over=True) if _overlaps(each, start, end)]
    said = [each for kept in hg.monitoring.diagnoses(endpoint) for each in kept.said if start <= each.known < end]
    whole = hg.monitoring.diagnosis(endpoint, start=start, end=end)
    in_order = sorted(alerts, key=lambda each: (each.raised, each.finding.monitor))
    return Season(name, tuple(in_order), tuple(sorted(said, key=lambda each: (each.known, each.start))), whole)


def _moment(month: int, day_of_month: int) -> Micros:
    """Midnight of a day of 2013, by UTC; the thirteenth month is the next January."""
    date = datetime(2013 + (month - 1) // 12, (month - 1) % 12 + 1, day_of_month, tzinfo=UTC)
    return Micros(round(date.timestamp()) * SECOND)


def _overlaps(alert: Alert, start: Micros, end: Micros) -> bool:
    return alert.raised < end and (alert.ended is None or alert.ended > start)


def season_row(season: Season) -> dict[str, Any]:
    """A season as programs read it."""
    alerts = [
        {
            "id": each.id,
            "monitor": each.finding.monitor,
            "raised": each.raised,
            "ended": each.ended,
            "what": each.finding.what,
            "cause": each.finding.cause,
            "advice": each.finding.advice,
        }
        for each in season.alerts
    ]
    said, whole = msgspec.to_builtins(season.said), msgspec.to_builtins(season.whole)
    return {"season": season.name, "alerts": alerts, "said": said, "whole": whole}


def season_lines(season: Season) -> Iterator[str]:
    """A season as people read it: what was alarmed, what was said as labels came, and what of all of them."""
    yield f"{season.name}: {cause(season.whole)}"
    yield ""
    for each in season.alerts[:ALERTS]:
        until = "it stands" if each.ended is None else f"until {day(each.ended)}"
        yield f"  {each.finding.monitor:<12} since {day(each.raised)}, {until}: {each.finding.what}"
    if len(season.alerts) > ALERTS:
        yield f"  and {len(season.alerts) - ALERTS} more alerts"
    if not season.alerts:
        yield "  no monitor alarmed"
    if season.said:
        yield ""
        yield "  said while it went on, as labels came:"
        yield from (f"  {line}" for line in told(season.said).splitlines())
    yield ""
    yield from (f"  {line}" for line in as_text(season.whole).splitlines())


def expected(hg: Headgate, endpoint: str) -> str:
    """What is expected of the last day, whose labels are not in; empty where nothing foretells it."""
    lines = hg.monitoring.report(endpoint).monitors
    return next((each.says.what for each in lines if each.monitor == ESTIMATE), "")
