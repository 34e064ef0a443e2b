"""Says why an endpoint's alarms are: after the first alarm of an episode, and anew as labels of more days are due.

A loop of its own, since a diagnosis takes some seconds and must hold up neither the watch nor alerts. What it says
follows from what the watch has handed over and from nothing else; it is kept first and put into the words of the
alerts then, so whoever is killed in between leaves nothing undone: words that are missing are put there later.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

from headgate.alerts.alert import Alert
from headgate.alerts.finding import Finding
from headgate.controller.watching import Reports
from headgate.errors import HeadgateError
from headgate.journal.reader import Reader
from headgate.monitors.alarms.terms import INPUT, RISK
from headgate.monitors.attribution.samples import FEWEST
from headgate.monitors.diagnosis.kept import Diagnosed, DiagnosisStore
from headgate.monitors.diagnosis.words import dressed
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.lookback import Lookback, Registered, Window, begins
from headgate.monitors.watch.performance import PERFORMANCE
from headgate.monitors.watch.scene import Scene
from headgate.monitors.watch.state import WatchState, WatchStore
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import SECOND, Micros

log = logging.getLogger("headgate.controller")

Where = tuple[str, str]
"""Project and name of an endpoint."""
ASKED: Final = frozenset({RISK, PERFORMANCE, INPUT})
"""Monitors after whose alarms it is asked what has changed."""
BY_LABELS: Final = frozenset({RISK, PERFORMANCE})
"""Those of them that read labels: what they find is known when labels are due, and is about the day before that."""
REST: Final = 10.0
"""Seconds between two looks at one endpoint."""
LONG_REST: Final = 600.0
"""The same after a diagnosis that failed."""


class Kept(WatchStore, DiagnosisStore, Protocol):
    """Where watches and diagnoses are kept."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where what is looked at comes from."""

    endpoints: Callable[[], Sequence[EndpointSpec]]
    scene: Callable[[EndpointSpec], Scene]
    registered: Callable[[EndpointSpec], Registered]
    """What the package of the version in charge knows of its rows; asked when a diagnosis is due, and not before."""
    reader: Reader


class Diagnosing:
    """The diagnoses of an installation, a turn at a time; turns of several threads wait for each other."""

    def __init__(
        self,
        sources: Sources,
        kept: Kept,
        *,
        standing: Callable[[], Sequence[Alert]],
        reword: Callable[[Alert, Finding], object],
    ) -> None:
        """`standing` are the alerts of all endpoints that stand; `reword` puts better words into one of them."""
        self._sources = sources
        self._kept = kept
        self._standing = standing
        self._reword = reword
        self._lock = threading.Lock()
        self._rests: dict[Where, float] = {}
        """Until when an endpoint is left alone, on the scale of `monotonic`."""

    def turn(self, *, at_once: bool = False) -> list[Where]:
        """Look at every endpoint with such an alarm; returns those of which something new was said.

        One that cannot be looked at is logged, and looked at again after a rest, or `at_once`.
        """
        with self._lock:
            self._rests = {} if at_once else {each: end for each, end in self._rests.items() if monotonic() < end}
            alarmed: dict[Where, list[Alert]] = {}
            for each in self._standing():
                where = each.finding.project, each.finding.endpoint
                if each.finding.monitor in ASKED and where not in self._rests:
                    alarmed.setdefault(where, []).append(each)
            if not alarmed:  # as nearly always: nothing else is asked of the store
                return []
            specs = {(each.project, each.endpoint): each for each in self._sources.endpoints()}
            return [each for each, alerts in alarmed.items() if each in specs and self._looked(specs[each], alerts)]

    def _looked(self, spec: EndpointSpec, alerts: Sequence[Alert]) -> bool:
        where = spec.project, spec.endpoint
        self._rests[where] = monotonic() + REST
        try:
            return self._look(spec, alerts)
        except HeadgateError as error:
            log.warning("%s/%s has no diagnosis now: %s", *where, error)
        except Exception:  # one endpoint's trouble must not hold up those behind it
            log.exception("%s/%s could not be diagnosed", *where)
        self._rests[where] = monotonic() + LONG_REST
        return False

    def _look(self, spec: EndpointSpec, alerts: Sequence[Alert]) -> bool:
        """Go on with the episode of these alerts: look back where that is due, keep it, put it into their words."""
        where = spec.project, spec.endpoint
        state = self._kept.watch(*where)
        if state is None:
            return False
        scene = self._sources.scene(spec)
        alerts = [each for each in alerts if _is_handed_over(each, state, scene)]
        if not alerts:
            return False
        episodes = self._kept.diagnoses(*where)
        before = _episode(episodes, alerts, scene)
        after = before.joined(each.id for each in alerts)
        days = self._kept.watched_days(*where) if after.due(state.matured) else []
        due = after.last is None or _labelled(days, scene.version, after.began) >= FEWEST
        if due:
            lookback = Lookback(scene, self._sources.registered(spec), self._sources.reader)
            after = after.after(lookback.at(_window(after, state, scene, alerts), days, episodes))
        if after != before:
            self._kept.keep_diagnosis(after)
        for each in alerts:
            better = each.finding if after.last is None else dressed(each.finding, after.last)
            if better != each.finding:
                self._reword(each, better)
        return due


class Worded:
    """Takes in what monitors find, with what the last diagnosis of the alert that stands says of it."""

    def __init__(self, reports: Reports, kept: DiagnosisStore, last_alert: Callable[[str, str], Alert | None]) -> None:
        self._reports = reports
        self._kept = kept
        self._last_alert = last_alert

    def report(self, findings: Sequence[Finding]) -> object:
        """Raise an alert of each, or find it again in the words it had."""
        return self._reports.report([self._worded(each) for each in findings])

    def clear(self, project: str, key: str) -> object:
        """What was found under `key` is over."""
        return self._reports.clear(project, key)

    def _worded(self, finding: Finding) -> Finding:
        alert = self._last_alert(finding.project, finding.key) if finding.monitor in ASKED else None
        if alert is None or not alert.stands:
            return finding
        for each in reversed(self._kept.diagnoses(finding.project, finding.endpoint)):
            if alert.id in each.alerts and each.last is not None:
                return dressed(finding, each.last)
        return finding


def _episode(episodes: Sequence[Diagnosed], alerts: Sequence[Alert], scene: Scene) -> Diagnosed:
    """The one that any of the alerts is part of, or a new one."""
    ids = {each.id for each in alerts}
    for each in reversed(episodes):
        if ids & set(each.alerts):
            return each
    began = min(_day(each, scene) for each in alerts)
    return Diagnosed(project=scene.source.project, endpoint=scene.source.endpoint, began=began)


def _day(alert: Alert, scene: Scene) -> Micros:
    return begins(alert.raised, scene, by_labels=alert.finding.monitor in BY_LABELS)


def _is_handed_over(alert: Alert, state: WatchState, scene: Scene) -> bool:
    """Whether what raised the alert is part of what was kept: it is told before, and somebody may look meanwhile."""
    if alert.finding.monitor in BY_LABELS:
        return _day(alert, scene) < state.matured
    return alert.raised < state.until


def _labelled(days: Sequence[Day], version: str, since: Micros) -> int:
    """Labels of a version since a moment; with too few of them another look would say what the first one said."""
    return sum(each.labelled for each in days if each.version == version and each.start >= since)


def _window(episode: Diagnosed, state: WatchState, scene: Scene, alerts: Sequence[Alert]) -> Window:
    """All since the first alarm, and what was known of it when the last hour, and the last day's labels, were due."""
    matured = max(state.matured, episode.began)
    known = max(state.until, Micros(state.matured + round(scene.maturity_s * SECOND)))
    found = next((each.finding for each in alerts if each.finding.monitor == PERFORMANCE), None)
    metric = found.evidence[0].name if found is not None and found.evidence else ""
    if not metric and any(each.finding.monitor == RISK for each in alerts):
        metric = "accuracy"
    return Window(
        start=episode.began, end=max(state.until, matured), matured=matured, known=known, metric=metric
    ).recent
