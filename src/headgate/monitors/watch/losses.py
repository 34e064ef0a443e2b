"""Whether something that should be seldom is: errors, refusals, fallbacks, slow answers, wrong ones.

Each row is a loss of 0 or 1, and a `RiskDrift` watches their mean: an alarm says that since some moment more of them
happen than is borne, false no more often than the endpoint's file says, whatever the traffic does. What is borne is a
share that a person states or, of wrong answers, what the reference says. Between two alarms nothing is forgotten, so a
small excess is found as well, only later.
"""

from dataclasses import dataclass

import msgspec

from headgate.alerts.finding import Figure, Finding, key_of
from headgate.monitors.alarms.risk import RiskDrift, RiskState
from headgate.monitors.standing import Standing
from headgate.monitors.watch.aspects import Aspect, as_losses, share
from headgate.monitors.watch.episode import Episode
from headgate.monitors.watch.monitor import Over, Portion, Reads, Says, Told, certainty, mark_of
from headgate.vocabulary import DAY, Micros, readable


class Recent(msgspec.Struct, frozen=True):
    """What one portion counted."""

    end: Micros
    count: int
    total: int


@readable
class LossState(msgspec.Struct, frozen=True):
    """What is remembered."""

    risk: RiskState
    episode: Episode = Episode()
    recent: tuple[Recent, ...] = ()
    """Of the last 24 hours that were over, those with rows."""
    standing: Standing = Standing.UNDECIDED
    reason: str = ""
    """Why nothing is watched, or the measurement failed."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Watches one aspect of the rows of an endpoint."""

    project: str
    endpoint: str
    aspect: Aspect
    machine: RiskDrift
    kind: type[LossState] = LossState
    daily: bool = False

    @property
    def name(self) -> str:
        """The aspect's."""
        return self.aspect.name

    @property
    def reads(self) -> Reads:
        """What the aspect speaks of."""
        return self.aspect.reads

    @property
    def mark(self) -> str:
        """Of what is borne, in which words, and of the terms."""
        return mark_of(self.machine, self.aspect.rows, self.aspect.happens)

    def start(self, began: Micros) -> LossState:
        """Nothing speaks for a change."""
        why = self.machine.shortfall
        begun = LossState(self.machine.start(began))
        return begun if why is None else msgspec.structs.replace(begun, standing=why.standing, reason=why.reason)

    def take(self, state: LossState, portion: Portion) -> tuple[LossState, tuple[Told, ...]]:
        """After one more portion."""
        speaks, true = self.aspect.counted(portion.rows)
        at, losses = portion.rows.at[speaks], as_losses(true[speaks])
        risk, standing, reason, alarms = state.risk, state.standing, state.reason, tuple[Micros, ...]()
        if len(at):
            risk, (found,) = self.machine.observe(state.risk, at, losses)
            reason, alarms = found.reason, found.alarms
            # That there was an alarm is what the episode says.
            standing = Standing.STEADY if alarms else found.standing
        # Of labels an alarm is found when they are due, however long ago its row came.
        found_at = alarms if self.reads is Reads.ANSWERS else (portion.ripe,) * len(alarms)
        episode = state.episode.after(found_at, portion.ripe, self.reads.quiet)
        recent = tuple(each for each in state.recent if each.end > portion.end - DAY)
        if len(at):
            recent = (*recent, Recent(portion.end, int(losses.sum()), len(at)))
        after = LossState(risk, episode, recent, standing, reason)
        if alarms:
            return after, (self._finding(after, found_at[0]),)
        if state.episode.stands and not episode.stands:
            return after, (Over(key_of(self.project, self.endpoint, self.name), portion.ripe),)
        return after, ()

    def says(self, state: LossState) -> Says:
        """How the last 24 hours stand beside what is borne."""
        figures = (self._figure(state),)
        if state.episode.stands:
            found = self._finding(state, state.episode.last)
            return Says(
                standing=Standing.ALARM,
                what=found.what,
                since=state.episode.since,
                figures=figures,
                advice=found.advice,
                certainty=certainty(self.machine.terms),
                findings=(found,),
            )
        if state.standing is not Standing.STEADY:
            reason = state.reason or f"there were no {self.aspect.rows} yet"
            return Says(standing=state.standing, what=reason, figures=figures if state.recent else ())
        what = f"nothing says that more than {self._borne} of {self.aspect.rows} {self.aspect.happens}"
        return Says(standing=Standing.STEADY, what=what, figures=figures, certainty=certainty(self.machine.terms))

    @property
    def _borne(self) -> str:
        return f"{max(self.machine.bounds, default=0.0) * 100:.3g} %"

    def _figure(self, state: LossState) -> Figure:
        count, total = sum(each.count for each in state.recent), sum(each.total for each in state.recent)
        return Figure(f"{self.name}, last 24 hours", share(count, total), self._borne)

    def _finding(self, state: LossState, at: Micros) -> Finding:
        return Finding(
            project=self.project,
            endpoint=self.endpoint,
            monitor=self.name,
            severity=self.aspect.severity,
            what=f"more than {self._borne} of {self.aspect.rows} {self.aspect.happens}",
            evidence=(self._figure(state),),
            cause=self.aspect.cause,
            advice=self.aspect.advice,
            at=at,
            until=Micros(at + self.reads.lasting),
        )
