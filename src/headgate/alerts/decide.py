"""What becomes of an alert when something is found, when its monitor says that it is over, and when time passes.

Pure: the controller keeps what is decided here, with what is to be told, in one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from headgate.alerts.alert import Alert, Notice, found_again, over, raised, told
from headgate.alerts.finding import Finding, Severity
from headgate.alerts.rule import Rule
from headgate.vocabulary import Micros

LOG: Final = "log"
"""The channel that every installation has: the controller's log."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An alert as it is to be kept, and what people are to be told of it."""

    alert: Alert
    notice: Notice | None = None


def on_finding(last: Alert | None, finding: Finding, rule: Rule, *, silenced: bool, now: Micros) -> Decision:
    """What `finding` makes of the last alert of its key.

    One that stands is found again. So is one that is over, within the cooldown since people were warned of it: what
    comes and goes warns them no more often than what stays. Any other begins a new one.

    >>> found = Finding(endpoint="late", monitor="score_drift", what="the scores of late moved", at=Micros(7))
    >>> first = on_finding(None, found, Rule(), silenced=False, now=Micros(7))
    >>> first.notice.value, on_finding(first.alert, found, Rule(), silenced=False, now=Micros(8)).notice
    ('raised', None)
    """
    if last is not None and (last.stands or _is_warm(last, rule, now)):
        after = found_again(last, finding)
    else:
        after = raised(finding, 1 if last is None else last.episode + 1)
    return _telling(after, rule, silenced=silenced, now=now)


def on_clearing(alert: Alert, rule: Rule, *, now: Micros) -> Decision:
    """What becomes of an alert that stands when its monitor says that it is over."""
    return _telling(over(alert, now), rule, silenced=False, now=now)


def on_time(alert: Alert, rule: Rule, *, silenced: bool, now: Micros, ends: bool = True) -> Decision | None:
    """What becomes of an alert that stands as time passes; None where nothing does.

    It is over when it was not found for as long as the rule, or its finding, says; unless nothing `ends` meanwhile,
    since nobody looks. What was held back by a silence is told when that ends.
    """
    if ends and now >= max(alert.seen + rule.over_after, alert.finding.until or 0):
        return _telling(over(alert, now), rule, silenced=silenced, now=now)
    notice = notice_due(alert, rule, silenced=silenced, now=now)
    if notice is None:
        return None
    return _telling(_next(alert), rule, silenced=silenced, now=now)


def notice_due(alert: Alert, rule: Rule, *, silenced: bool, now: Micros) -> Notice | None:
    """What people ought to be told of `alert` now; None where there is nothing.

    That something is over is told in a silence too, to whoever heard that it stands. Of what somebody acknowledged
    nobody is reminded.
    """
    if not alert.stands:
        return Notice.OVER if alert.said not in (None, Notice.OVER) else None
    if silenced or alert.acknowledged is not None or not alert.severity.reaches(rule.least):
        return None
    if alert.warned is None or alert.warned_of is None:
        return Notice.RAISED
    if not alert.warned_of.reaches(alert.severity):
        return Notice.WORSE
    still_found = alert.seen > alert.warned or alert.said is Notice.OVER
    return Notice.AGAIN if still_found and not _is_warm(alert, rule, now) else None


def recipients(
    alert: Alert, notice: Notice, rule: Rule, channels: Mapping[str, Severity], *, waiting: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """The channels that are to be told: the log, and those of the rule, or all, that want to hear of the severity.

    `channels` are those of the installation with the least severity each wants; one that the rule names and the
    installation does not have is told as well, so that its failing is kept. Those that are still `waiting` to hear
    of the alert need no reminder.

    >>> found = Finding(endpoint="late", monitor="score_drift", what="the scores of late moved", at=Micros(7))
    >>> recipients(raised(found), Notice.RAISED, Rule(), {"ops": Severity.INFO, "pager": Severity.CRITICAL})
    ('log', 'ops')
    """
    named = tuple(channels) if rule.channels is None else tuple(dict.fromkeys(rule.channels))
    told_of = [each for each in named if each != LOG and alert.severity.reaches(channels.get(each, Severity.INFO))]
    reminded = notice is Notice.AGAIN
    return tuple(each for each in (LOG, *told_of) if not (reminded and each in waiting))


def _telling(alert: Alert, rule: Rule, *, silenced: bool, now: Micros) -> Decision:
    notice = notice_due(alert, rule, silenced=silenced, now=now)
    return Decision(alert if notice is None else told(alert, notice, now), notice)


def _next(alert: Alert) -> Alert:
    """The same alert as its next revision."""
    return msgspec.structs.replace(alert, revision=alert.revision + 1)


def _is_warm(alert: Alert, rule: Rule, now: Micros) -> bool:
    """Whether people were warned of it less than a cooldown ago."""
    return alert.warned is not None and now - alert.warned < rule.cooldown
