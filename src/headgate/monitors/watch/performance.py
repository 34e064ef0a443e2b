"""How good the version in charge is, day by day as labels are due, beside what its evaluation measured.

A day's figure and the reference's are compared with the intervals of both. It is an alarm where a metric is worse by
more than is borne, with so much certainty that alarms of all days together are false no more often than the endpoint's
file says: of a day's tests the probability is 1 / limit, where the limit is the monitor's part of the budget in days,
so that in so many days one false alarm is expected at most, whatever days share (expectations add). With

    z = (reference - day - borne) / sqrt(error of the day^2 + error of the reference^2)

it is an alarm where z is beyond the normal quantile of that probability; several metrics share it (Bonferroni). Errors
are read off the sides of the intervals that face each other. A normal law of the figures is assumed, which is why a day
needs `LEAST` labels. `RiskDrift` watches losses without that assumption, and sooner.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import msgspec

from headgate.alerts.finding import Figure, Finding, Severity, key_of
from headgate.evaluation.estimate import Estimate, quantile_of
from headgate.evaluation.metrics import metric
from headgate.evaluation.report import Report
from headgate.evaluation.table import shown
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.standing import Standing
from headgate.monitors.watch.daily import probability
from headgate.monitors.watch.days import date_of
from headgate.monitors.watch.episode import Episode
from headgate.monitors.watch.monitor import Over, Portion, Reads, Says, Told, certainty, mark_of
from headgate.vocabulary import Micros, readable

PERFORMANCE: Final = "performance"
LEAST: Final = 50
"""Labels of a day below which its figures are shown and not judged."""
BORNE: Final = 0.01
"""How much worse a metric between 0 and 1 may be, where the file says nothing: a point."""
BORNE_SHARE: Final = 0.05
"""The same of a metric that has no ceiling, as a share of the reference's figure."""
_UNBOUNDED: Final = frozenset({"log_loss", "mae", "rmse", "pinball"})
_BIASED: Final = frozenset({"calibration_error"})
"""Metrics that are larger on fewer rows although nothing has changed: shown, and not judged."""
SHOWN: Final = 31
"""Days that the state holds; the store has all of them."""


class Judged(msgspec.Struct, frozen=True):
    """What a day's labels said."""

    start: Micros
    due: int
    labelled: int
    figures: dict[str, Estimate]
    worse: tuple[str, ...] = ()
    """The metrics that are worse than the reference by more than is borne, worst first."""


@readable
class PerformanceState(msgspec.Struct, frozen=True):
    """What is remembered of the days."""

    tests: int = 0
    """Days that were judged."""
    episode: Episode = Episode()
    days: tuple[Judged, ...] = ()
    """The last ones with labels due, oldest first."""
    worse: Judged | None = None
    """The last one that was worse than what is borne."""


@dataclass(frozen=True, slots=True)
class Performance:
    """Compares every metric of the reference with that of each day."""

    project: str
    endpoint: str
    version: str
    reference: Report | None
    """What the evaluation of the version measured; None where nobody evaluated it."""
    terms: Terms
    tolerance: float | None = None
    """How much worse is borne, in the unit of the metrics between 0 and 1; None takes a point."""
    name: str = PERFORMANCE
    reads: Reads = Reads.LABELS
    daily: bool = True
    kind: type[PerformanceState] = PerformanceState

    @property
    def mark(self) -> str:
        """Of version, reference and terms."""
        figures = None if self.reference is None else (self.reference.estimates, self.reference.confidence)
        return mark_of(self.name, self.version, figures, self.terms, self.tolerance)

    def start(self, began: Micros) -> PerformanceState:
        """No day was judged."""
        return PerformanceState()

    def take(self, state: PerformanceState, portion: Portion) -> tuple[PerformanceState, tuple[Told, ...]]:
        """After the labels of one more day."""
        window = portion.window
        if window is None or not window.due:
            return state, ()
        beyond = self._beyond(window.metrics) if window.labelled >= LEAST else {}
        judges = bool(beyond)
        tests = state.tests + judges
        worse = _worse(beyond, probability(self.terms, self.name, tests)) if judges else ()
        labelled = round((window.coverage or 0.0) * window.due)
        day = Judged(portion.start, window.due, labelled, window.metrics, worse)
        episode = state.episode
        if judges:  # a day that is not says neither that it is still so nor that it is over
            episode = episode.after((portion.ripe,) if worse else (), portion.ripe, self.reads.quiet)
        after = PerformanceState(tests, episode, (*state.days, day)[-SHOWN:], day if worse else state.worse)
        if worse:
            return after, (self._finding(day, portion.ripe),)
        if state.episode.stands and not episode.stands:
            return after, (Over(key_of(self.project, self.endpoint, self.name), portion.ripe),)
        return after, ()

    def says(self, state: PerformanceState) -> Says:
        """How the last day with labels stands beside the reference."""
        if not state.days:
            return Says(
                standing=Standing.UNDECIDED,
                what="no day is over whose labels are due",
                advice="labels are due so long after an answer as label_maturity in the endpoint's file says",
            )
        last = state.days[-1]
        figures = (*self._figures(last), Figure("labels", f"{last.labelled:,} of {last.due:,} due"))
        if self.reference is None:
            why = f"{self.version} was never evaluated, so there is nothing to compare its figures with"
            advice = f"run: headgate evaluate {self.version} ROWS"
            return Says(standing=Standing.UNDECIDED, what=why, figures=figures, advice=advice)
        if state.episode.stands and state.worse is not None:
            found = self._finding(state.worse, state.episode.last)
            return Says(
                standing=Standing.ALARM,
                what=found.what,
                since=state.episode.since,
                figures=figures,
                advice=found.advice,
                certainty=certainty(self.terms),
                findings=(found,),
            )
        if last.labelled >= LEAST and not self._beyond(last.figures):
            return Says(standing=Standing.UNDECIDED, what=self._unknown(last), figures=figures)
        if not state.tests:
            few = f"no day had {LEAST} labels yet, with which its figures could be judged"
            return Says(standing=Standing.UNDECIDED, what=few, figures=figures)
        what = f"no metric of the last judged day is worse than when {self.version} was evaluated"
        return Says(standing=Standing.STEADY, what=what, figures=figures, certainty=certainty(self.terms))

    def _beyond(self, figures: Mapping[str, Estimate]) -> dict[str, float]:
        """By how many standard errors each metric is worse than what is borne, of those of which that can be told."""
        reference = {} if self.reference is None else self.reference.estimates
        judged = {name: each for name, each in reference.items() if name not in _BIASED}
        found = {name: self._apart(name, figures.get(name), each) for name, each in judged.items()}
        return {name: each for name, each in found.items() if each is not None}

    def _apart(self, name: str, day: Estimate | None, reference: Estimate) -> float | None:
        z = quantile_of(0.95 if self.reference is None else self.reference.confidence)
        if day is None or day.value is None or reference.value is None:
            return None
        higher = metric(name).higher_is_better
        facing = (day.high, reference.low) if higher else (day.low, reference.high)
        if facing[0] is None or facing[1] is None:
            return None
        error = math.hypot(abs(facing[0] - day.value) / z, abs(facing[1] - reference.value) / z)
        apart = metric(name).better(reference.value - day.value) - borne(name, reference.value, self.tolerance)
        return apart / error if error > 0 else math.copysign(math.inf, apart) if apart else 0.0

    def _unknown(self, day: Judged) -> str:
        """Why no metric of a day with labels enough can be compared."""
        reasons = dict.fromkeys(each.reason for each in day.figures.values() if each.reason)
        why = next(iter(reasons), "the evaluation has no metric that the day has")
        return f"no metric of {date_of(day.start)} can be compared with the evaluation: {why}"

    def _finding(self, day: Judged, at: Micros) -> Finding:
        worst = day.worse[0]
        figure = shown(day.figures.get(worst))
        reference = {} if self.reference is None else self.reference.estimates
        return Finding(
            project=self.project,
            endpoint=self.endpoint,
            monitor=self.name,
            severity=Severity.CRITICAL,
            what=f"{self.version} is worse than it was evaluated: {worst} of {date_of(day.start)} is {figure}",
            evidence=tuple(
                Figure(name, shown(day.figures.get(name)), f"{shown(reference.get(name))} when it was evaluated")
                for name in day.worse
            ),
            cause="the inputs have changed, or what they mean; the labels of one day alone do not tell which",
            advice="look at what else was found of the endpoint since; learn again on newer rows, or roll back",
            at=at,
            until=Micros(at + self.reads.lasting),
        )

    def _figures(self, day: Judged) -> Sequence[Figure]:
        reference = {} if self.reference is None else self.reference.estimates
        return [
            Figure(name, shown(each), f"{shown(reference[name])} when it was evaluated" if name in reference else "")
            for name, each in day.figures.items()
            if each.known
        ]


def borne(name: str, reference: float, tolerance: float | None) -> float:
    """How much worse than the reference's figure a metric may be, in its own unit.

    >>> borne("auc", 0.7, None), borne("auc", 0.7, 0.02), borne("mae", 12.0, 0.02)
    (0.01, 0.02, 0.6000000000000001)
    """
    if name.partition("@")[0] in _UNBOUNDED:
        return BORNE_SHARE * abs(reference)
    return BORNE if tolerance is None else tolerance


def _worse(beyond: Mapping[str, float], chance: float) -> tuple[str, ...]:
    """The metrics that are worse, but for this chance, worst first."""
    quantile = NormalDist().inv_cdf(1.0 - chance / len(beyond))
    return tuple(sorted((name for name, z in beyond.items() if z > quantile), key=lambda name: -beyond[name]))
