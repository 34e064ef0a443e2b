"""An alert: a finding from when it was first found until it is over, and what people were told of it meanwhile."""

from enum import StrEnum

import msgspec

from headgate.alerts.finding import Finding, Severity
from headgate.vocabulary import Micros, readable


class Notice(StrEnum):
    """What people are told of an alert."""

    RAISED = "raised"
    """It stands since now."""
    WORSE = "worse"
    """It is more severe than people were told."""
    AGAIN = "again"
    """It is still found, a cooldown after people were last told."""
    OVER = "over"
    """It is found no more."""


class Acknowledgement(msgspec.Struct, frozen=True):
    """Somebody has taken an alert on."""

    by: str
    at: Micros
    why: str = ""


class Silence(msgspec.Struct, frozen=True):
    """Nobody is told what is found of an endpoint for a while; it is found, kept and shown all the same.

    >>> Silence("default", "late", Micros(5), Micros(9), "ann", "a migration").holds(Micros(9))
    False
    """

    project: str
    endpoint: str
    begun: Micros
    until: Micros
    """The moment from which people are told again."""
    by: str
    because: str

    def holds(self, now: Micros) -> bool:
        """Whether it is in force."""
        return self.begun <= now < self.until


@readable
class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, however often it is found; every change of it is a new value with the next revision.

    >>> found = Finding(endpoint="late", monitor="score_drift", what="the scores of late moved", at=Micros(7))
    >>> alert = raised(found)
    >>> alert.id, alert.stands, found_again(alert, found).times
    ('95b7f341ce7e-1', True, 2)
    """

    finding: Finding
    """As it was last found."""
    severity: Severity
    """The worst it was found at."""
    raised: Micros
    """When it was first found."""
    seen: Micros
    """When it was last found."""
    times: int = 1
    """How often it was found."""
    episode: int = 1
    """Counts the alerts of its key from 1."""
    acknowledged: Acknowledgement | None = None
    ended: Micros | None = None
    """When it was over; None while it stands."""
    notices: int = 0
    """How often people were told something of it."""
    said: Notice | None = None
    """What they were told last."""
    warned: Micros | None = None
    """When they last heard that it stands."""
    warned_of: Severity | None = None
    """How severe they heard that it is."""
    revision: int = 1

    @property
    def key(self) -> str:
        """By what it is the same finding."""
        return self.finding.key

    @property
    def id(self) -> str:
        """What people and programs call it: its key and its episode, the same on every machine and in every run."""
        return f"{self.key}-{self.episode}"

    @property
    def stands(self) -> bool:
        """Whether it is not over."""
        return self.ended is None


def raised(finding: Finding, episode: int = 1) -> Alert:
    """The alert that a finding begins."""
    return Alert(finding=finding, severity=finding.severity, raised=finding.at, seen=finding.at, episode=episode)


def found_again(alert: Alert, finding: Finding) -> Alert:
    """The alert after it was found once more; one that was over stands again.

    An acknowledgement holds for what was acknowledged: it ends with a return, or when the finding is more severe.
    """
    grew = not alert.severity.reaches(finding.severity)
    return msgspec.structs.replace(
        alert,
        finding=finding,
        severity=finding.severity if grew else alert.severity,
        seen=max(alert.seen, finding.at),
        times=alert.times + 1,
        acknowledged=None if grew or not alert.stands else alert.acknowledged,
        ended=None,
        revision=alert.revision + 1,
    )


def over(alert: Alert, at: Micros) -> Alert:
    """The alert once it is over."""
    return msgspec.structs.replace(alert, ended=at, revision=alert.revision + 1)


def acknowledged(alert: Alert, by: str, at: Micros, why: str = "") -> Alert:
    """The alert once `by` has taken it on: nobody is reminded of it any more."""
    return msgspec.structs.replace(alert, acknowledged=Acknowledgement(by, at, why), revision=alert.revision + 1)


def told(alert: Alert, notice: Notice, at: Micros) -> Alert:
    """The alert once people are told of it, within the same revision: what is told and why is kept together."""
    bad = notice is not Notice.OVER
    return msgspec.structs.replace(
        alert,
        notices=alert.notices + 1,
        said=notice,
        warned=at if bad else alert.warned,
        warned_of=alert.severity if bad else alert.warned_of,
    )
