"""Keeps alerts: what was found, and the time, decide; what was decided is kept once, with what is to be told.

Everything is in event time, so that a year replayed tells the same as one lived. `delivering.py` takes it from there.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from headgate.alerts.alert import Alert, Notice, Silence
from headgate.alerts.decide import Decision, on_clearing, on_finding, on_time, recipients
from headgate.alerts.delivery import Delivery, planned
from headgate.alerts.finding import Finding, Severity, checked
from headgate.alerts.ports import AlertStore
from headgate.alerts.rule import Rule
from headgate.clock import Clock
from headgate.errors import BadInput, Conflict
from headgate.events import Event, EventKind
from headgate.vocabulary import Micros

log = logging.getLogger("headgate.alerts")

_TRIES: Final = 20
"""How often something is decided anew because somebody changed the alert between the look and the write."""
Standing = Mapping[tuple[str, str, Severity], int]
"""How many alerts stand, by project, endpoint and severity."""
Rules = Callable[[], Mapping[tuple[str, str], Rule]]
"""What each endpoint's file says, by project and endpoint."""

Lags = Callable[[str, str], bool]
"""Whether an endpoint, by project and name, was not looked at up to now."""


class Alerting:
    """The alerts of an installation; any number of processes may report to one store."""

    def __init__(
        self,
        *,
        alerts: AlertStore,
        rules: Rules,
        channels: Callable[[], Mapping[str, Severity]],
        secret: Callable[[], bytes],
        clock: Clock,
        wall: Clock,
        actor: str = "controller",
        counted: Callable[[Standing], object] = lambda standing: None,
    ) -> None:
        """`channels` are the installation's, with the least severity each is told.

        `clock` tells event time, `wall` real time. `counted` hears after every turn how many alerts stand.
        """
        self._alerts = alerts
        self._rules = rules
        self._channels = channels
        self._secret = secret
        self._clock = clock
        self._wall = wall
        self._actor = actor
        self._counted = counted

    def report(self, findings: Sequence[Finding]) -> list[Alert]:
        """Take in what was found; returns the alert of each finding, kept by then with what people are to be told.

        Raises BadInput, before anything is kept, for a finding that cannot be told.
        """
        for each in findings:
            checked(each)
        return [self._report(each) for each in findings]

    def clear(self, project: str, key: str) -> Alert | None:
        """Take in that a monitor no longer finds what it found under `key`; None where no alert of it stands."""
        for _ in range(_TRIES):
            last = self._alerts.last_alert(project, key)
            if last is None or not last.stands:
                return None
            rule = _rule_of(last.finding, self._rules())
            decided = on_clearing(last, rule, now=self._clock.now())
            if self._kept(last, decided, rule):
                return decided.alert
        raise _busy(key)

    def reword(self, alert: Alert, finding: Finding) -> None:
        """Put better words into an alert that stands; nothing where anybody changed or ended it since it was looked at.

        Nobody is told for it: it is what people see who look, and what they hear when they are told again. Raises
        BadInput for a finding that cannot be told or is another one.
        """
        if checked(finding).key != alert.key:
            raise BadInput("finding", "key", f"is not what alert {alert.id} is about")
        try:
            self._alerts.change_alert(msgspec.structs.replace(alert, finding=finding, revision=alert.revision + 1))
        except Conflict as error:
            log.info("%s", error)

    def turn(self, lags: Lags = lambda project, endpoint: False) -> list[Alert]:
        """Let time pass for all alerts that stand; returns those that it changed.

        No alert of an endpoint that `lags` is over only because nobody finds it.
        """
        now, changed = self._clock.now(), list[Alert]()
        standing = self._alerts.alerts(standing=True)
        if not standing:  # as nearly always: nothing else is asked of the store
            self._counted({})
            return []
        rules, silences = self._rules(), self._alerts.silences()
        for each in standing:
            rule = _rule_of(each.finding, rules)
            ends = not lags(each.finding.project, each.finding.endpoint)
            decided = on_time(each, rule, silenced=_covers(silences, each.finding, now), ends=ends, now=now)
            # One that somebody changes meanwhile is looked at again in the next turn.
            if decided is not None and self._kept(each, decided, rule):
                changed.append(decided.alert)
        ended = {each.id for each in changed if not each.stands}
        self._counted(_tally([each for each in standing if each.id not in ended]))
        return changed

    def _report(self, finding: Finding) -> Alert:
        for _ in range(_TRIES):
            now = self._clock.now()
            last = self._alerts.last_alert(finding.project, finding.key)
            rule = _rule_of(finding, self._rules())
            silenced = _covers(self._alerts.silences(finding.project), finding, now)
            decided = on_finding(last, finding, rule, silenced=silenced, now=now)
            if self._kept(last, decided, rule):
                return decided.alert
        raise _busy(finding.key)

    def _kept(self, before: Alert | None, decided: Decision, rule: Rule) -> bool:
        """Keep it; False where somebody changed the alert since it was looked at, and then nothing is kept."""
        try:
            events, deliveries = self._events(before, decided.alert), self._deliveries(decided, rule)
            self._alerts.change_alert(decided.alert, events=events, deliveries=deliveries)
        except Conflict as error:
            log.info("%s", error)
            return False
        return True

    def _deliveries(self, decided: Decision, rule: Rule) -> list[Delivery]:
        alert, notice = decided.alert, decided.notice
        if notice is None:
            return []
        waiting: frozenset[str] = frozenset()
        if notice is Notice.AGAIN:
            mine = [each for each in self._alerts.waiting() if (each.project, each.alert.id) == _name(alert)]
            waiting = frozenset(each.channel for each in mine)
        told = recipients(alert, notice, rule, self._channels(), waiting=waiting)
        return [planned(alert, notice, each, self._secret(), self._wall.now()) for each in told]

    def _events(self, before: Alert | None, after: Alert) -> list[Event]:
        was = "" if before is None or before.episode != after.episode else _state(before)
        if was == _state(after):
            return []
        finding = after.finding
        details: dict[str, str | int | float | bool | None] = {
            "alert": after.id,
            "monitor": finding.monitor,
            "subject": finding.subject,
        }
        where = finding.project, finding.endpoint
        now = self._clock.now()
        return [Event(now, EventKind.ALERTED, *where, self._actor, finding.what, details, was, _state(after))]


def _rule_of(finding: Finding, rules: Mapping[tuple[str, str], Rule]) -> Rule:
    """What the endpoint's file says; the defaults for one that is gone or cannot be read."""
    return rules.get((finding.project, finding.endpoint), Rule())


def _covers(silences: Sequence[Silence], finding: Finding, now: Micros) -> bool:
    where = finding.project, finding.endpoint
    return any((each.project, each.endpoint) == where and each.holds(now) for each in silences)


def _state(alert: Alert) -> str:
    """How bad it stands, in one word."""
    return alert.severity.value if alert.stands else "over"


def _tally(standing: Sequence[Alert]) -> Standing:
    found: dict[tuple[str, str, Severity], int] = {}
    for each in standing:
        key = each.finding.project, each.finding.endpoint, each.severity
        found[key] = found.get(key, 0) + 1
    return found


def _name(alert: Alert) -> tuple[str, str]:
    return alert.finding.project, alert.id


def _busy(key: str) -> Conflict:
    return Conflict(f"the alert {key} is changed by others all the time; report it again")
