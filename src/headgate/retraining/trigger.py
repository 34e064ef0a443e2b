"""What of all that happened is a reason to learn again: the sentence of an endpoint's file asked of what is known.

Pure. `schedule.py` and `budget.py` say whether a reason may begin a run now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headgate.alerts.alert import Alert
from headgate.monitors.alarms.terms import INPUT, RISK, SCORE
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.estimate import ESTIMATE
from headgate.monitors.watch.performance import PERFORMANCE
from headgate.monitors.watch.reconstructed import RECONSTRUCTION
from headgate.retraining.run import Call, Firing, Outcome, Run, Source
from headgate.traffic.when import Alarm, And, Data, Ground, Labels, Message, Or, Schedule, When
from headgate.vocabulary import DAY, HOUR, Micros

MONITORS: Final = {
    Ground.CONCEPT: frozenset({RISK}),
    Ground.PERFORMANCE: frozenset({PERFORMANCE}),
    Ground.ESTIMATE: frozenset({ESTIMATE}),
    Ground.DATA: frozenset({INPUT, SCORE, RECONSTRUCTION}),
}
"""Whose alarms are of which ground; a diagnosis may give an alarm another one."""
DRIFTS: Final = {Ground.CONCEPT: (Drift.CONCEPT, Drift.BOTH), Ground.DATA: (Drift.DATA, Drift.BOTH)}
PATIENCE: Final = Micros(HOUR)
"""How long an alarm waits for its diagnosis: learning again would not help against a field that arrives broken."""
_EVER: Final = Micros(0)
FEW: Final = 5_000
"""Rows since a change with less of which a model is learned again once there are three times as many."""
GROWN: Final = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an endpoint at one moment."""

    now: Micros
    live: str
    """The version that owns it, ``model:number``."""
    zone: str = "UTC"
    alerts: Sequence[Alert] = ()
    """Those that stand."""
    diagnoses: Sequence[Diagnosed] = ()
    """Every episode of alarms, the last one last."""
    days: Sequence[Day] = ()
    """What it did day by day; of labels, as far as they are due."""
    calls: Sequence[Call] = ()
    """What somebody outside said since the last run began."""
    runs: Sequence[Run] = ()
    """Earlier ones, the first one first."""
    began: Micros = _EVER
    """Since when it is retrained at all; a schedule has no time before."""

    @property
    def since(self) -> Micros:
        """When the last run began."""
        return self.runs[-1].fired if self.runs else self.began

    def labelled(self, since: Micros) -> int:
        """Labels that are due of the inputs from a moment on, by whole days."""
        return sum(each.labelled for each in self.days if each.start >= since)


def fired(when: When, facts: Facts) -> tuple[Firing, ...]:
    """The reasons for which it is time, the sentence's own order; none where it is not.

    >>> from headgate.traffic.when import read_when
    >>> said = Call(endpoint="late", source=Source.MESSAGE, at=Micros(5), why="merged", who="key ci", key="1")
    >>> facts = Facts(now=Micros(9), live="late:1", calls=[said])
    >>> [each.why for each in fired(read_when("message or alarm"), facts)], fired(read_when("message and alarm"), facts)
    (['merged'], ())
    """
    match when:
        case And(parts=parts):
            found = [fired(each, facts) for each in parts]
            return tuple(firing for each in found for firing in each) if all(found) else ()
        case Or(parts=parts):
            return tuple(firing for each in parts for firing in fired(each, facts))
        case Alarm(ground=ground):
            return _alarms(ground, facts)
        case Schedule(cron=cron):
            due = cron.last(facts.since, facts.now, facts.zone)
            return (
                () if due is None else (Firing(at=due, source=Source.SCHEDULE, why=f"the schedule {cron.text} is due"),)
            )
        case Labels(least=least):
            return _labels(least, facts)
        case Data():
            return _called(Source.DATA, facts)
        case Message():
            return _called(Source.MESSAGE, facts)


def counts_labels(when: When) -> bool:
    """Whether the sentence speaks of labels, so that days have to be read for it."""
    if isinstance(when, And | Or):
        return any(map(counts_labels, when.parts))
    return isinstance(when, Labels)


def asked(facts: Facts) -> tuple[Firing, ...]:
    """What persons ask for, which nothing holds up."""
    return _called(Source.PERSON, facts)


def grown(facts: Facts) -> tuple[Firing, ...]:
    """That there is three times as much since a change as the last promoted model was learned from, if that was little.

    A small model of the new world is better than a large one of the old; and it is not the last word.
    """
    last = facts.runs[-1] if facts.runs else None
    if last is None or last.cut is None or last.cut.change is None or last.outcome is not Outcome.PROMOTED:
        return ()
    learned = last.cut.rows - last.cut.original_rows
    there = facts.labelled(Micros(last.cut.change // DAY * DAY))
    if learned >= FEW or there < GROWN * learned or last.challenger != facts.live:
        return ()
    why = f"{last.challenger} was learned from {learned:,} rows since the world changed, and there are {there:,} by now"
    return (Firing(at=facts.now, source=Source.AGAIN, why=why),)


def grounds_of(alert: Alert, diagnosed: Diagnosed | None) -> frozenset[Ground]:
    """What kinds of alarm it is."""
    found = {ground for ground, monitors in MONITORS.items() if alert.finding.monitor in monitors}
    if found and diagnosed is not None and diagnosed.last is not None:
        found |= {ground for ground, drifts in DRIFTS.items() if diagnosed.last.drift in drifts}
    return frozenset(found)


def _alarms(ground: Ground | None, facts: Facts) -> tuple[Firing, ...]:
    """The alarms that stand and were raised since the version in charge owns the endpoint."""
    since = max((each.promoted for each in facts.runs if each.promoted is not None), default=Micros(0))
    found = []
    for alert in sorted(facts.alerts, key=lambda each: each.raised):
        diagnosed = next((each for each in reversed(facts.diagnoses) if alert.id in each.alerts), None)
        grounds = grounds_of(alert, diagnosed)
        if alert.raised <= since or not (grounds if ground is None else ground in grounds):
            continue
        if _helps(alert, grounds, diagnosed, facts.now):
            why = f"{alert.finding.monitor}: {alert.finding.what}"
            found.append(Firing(at=alert.raised, source=Source.ALARM, why=why, key=alert.id))
    return tuple(found)


def _helps(alert: Alert, grounds: frozenset[Ground], diagnosed: Diagnosed | None, now: Micros) -> bool:
    """Whether learning again may help against it, or nobody can tell."""
    if diagnosed is None or diagnosed.last is None:
        return now >= alert.raised + PATIENCE
    if diagnosed.last.remedy is Remedy.FIX_FIELD:
        return False
    return diagnosed.last.remedy is not Remedy.NOTHING or grounds != frozenset({Ground.DATA})


def _labels(least: int, facts: Facts) -> tuple[Firing, ...]:
    last = next((each.cut for each in reversed(facts.runs) if each.cut is not None), None)
    there = facts.labelled(facts.began if last is None else last.end)
    if there < least:
        return ()
    why = f"{there:,} labels are due that no run has learned from, asked were {least:,}"
    return (Firing(at=facts.now, source=Source.LABELS, why=why),)


def _called(source: Source, facts: Facts) -> tuple[Firing, ...]:
    noted = {firing.key for each in facts.runs for firing in each.firings}
    return tuple(
        Firing(at=each.at, source=source, why=each.why, who=each.who, key=each.key)
        for each in facts.calls
        if each.source is source and each.key not in noted
    )
