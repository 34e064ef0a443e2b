"""Whether the inputs of a day are whole: holes, broken rules, fields that stand still, copies, silence.

A share of the day's inputs is held against what is usual of it (`shares`): it is an alarm where it is surely beyond
that by more than a point, or by more than half of it where that is more. How surely is what `daily.probability` gives,
shared by everything that is looked at. Refused inputs are counted by rule and field and alarm nobody here: `refusals`
does.
"""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from headgate.alerts.finding import Figure, Finding, key_of
from headgate.contracts.contract import Contract
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.standing import Standing
from headgate.monitors.watch.aspects import share
from headgate.monitors.watch.daily import probability
from headgate.monitors.watch.episode import Episode
from headgate.monitors.watch.expected_fields import Usual, usual_of
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.looks import LEAST, Trouble, count_of, shares_of, troubles_of
from headgate.monitors.watch.monitor import Over, Portion, Reads, Says, Told, certainty, mark_of
from headgate.monitors.watch.shares import BORNE, DAYS
from headgate.monitors.watch.silence import Silence
from headgate.monitors.watch.today import Today
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DAY, Micros, readable

QUALITY: Final = "quality"
USUAL: Final = 7
"""Days that say how many copies are usual, at most; those with too many are none of them."""
KNOWN: Final = 3
"""Days before any number of copies is too many."""
NAMED: Final = 20
"""Lines that a finding has."""


@readable
class QualityState(msgspec.Struct, frozen=True):
    """What is remembered."""

    today: Today = Today()
    last: Today = Today()
    """The last day that was over and had inputs."""
    shares: dict[str, tuple[float, ...]] = {}
    """Of the last days, by what is looked at, oldest first."""
    copied: tuple[float, ...] = ()
    """Share of copies on the last days with as many as usual, oldest first."""
    silence: Silence = Silence()
    tests: int = 0
    episode: Episode = Episode()
    troubles: tuple[Trouble, ...] = ()
    """Of the last day that had any."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts the inputs of an endpoint hour by hour and judges them day by day."""

    project: str
    endpoint: str
    usual: tuple[Usual, ...]
    rows: int | None
    """Of the reference that says what is usual; None where the contract alone does."""
    terms: Terms
    name: str = QUALITY
    reads: Reads = Reads.ANSWERS
    daily: bool = True
    kind: type[QualityState] = QualityState

    @classmethod
    def of(cls, spec: EndpointSpec, contract: Contract, terms: Terms, known: Known | None) -> "Quality":
        """What inputs under `contract` are held against, as far as the file of `spec` keeps them in the journal."""
        rows = None if known is None else known.features.num_rows or None
        hidden, kept = spec.capture.redact, spec.capture.fields
        names = [each for each in contract.names if each not in hidden and (kept is None or each in kept)]
        return cls(spec.project, spec.endpoint, usual_of(contract, known, names), rows, terms)

    @property
    def mark(self) -> str:
        """Of what is usual, and the terms."""
        return mark_of(self.name, self.usual, self.rows, self.terms)

    def start(self, began: Micros) -> QualityState:
        """Nothing came yet."""
        return QualityState()

    def take(self, state: QualityState, portion: Portion) -> tuple[QualityState, tuple[Told, ...]]:
        """After one more hour; the last one of a day has the day judged."""
        today = state.today.after(portion, [each.name for each in self.usual])
        if portion.end % DAY:
            return msgspec.structs.replace(state, today=today), ()
        tests = state.tests + 1
        # Beside what is looked at of fields: copies, and silence.
        chance = probability(self.terms, self.name, tests) / (count_of(self.usual) + 2)
        silence = state.silence.after(today.hours)
        copied = self._copied(state, today, chance)
        fields = troubles_of(self.usual, today, state.shares, self.rows, chance)
        troubles = (*fields, *copied, *_silent(silence, chance))[:NAMED]
        usual = state.copied
        if today.kept >= LEAST and not copied:
            usual = (*usual, today.copies / today.kept)[-USUAL:]
        episode = state.episode.after((portion.ripe,) if troubles else (), portion.ripe, self.reads.quiet)
        last, found = today if today.inputs else state.last, troubles or state.troubles
        after = QualityState(Today(), last, self._seen(state, today), usual, silence, tests, episode, found)
        if troubles:
            return after, (self._finding(after, portion.ripe),)
        if state.episode.stands and not episode.stands:
            return after, (Over(key_of(self.project, self.endpoint, self.name), portion.ripe),)
        return after, ()

    def says(self, state: QualityState) -> Says:
        """How the last day with inputs was."""
        figures = tuple(self._figures(state))
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
        if not state.last.inputs:
            return Says(standing=Standing.UNDECIDED, what="no day is over on which anything came")
        if state.last.kept < LEAST:
            few = f"features of {state.last.kept:,} inputs of the last day were kept; {LEAST} are needed to judge them"
            return Says(standing=Standing.UNDECIDED, what=few, figures=figures)
        what = f"nothing says that any of {len(self.usual)} fields has other holes, values or rules broken than usual"
        return Says(standing=Standing.STEADY, what=what, figures=figures, certainty=certainty(self.terms))

    def _seen(self, state: QualityState, today: Today) -> dict[str, tuple[float, ...]]:
        """The shares of the last days, with those of this one."""
        if today.kept < LEAST:
            return state.shares
        now = shares_of(self.usual, today)
        return {key: (*state.shares.get(key, ()), value)[-DAYS:] for key, value in now}

    def _copied(self, state: QualityState, today: Today, chance: float) -> tuple[Trouble, ...]:
        """By Hoeffding's inequality, with twice the usual share and a point borne."""
        if today.kept < LEAST or len(state.copied) < KNOWN:
            return ()
        usual = statistics.median(state.copied)
        reach = math.sqrt(math.log(1.0 / chance) / (2 * today.kept))
        if today.copies / today.kept <= 2 * usual + BORNE + reach:
            return ()
        what = "inputs like one of the same hour"
        return (Trouble(what, share(today.copies, today.kept), f"{usual * 100:.3g} % usually"),)

    def _figures(self, state: QualityState) -> Iterator[Figure]:
        day = state.last
        if not day.inputs:
            return
        yield Figure("inputs of the last day", f"{day.inputs:,}", f"features of {day.kept:,} were kept")
        flagged = {name: each.count for name, each in day.flagged.items()}
        for what, counts, rows in (("refused", day.refused, day.inputs), ("flagged", flagged, day.checked)):
            for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:5]:
                rule, _, field = name.partition(":")
                yield Figure(f"{what}: {rule} of {field}"[:200], share(count, rows))
        holes = sorted(day.columns.items(), key=lambda each: (-each[1].missing.count, each[0]))
        usual = {each.name: each.missing for each in self.usual}
        for name, column in holes[:3]:
            if column.missing.count:
                limit = f"{usual.get(name, 0.0) * 100:.3g} % usually"
                yield Figure(f"{name[:150]} without a value", share(column.missing.count, day.kept), limit)
        if day.kept:
            yield Figure("like one of the same hour", share(day.copies, day.kept))

    def _finding(self, state: QualityState, at: Micros) -> Finding:
        first, more = state.troubles[0], len(state.troubles) - 1
        others = f", and {more} other things" if more > 1 else ", and another thing" if more else ""
        return Finding(
            project=self.project,
            endpoint=self.endpoint,
            monitor=self.name,
            what=f"inputs are not whole: {first.what[:150]} ({first.value}){others}",
            evidence=tuple(Figure(each.what[:200], each.value, each.limit) for each in state.troubles),
            cause="a caller or a source upstream has changed what it sends, or has stopped",
            advice="mend what sends the field, or widen the contract; what was answered meanwhile rests on such inputs",
            at=at,
            until=Micros(at + self.reads.lasting),
        )


def _silent(silence: Silence, chance: float) -> tuple[Trouble, ...]:
    if not silence.too_long(chance):
        return ()
    return (Trouble("nothing comes", f"for {silence.run:,} hours", f"{silence.longest:,} hours at most before"),)
