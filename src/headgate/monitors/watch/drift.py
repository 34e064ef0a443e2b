"""Whether what comes in, or what the model makes of it, is still what the reference was; no label is needed.

An `InputDrift` or a `ScoreDrift` looks at each row as its hour is over. Each field has an alarm of its own; what people
are told is one finding that names the fields.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headgate.alerts.finding import Figure, Finding, key_of
from headgate.journal.tables import FEATURES
from headgate.monitors.alarms.alarms import Measurement
from headgate.monitors.alarms.drift import InputDrift, ScoreDrift
from headgate.monitors.alarms.scores import ScoresState
from headgate.monitors.columns import Ints
from headgate.monitors.standing import Standing
from headgate.monitors.watch.episode import Episode
from headgate.monitors.watch.monitor import Over, Portion, Reads, Says, Told, certainty, mark_of
from headgate.vocabulary import Micros, readable

NAMED: Final = 20
"""Fields that a finding names; the others are counted."""
Seen = Callable[[Portion], tuple[Ints, Any]]
"""The moments of the rows that are looked at, and what of them is."""


class Member(msgspec.Struct, frozen=True):
    """One field, or one output."""

    standing: Standing = Standing.UNDECIDED
    reason: str = ""
    last: Micros | None = None
    """When it last alarmed."""
    warnings: tuple[str, ...] = ()


@readable
class DriftState(msgspec.Struct, frozen=True):
    """What is remembered."""

    scores: ScoresState
    members: dict[str, Member] = {}
    episode: Episode = Episode()


@dataclass(frozen=True, slots=True)
class Drift:
    """Compares rows with a reference, field by field."""

    project: str
    endpoint: str
    machine: InputDrift | ScoreDrift
    seen: Seen
    subject: str
    """What the members are, such as ``fields``."""
    kind: type[DriftState] = DriftState
    reads: Reads = Reads.ANSWERS
    daily: bool = False

    @property
    def name(self) -> str:
        """The machine's, by which it has its part of the budget."""
        return self.machine.scores.name

    @property
    def mark(self) -> str:
        """Of the reference and the terms."""
        return mark_of(self.machine)

    def start(self, began: Micros) -> DriftState:
        """Nothing speaks for a change."""
        return DriftState(self.machine.start(began))

    def take(self, state: DriftState, portion: Portion) -> tuple[DriftState, tuple[Told, ...]]:
        """After one more hour."""
        at, values = self.seen(portion)
        scores, found = (state.scores, ()) if not len(at) else self.machine.observe(state.scores, at, values)
        members = state.members | {each.member: _member(state.members.get(each.member), each) for each in found}
        alarms = sorted(moment for each in found for moment in each.alarms)
        episode = state.episode.after(alarms, portion.ripe, self.reads.quiet)
        after = DriftState(scores, members, episode)
        if alarms:
            return after, (self._finding(after, alarms[0]),)
        if state.episode.stands and not episode.stands:
            return after, (Over(key_of(self.project, self.endpoint, self.name), portion.ripe),)
        return after, ()

    def says(self, state: DriftState) -> Says:
        """How the fields stand beside the reference."""
        watched = [each for each in state.members.values() if each.standing is Standing.STEADY]
        troubled = [Figure(name, each.reason) for name, each in state.members.items() if each.reason]
        if state.episode.stands:
            found = self._finding(state, state.episode.last)
            return Says(
                standing=Standing.ALARM,
                what=found.what,
                since=state.episode.since,
                figures=found.evidence,
                advice=found.advice,
                certainty=self._certainty(state),
                findings=(found,),
            )
        if not state.members:
            return Says(standing=Standing.UNDECIDED, what="there were no rows yet whose features are kept")
        if not watched:
            first = next(iter(state.members.values()))
            return Says(standing=first.standing, what=first.reason, figures=tuple(troubled[:NAMED]))
        what = f"nothing says that any of {len(watched)} {self.subject} is not what the reference was"
        figures = tuple(troubled[:NAMED])
        return Says(standing=Standing.STEADY, what=what, figures=figures, certainty=self._certainty(state))

    def _finding(self, state: DriftState, at: Micros) -> Finding:
        since = state.episode.since or at
        moved = [name for name, each in state.members.items() if each.last is not None and each.last >= since]
        names = moved[:NAMED]
        others = (Figure("others", f"{len(moved) - NAMED} more"),) if len(moved) > NAMED else ()
        listed = ", ".join(each[:40] for each in names[:5]) + (" and others" if len(names) > 5 else "")
        return Finding(
            project=self.project,
            endpoint=self.endpoint,
            monitor=self.name,
            what=f"{len(moved)} of {len(state.members)} {self.subject} are not what the reference was: {listed}",
            evidence=(*(Figure(name[:200], "has moved") for name in names), *others),
            cause="the world has changed, a field upstream has, or others ask than did",
            advice="see whether `performance` and `risk` suffer: if so learn again on newer rows, or mend the field",
            at=at,
            until=Micros(at + self.reads.lasting),
        )

    def _certainty(self, state: DriftState) -> str:
        warnings = dict.fromkeys(warning for each in state.members.values() for warning in each.warnings)
        return "; but ".join([certainty(self.machine.scores.terms), *warnings])


def features_of(portion: Portion) -> tuple[Ints, pa.Table]:
    """The rows whose features were kept, as a column a field."""
    features = portion.table[FEATURES]
    kept = pc.is_valid(features)
    struct = features.filter(kept)
    names = [each.name for each in struct.type]
    rows = pa.table({name: pc.struct_field(struct, name) for name in names})
    return portion.rows.at[kept.to_numpy().astype(bool)], rows


def _member(before: Member | None, found: Measurement) -> Member:
    last = found.alarms[-1] if found.alarms else None if before is None else before.last
    # That there was an alarm is what the episode says.
    standing = Standing.STEADY if found.alarms else found.standing
    return Member(standing, found.reason, last, found.warnings)
