"""Whether groups of people are treated alike week by week, and whether they lie farther apart than they did.

The groups are those of the fields that the endpoint's file names under ``monitors.groups``. What they are compared with
are the first weeks whose labels are due: a model that treated groups unlike from the beginning shows so in its figures,
and an alarm says that it has come to treat them more unlike. It is one where a gap has grown by more than is borne:
with the gap G of the week and G' of the reference, each with its interval,

    (G - G') - sqrt((G - low of G)^2 + (high of G' - G')^2) > borne

(MOVER: Zou & Donner 2008, "Construction of confidence limits about effect measures"), at the confidence that
`daily.probability` leaves for one test a week, shared by all gaps (Bonferroni). And it must lie above what another
week would have had by chance, however weeks differ (`gaps`).
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.alerts.finding import Figure, Finding, key_of
from headgate.contracts.contract import Output
from headgate.evaluation.metrics import improbable
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.standing import Standing
from headgate.monitors.watch.daily import probability
from headgate.monitors.watch.episode import Episode
from headgate.monitors.watch.foreseen import own_of
from headgate.monitors.watch.gaps import Apart, Grown, apart_of, grown_of, lines_of
from headgate.monitors.watch.groups import GROUPS
from headgate.monitors.watch.monitor import Over, Portion, Reads, Says, Told, certainty, mark_of
from headgate.monitors.watch.performance import BORNE
from headgate.monitors.watch.treatment import (
    Cuts,
    Decisions,
    Treatment,
    cuts_of,
    names_of,
    together,
    treatment_of,
)
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DAY, Micros, Task, readable

FAIRNESS: Final = "fairness"
WEEKS: Final = 4
"""Weeks with labels that the later ones are compared with."""
SINCE: Final = f"in the first {WEEKS} weeks"
SHOWN: Final = 13
"""Weeks whose gaps are shown: a quarter of a year."""
_MONDAY: Final = 3
"""1970-01-01 was a Thursday, three days behind a Monday."""


@readable
class FairnessState(msgspec.Struct, frozen=True):
    """What is remembered: counts of groups, never of a person."""

    cuts: Cuts = {}
    week: Treatment = {}
    """The week that is not over yet."""
    weeks: int = 0
    """Those that were over and had labels."""
    reference: Treatment = {}
    """The first of them together."""
    last: Treatment = {}
    """The last of them."""
    course: tuple[tuple[Apart, ...], ...] = ()
    """Gaps of the last ones, oldest first."""
    tests: int = 0
    episode: Episode = Episode()
    grown: tuple[Grown, ...] = ()
    """Of the last week that had any."""
    reason: str = ""
    """Why nothing is compared."""


@dataclass(frozen=True, slots=True)
class Fairness:
    """Compares the groups of one version."""

    project: str
    endpoint: str
    version: str
    output: Output
    fields: tuple[str, ...]
    terms: Terms
    tolerance: float
    """By how much a gap may grow."""
    name: str = FAIRNESS
    reads: Reads = Reads.LABELS
    daily: bool = True
    kind: type[FairnessState] = FairnessState

    @classmethod
    def of(cls, spec: EndpointSpec, version: str, output: Output, terms: Terms) -> "Fairness":
        """The groups that the file of `spec` names."""
        words = spec.monitors
        borne = BORNE if words.tolerance is None else words.tolerance
        return cls(spec.project, spec.endpoint, version, output, tuple(words.groups), terms, borne)

    @property
    def mark(self) -> str:
        """Of version, fields and terms."""
        return mark_of(self.name, self.version, self.fields, self.terms, self.tolerance)

    def start(self, began: Micros) -> FairnessState:
        """Nobody was treated yet."""
        if self.output.task is Task.BINARY:
            return FairnessState()
        return FairnessState(reason="groups are compared by how often they are given one of two classes")

    def take(self, state: FairnessState, portion: Portion) -> tuple[FairnessState, tuple[Told, ...]]:
        """After the labels of one more day; those of a Sunday end a week."""
        if self.output.task is not Task.BINARY:
            return state, ()
        state = self._counted(state, portion)
        if (portion.end // DAY + _MONDAY) % 7 or not state.week:
            return state, ()
        if state.weeks < WEEKS:
            reference = together(state.reference, state.week)
            return self._kept(state, reference=reference), ()
        tests = state.tests + 1
        chance = probability(self.terms, self.name, tests, 7)
        grown = tuple(grown_of(state.week, state.reference, state.course, chance, borne=self.tolerance, since=SINCE))
        episode = state.episode.after((portion.ripe,) if grown else (), portion.ripe, self.reads.quiet)
        after = self._kept(state, tests=tests, episode=episode, grown=grown or state.grown)
        if grown:
            return after, (self._finding(after, portion.ripe),)
        if state.episode.stands and not episode.stands:
            return after, (Over(key_of(self.project, self.endpoint, self.name), portion.ripe),)
        return after, ()

    def says(self, state: FairnessState) -> Says:
        """How the last week stands beside the first ones."""
        if state.reason:
            return Says(standing=Standing.UNDECIDED, what=state.reason)
        if not state.weeks:
            return Says(standing=Standing.UNDECIDED, what="no week is over whose labels are due")
        figures = tuple(lines_of(state.last, state.reference, state.course, SINCE))
        if state.episode.stands:
            found = self._finding(state, state.episode.last)
            return Says(
                standing=Standing.ALARM,
                what=found.what,
                since=state.episode.since,
                figures=(*found.evidence, *figures),
                advice=found.advice,
                certainty=certainty(self.terms),
                findings=(found,),
            )
        if not state.tests:
            few = f"the first {WEEKS} weeks with labels say how far groups lie apart; {state.weeks} of them are over"
            return Says(standing=Standing.UNDECIDED, what=few, figures=figures)
        fields = ", ".join(self.fields)
        what = f"nothing says that the groups of {fields} lie farther apart than {SINCE}"
        return Says(standing=Standing.STEADY, what=what, figures=figures, certainty=certainty(self.terms))

    def _counted(self, state: FairnessState, portion: Portion) -> FairnessState:
        own = own_of(portion.rows, self.version)
        if not own.any():
            return state
        if GROUPS not in portion.table.column_names:
            return msgspec.structs.replace(state, reason="the groups of its inputs could not be read")
        own &= np.asarray(pc.is_valid(portion.table[GROUPS])).astype(np.bool_)
        if not own.any():  # of none of them features were kept
            return state
        rows, table = portion.rows.take(own), portion.table[GROUPS].filter(pa.array(own))
        named = dict(zip((each.name for each in table.type), table.flatten(), strict=True))
        new = {each: found for each in self.fields if each not in state.cuts and (found := cuts_of(named[each]))}
        cuts = state.cuts | new
        scores = None if rows.scores is None else rows.scores
        whole = None if scores is None else np.isfinite(scores).all(axis=1)
        stated = np.full(len(rows), np.nan)
        if scores is not None and whole is not None and not improbable(scores[whole]):
            stated = np.where(whole, scores[:, 1], np.nan)
        decisions = Decisions(rows.predicted == 1, rows.truth == 1, rows.labelled, stated)
        columns = {each: names_of(named[each], cuts.get(each, ())) for each in self.fields}
        week = together(state.week, treatment_of(columns, decisions))
        return msgspec.structs.replace(state, cuts=cuts, week=week, reason="")

    def _kept(self, state: FairnessState, **others: Any) -> FairnessState:
        """After the end of a week."""
        return msgspec.structs.replace(
            state,
            week={},
            weeks=state.weeks + 1,
            last=state.week,
            course=(*state.course, apart_of(state.week))[-SHOWN:],
            **others,
        )

    def _finding(self, state: FairnessState, at: Micros) -> Finding:
        first = state.grown[0]
        return Finding(
            project=self.project,
            endpoint=self.endpoint,
            monitor=self.name,
            what=f"groups are treated less alike than they were: {first.what[:120]} lie {first.now} apart",
            evidence=tuple(Figure(each.what[:200], each.now, each.before) for each in state.grown[:20]),
            cause="one group's inputs have changed, or the model knows less of that group than of others",
            advice="compare the groups' labels and inputs; learn again with more rows of the group that is worse off",
            at=at,
            until=Micros(at + self.reads.lasting),
        )
