"""Whether labels still come: a day is compared with what usually came of the days before, in time.

Everything that needs the truth rests on it, and falls silent without it. With c the share of a day's due labels that
were there, and u the median of that share over the days before, it is an alarm where

    c < u / 2 - sqrt(log(1 / p) / (2 due)),

so that, by Hoeffding's inequality, it is false with a probability of p at most while half of the usual labels come.
"""

import math
import statistics
from dataclasses import dataclass
from typing import Final

import msgspec

from headgate.alerts.finding import Figure, Finding, key_of
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.standing import Standing
from headgate.monitors.watch.aspects import share
from headgate.monitors.watch.daily import probability
from headgate.monitors.watch.episode import Episode
from headgate.monitors.watch.monitor import Over, Portion, Reads, Says, Told, certainty, mark_of
from headgate.vocabulary import Micros, readable

LABELS: Final = "labels"
LEAST: Final = 50
"""Labels of a day that are due below which nothing is said of it."""
USUAL: Final = 7
"""Days that make what is usual, at most; those on which labels were missing are none of them."""
KNOWN: Final = 3
"""Days before anything is usual."""


class Came(msgspec.Struct, frozen=True):
    """How many labels of a day were there in time."""

    start: Micros
    labelled: int
    due: int

    @property
    def coverage(self) -> float:
        """Share of those due."""
        return self.labelled / self.due


@readable
class LabelState(msgspec.Struct, frozen=True):
    """What is remembered."""

    usual: tuple[Came, ...] = ()
    """The last days on which labels came as usual, oldest first."""
    last: Came | None = None
    tests: int = 0
    episode: Episode = Episode()


@dataclass(frozen=True, slots=True)
class Labels:
    """Watches the labels of an endpoint."""

    project: str
    endpoint: str
    terms: Terms
    name: str = LABELS
    reads: Reads = Reads.LABELS
    daily: bool = True
    kind: type[LabelState] = LabelState

    @property
    def mark(self) -> str:
        """Of the terms."""
        return mark_of(self.name, self.terms)

    def start(self, began: Micros) -> LabelState:
        """No day is known."""
        return LabelState()

    def take(self, state: LabelState, portion: Portion) -> tuple[LabelState, tuple[Told, ...]]:
        """After the labels of one more day."""
        window = portion.window
        if window is None or window.due < LEAST:
            return state, ()
        day = Came(portion.start, round((window.coverage or 0.0) * window.due), window.due)
        if len(state.usual) < KNOWN:
            return msgspec.structs.replace(state, usual=(*state.usual, day), last=day), ()
        tests = state.tests + 1
        missing = misses(_usual(state), day, probability(self.terms, self.name, tests))
        usual = state.usual if missing else (*state.usual, day)[-USUAL:]
        episode = state.episode.after((portion.ripe,) if missing else (), portion.ripe, self.reads.quiet)
        after = LabelState(usual, day, tests, episode)
        if missing:
            return after, (self._finding(after, portion.ripe),)
        if state.episode.stands and not episode.stands:
            return after, (Over(key_of(self.project, self.endpoint, self.name), portion.ripe),)
        return after, ()

    def says(self, state: LabelState) -> Says:
        """How many came of the last day, beside what is usual."""
        if state.last is None:
            return Says(standing=Standing.UNDECIDED, what=f"no day had {LEAST} labels due yet")
        figures = (self._figure(state),)
        if len(state.usual) < KNOWN or not state.tests:
            few = f"what is usual is known after {KNOWN} days with {LEAST} labels due"
            return Says(standing=Standing.UNDECIDED, what=few, figures=figures)
        if state.episode.stands:
            found = self._finding(state, state.episode.last)
            return Says(
                standing=Standing.ALARM,
                what=found.what,
                since=state.episode.since,
                figures=figures,
                advice=found.advice,
                certainty=certainty(self.terms),
                findings=(found,),
            )
        if not _usual(state):
            none = "usually no label is there when it is due, so nothing can be missed"
            advice = "label what turned out to be true, or raise label_maturity to how long labels take"
            return Says(standing=Standing.UNDECIDED, what=none, figures=figures, advice=advice)
        what = "nothing says that fewer than half of the usual labels come in time"
        return Says(standing=Standing.STEADY, what=what, figures=figures, certainty=certainty(self.terms))

    def _figure(self, state: LabelState) -> Figure:
        day = state.last or Came(Micros(0), 0, 0)
        usual = f"{100 * _usual(state):.3g} % usually" if len(state.usual) >= KNOWN else ""
        return Figure("labels in time", share(day.labelled, day.due), usual)

    def _finding(self, state: LabelState, at: Micros) -> Finding:
        return Finding(
            project=self.project,
            endpoint=self.endpoint,
            monitor=self.name,
            what="fewer than half of the usual labels come in time",
            evidence=(self._figure(state),),
            cause="whatever tells labels has stopped, or takes longer than label_maturity says",
            advice="mend it, or raise label_maturity; until then `risk` and `performance` see a part of the truth",
            at=at,
            until=Micros(at + self.reads.lasting),
        )


def misses(usual: float, day: Came, chance: float) -> bool:
    """Whether fewer than half of the usual share of a day's labels came, but for this chance.

    >>> misses(0.8, Came(Micros(0), 20, 200), 1e-3), misses(0.8, Came(Micros(0), 60, 200), 1e-3)
    (True, False)
    """
    return day.coverage < usual / 2 - math.sqrt(math.log(1.0 / chance) / (2 * day.due))


def _usual(state: LabelState) -> float:
    """The median of the share of labels that came in time."""
    return statistics.median(each.coverage for each in state.usual)
