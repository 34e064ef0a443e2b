"""An endpoint of two versions that was watched for a while, with one alarm and labels that come a day late."""

from typing import Any

import msgspec
import numpy as np

from headgate.alerts.alert import Alert, Silence, raised
from headgate.alerts.finding import Figure, Finding, Severity
from headgate.evaluation.estimate import Estimate
from headgate.monitors.standing import Standing
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.monitor import Says
from headgate.monitors.watch.report import Line, Monitored
from headgate.monitors.watch.times import Times
from headgate.vocabulary import DAY, HOUR, Micros

MONDAY = Micros(1_362_355_200_000_000)
LIVE, BEFORE = "flight:2", "flight:1"


def day(version: str, number: int, volume: int, *, labelled: bool) -> Day:
    """A day whose figures lie a little lower each time."""
    random = np.random.default_rng(number)
    latency = Times.of(random.lognormal(7.5, 0.4, volume).astype(np.int64))
    auc = 0.8 - 0.01 * number
    found = Day(
        version=version,
        start=Micros(MONDAY + number * DAY),
        volume=volume,
        answered=volume,
        fallbacks=volume // 50,
        latency=latency,
        calls=volume,
        model_us=volume * 400,
    )
    if not labelled:
        return found
    figures = {
        "auc": Estimate("auc", auc, auc - 0.02, auc + 0.02, volume),
        "log_loss": Estimate("log_loss", 0.5, None, None, volume, "too few rows"),
        "f1": Estimate("f1", None, None, None, volume, "one class only"),
    }
    return msgspec.structs.replace(found, due=volume, labelled=volume * 9 // 10, figures=figures)


def days(count: int = 10) -> tuple[Day, ...]:
    """Of two versions; on the fourth day nothing happened at all."""
    found = []
    for number in range(count):
        if number == 3:
            continue
        failed = 20 if number > 6 else 0
        start = Micros(MONDAY + number * DAY)
        found.append(Day(version="", start=start, volume=12 + failed, errors=failed, refused={"range": 9, "type": 3}))
        if number < 6:
            found.append(day(BEFORE, number, 200, labelled=True))
        found.append(day(LIVE, number, 100 + 60 * (number > 5) * number, labelled=number < count - 1))
    return tuple(found)


ERRORS = Finding(
    endpoint="flights",
    monitor="errors",
    severity=Severity.CRITICAL,
    what="more than 1 % of inputs end in an error",
    evidence=(Figure("errors, last 24 hours", "20 of 492 (4.07 %)", "1 %"),),
    cause="the model fails; the log names the exception",
    advice="roll back if it began with a version",
    at=Micros(MONDAY + 7 * DAY + 3 * HOUR),
)
ALARM = Says(
    standing=Standing.ALARM,
    what=ERRORS.what,
    since=ERRORS.at,
    figures=ERRORS.evidence,
    advice=ERRORS.advice,
    certainty="false alarms of all 6 monitors of the endpoint: at most 1 per 90 days",
    findings=(ERRORS,),
)


def stood(**more: Any) -> Monitored:
    """How it stands, with whatever else is wanted."""
    found = Monitored(
        project="default",
        endpoint="flights",
        version=LIVE,
        began=MONDAY,
        until=Micros(MONDAY + 10 * DAY),
        matured=Micros(MONDAY + 9 * DAY),
        false_alarms="at most 1 per 90 days",
        monitors=(
            Line("errors", ALARM),
            Line(
                "input", Says(standing=Standing.BROKEN, what="the reference was taken away", advice="register it again")
            ),
            Line("performance", Says(standing=Standing.UNDECIDED, what="no day had 50 labels yet")),
            Line("refusals", Says(standing=Standing.STEADY, what="nothing says otherwise", certainty="quite")),
        ),
        reference={
            "auc": Estimate("auc", 0.81, 0.80, 0.82, 4000),
            "brier": Estimate("brier", None, None, None, 0, "no"),
        },
        days=days(),
    )
    return msgspec.structs.replace(found, **more)


def alert(**more: Any) -> Alert:
    """The alert of the errors."""
    return msgspec.structs.replace(raised(ERRORS), **more)


QUIET = Silence("default", "flights", MONDAY, Micros(MONDAY + 11 * DAY), "ann", "a migration")
