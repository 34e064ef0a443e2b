"""How good the version in charge probably is, before labels say so, and what becomes of that as they come.

Once a day is over its figures are what is expected of them (`foreseen`); once its labels are due the same figures are
measured, or corrected by as many labels as there are. Each says which it is. Seven days are judged together, by what
was expected of them before their labels: it is an alarm where a metric is worse on average than the reference's by
more than is borne, with a t test over the days (`expected_days.worse_in`). Where scores are known not to say how sure
the model is nothing is judged; an estimate never notices that inputs have come to mean something else.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from headgate.alerts.finding import Figure, Finding, key_of
from headgate.evaluation.table import digits, shown
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.columns import Columns
from headgate.monitors.estimation.corrected import LEAST as CORRECTED
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.estimation.performance import SETTLED, performance
from headgate.monitors.estimation.tilting import Means
from headgate.monitors.standing import Shortfall, Standing
from headgate.monitors.watch.daily import probability
from headgate.monitors.watch.days import date_of, day_of
from headgate.monitors.watch.episode import Episode
from headgate.monitors.watch.expected_days import Expected, Worse, doubts_of, labels_of, lines, worse_in
from headgate.monitors.watch.foreseen import (
    Coming,
    answers_of,
    expectation,
    inputs_of,
    numbers_of,
    own_of,
    said_of,
    told_of,
    truth_of,
)
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.monitor import Over, Portion, Reads, Says, Told, certainty, mark_of
from headgate.vocabulary import DAY, Micros, readable

ESTIMATE: Final = "estimate"
LEAST: Final = 50
"""Answers of a day below which its figures are shown and not judged."""
WEEK: Final = 7
"""Days that are judged together: inputs of one day are alike, and a day of bad weather is no change."""
SHOWN: Final = 31
"""Days that the state holds; labels that are due later than that change nothing here."""


@readable
class EstimateState(msgspec.Struct, frozen=True):
    """What is remembered."""

    coming: Coming = Coming()
    days: tuple[Expected, ...] = ()
    """Oldest first."""
    week: tuple[dict[str, float], ...] = ()
    """What was expected of the days that are not judged yet."""
    rest: int = 0
    """Days on which it is not tried again to weigh the reference, since it could not be."""
    far: str = ""
    """Why it could not."""
    tests: int = 0
    episode: Episode = Episode()
    worse: Worse | None = None
    """The last week that was."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expects every day's figures of one version."""

    project: str
    endpoint: str
    version: str
    known: Known
    terms: Terms
    tolerance: float | None = None
    """How much worse is borne, as it is of `performance`."""
    name: str = ESTIMATE
    reads: Reads = Reads.BOTH
    daily: bool = True
    kind: type[EstimateState] = EstimateState

    @property
    def mark(self) -> str:
        """Of version, rows and terms."""
        return mark_of(self.name, self.version, self.known.digest, self.terms, self.tolerance)

    def start(self, began: Micros) -> EstimateState:
        """No day is over."""
        return EstimateState()

    def take(self, state: EstimateState, portion: Portion) -> tuple[EstimateState, tuple[Told, ...]]:
        """After one more hour, or the labels of one more day."""
        footing = self.known.footing
        if isinstance(footing, Shortfall):
            return state, ()
        if portion.told is Reads.LABELS:
            return self._labelled(footing, state, portion), ()
        coming = self._counted(state.coming, portion)
        if portion.end % DAY:
            return msgspec.structs.replace(state, coming=coming), ()
        return self._over(footing, msgspec.structs.replace(state, coming=Coming()), coming, portion)

    def says(self, state: EstimateState) -> Says:
        """What is expected of the last day, and what became of the last one with labels."""
        footing = self.known.footing
        if isinstance(footing, Shortfall):
            advice = f"run: headgate evaluate {self.version} ROWS, with more rows or other ones"
            return Says(standing=footing.standing, what=footing.reason, advice=advice)
        if not state.days:
            return Says(standing=Standing.UNDECIDED, what="no day is over on which it answered")
        last, figures = state.days[-1], self._figures(state, footing)
        if state.episode.stands and state.worse is not None:
            found = self._finding(footing, state.worse, state.episode.last)
            return Says(
                standing=Standing.ALARM,
                what=found.what,
                since=state.episode.since,
                figures=figures,
                advice=found.advice,
                certainty=certainty(self.terms),
                findings=(found,),
            )
        head = next((each for each in last.figures.values() if each.estimate.known), None)
        if head is None:
            first = next(iter(last.figures.values()))
            return Says(standing=first.standing, what=first.estimate.reason, figures=figures)
        what = f"{head.estimate.name} of {date_of(last.start)} is {shown(head.estimate)}, {head.source}"
        if not state.tests:
            return Says(
                standing=Standing.UNDECIDED, what=f"{what}; {WEEK} such days are judged together", figures=figures
            )
        steady = f"{what}; nothing says that {self.version} is worse than when it was evaluated"
        return Says(standing=Standing.STEADY, what=steady, figures=figures, certainty=certainty(self.terms))

    def _counted(self, coming: Coming, portion: Portion) -> Coming:
        own = own_of(portion.rows, self.version)
        if not own.any():
            return coming
        inputs, kept = inputs_of(portion.table, own, self.known)
        said = said_of(portion.rows.take(own), self.known.rows.task, self.known.rows.classes)
        means = coming.means
        if kept.any():
            numbers, hours = self.known.basis.of(inputs[kept]), portion.hours[own][kept]
            # Hour by hour: sums of floats depend on how they are taken together.
            for each in np.split(numbers, np.flatnonzero(np.diff(hours)) + 1):
                means = means.added(each)
        return Coming(coming.sampled.after(numbers_of(said, inputs)), means)

    def _over(
        self, footing: Footing, state: EstimateState, coming: Coming, portion: Portion
    ) -> tuple[EstimateState, tuple[Told, ...]]:
        """What is expected of the day that is over."""
        if not coming.sampled.seen:
            return state, ()
        said, inputs = answers_of(coming.sampled.rows(self._width), self.known)
        # Where inputs are so far away that nothing can be weighed, that is found again in a week and not every day.
        means = Means() if state.rest else coming.means
        expected, far = expectation(self.known, footing, said, means, inputs)
        far = state.far if state.rest else far
        found = performance(footing, expected, said)
        day = Expected(
            start=day_of(portion.start),
            rows=len(said),
            figures=found.figures,
            far=far,
            doubts=doubts_of(found),
            means=Means() if far else means,
        )
        rest = state.rest - 1 if state.rest else (WEEK - 1 if far else 0)
        after = msgspec.structs.replace(state, days=(*state.days, day)[-SHOWN:], rest=rest, far=far)
        if len(said) < LEAST or any(each.name == "calibration" for each in found.doubts):
            return after, ()
        values = {name: each.estimate.value for name, each in found.figures.items() if each.estimate.value is not None}
        week = (*state.week, values)
        if len(week) < WEEK:
            return msgspec.structs.replace(after, week=week), ()
        return self._judged(footing, msgspec.structs.replace(after, week=()), week, portion)

    def _judged(
        self, footing: Footing, state: EstimateState, week: tuple[dict[str, float], ...], portion: Portion
    ) -> tuple[EstimateState, tuple[Told, ...]]:
        """After a week of days, of which these figures were expected."""
        tests = state.tests + 1
        found = worse_in(footing, week, probability(self.terms, self.name, tests, WEEK), self.tolerance)
        worse = Worse(day_of(portion.start), found) if found else None
        episode = state.episode.after((portion.ripe,) if worse else (), portion.ripe, self.reads.quiet)
        after = msgspec.structs.replace(state, tests=tests, episode=episode, worse=worse or state.worse)
        if worse:
            return after, (self._finding(footing, worse, portion.ripe),)
        if state.episode.stands and not episode.stands:
            return after, (Over(key_of(self.project, self.endpoint, self.name), portion.ripe),)
        return after, ()

    def _labelled(self, footing: Footing, state: EstimateState, portion: Portion) -> EstimateState:
        """The day's figures again, now that its labels are due."""
        place = next((place for place, each in enumerate(state.days) if each.start == portion.start), None)
        own = own_of(portion.rows, self.version)
        if place is None or not own.any():
            return state
        after = self._measured(footing, state.days[place], portion.rows.take(own))
        return msgspec.structs.replace(state, days=(*state.days[:place], after, *state.days[place + 1 :]))

    def _measured(self, footing: Footing, day: Expected, rows: Columns) -> Expected:
        """The day by the labels of these rows; where these are too few for anything else, as it was expected."""
        said, there = said_of(rows, footing.task, footing.classes), int(rows.labelled.sum())
        nothing = np.full((len(said), len(self.known.basis.encoder.fields)), np.nan)
        labels = labels_of(rows.labelled, told_of(said))
        after = msgspec.structs.replace(day, means=Means(), labels=labels)
        if there < CORRECTED and there < SETTLED * len(said):
            return after
        # Where labels say all, nothing has to be weighed.
        means = day.means if there < SETTLED * len(said) else Means()
        expected, far = expectation(self.known, footing, said, means, nothing)
        found = performance(footing, expected, said, truth_of(rows, footing.task))
        doubts = doubts_of(found)
        return msgspec.structs.replace(after, rows=found.rows, figures=found.figures, far=far, doubts=doubts)

    @property
    def _width(self) -> int:
        rows = self.known.rows
        return 1 + (len(self.known.basis.encoder.fields) if not rows.classes else len(rows.classes))

    def _figures(self, state: EstimateState, footing: Footing) -> tuple[Figure, ...]:
        last = state.days[-1]
        doubts = (Figure("mind", each[:200]) for each in (*((last.far,) if last.far else ()), *last.doubts))
        told = next((each for each in reversed(state.days[:-1]) if each.labels), last if last.labels else None)
        before = () if told is None or told is last else tuple(lines(told, footing))
        return (*lines(last, footing), *doubts, *before, *(() if told is None else told.labels))

    def _finding(self, footing: Footing, worse: Worse, at: Micros) -> Finding:
        first, value = next(iter(worse.figures.items()))
        days = f"{first} of the {WEEK} days until {date_of(worse.until)} is expected to be {digits(value)}"
        return Finding(
            project=self.project,
            endpoint=self.endpoint,
            monitor=self.name,
            what=f"{self.version} is probably worse than it was evaluated: {days}",
            evidence=tuple(
                Figure(name, f"{digits(each)} on average", f"{shown(footing.realised[name])} evaluated")
                for name, each in worse.figures.items()
            ),
            cause="others ask than did, or the inputs have changed, and of such inputs the model is less sure",
            advice="see `input` for what has changed; wait for labels if they come soon, else learn again or roll back",
            at=at,
            until=Micros(at + self.reads.lasting),
        )
