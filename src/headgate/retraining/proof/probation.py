"""After a promotion: the old version goes on as a shadow, and its answers may still take the new one back.

Both answer the same inputs; as labels come, what the new version loses more is evidence that may be looked at at every
moment. It is weighed anew from all rows at each look, so that a label that comes late or is corrected counts as if it
had been there, and whoever was killed between two looks says the same. Evidence that grows after the probation has
ended reopens the question: its error rate holds over all time.

That holds for rows that know nothing of each other. Those of one day share weather and offers, so a day that suited the
old version is no proof: the days must say the same, as far as days can.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from headgate.errors import BadInput
from headgate.evaluation.batches import over_spans
from headgate.evaluation.estimate import Floats
from headgate.evidence.betting import paired
from headgate.evidence.confidence import mean_interval
from headgate.evidence.mixture import check_alpha
from headgate.retraining.run import Run
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import RetrainingWords
from headgate.vocabulary import DAY, SECOND, Micros, readable

SPANS: Final = 7
"""Of a probation at least, so many are compared with each other; none is longer than a day."""


class Probated(StrEnum):
    """What the probation says of the new version."""

    KEEP = "keep"
    """It is over, and nothing was proved against the new version."""
    TAKE_BACK = "take_back"
    """The new version is proved to lose more than the old one."""
    UNDECIDED = "undecided"
    """It goes on; or it is over and no label came."""


@readable
class Probation(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of one probation, fixed at the promotion."""

    new: str
    old: str
    since: Micros
    until: Micros
    maturity_s: float = 0.0
    """How long labels take: after `until` it is waited for so long."""
    margin: float = 0.0
    """How much more the new version may lose, as a share of the most a row may: 0 asks whether it is worse at all."""
    alpha: float = 0.01
    """How often a version that loses no more is taken back all the same, whenever anybody looks."""

    def __post_init__(self) -> None:
        check_alpha(self.alpha)
        if not 0.0 <= self.margin < 1.0:
            raise BadInput("margin", "range", "must be a share from 0 up to, but not including, 1")
        if self.until < self.since:
            raise BadInput("until", "range", "must not lie before the promotion")

    @property
    def due(self) -> Micros:
        """When it is over and its labels are due."""
        return Micros(self.until + round(self.maturity_s * 1_000_000))

    @property
    def span(self) -> int:
        """Microseconds whose rows count as one when it is asked whether days say the same."""
        return min(DAY, max(1, (self.until - self.since) // SPANS))

    def next_look(self, before: Micros) -> Micros:
        """When it says something new to whoever looked before: a `span` later, and once all of its labels are due.

        What it says is about days, and to say it the rows of all of them are read.
        """
        later = Micros(before + self.span)
        return min(later, self.due) if before < self.due else later


def probation_of(run: Run, spec: EndpointSpec) -> Probation:
    """The probation of the version a run promoted, as its endpoint wants it.

    Raises BadInput where nothing was promoted.
    """
    if run.promoted is None:
        raise BadInput("run", "missing", f"run {run.id} has promoted nothing")
    return Probation(
        new=run.challenger,
        old=run.champion,
        since=run.promoted,
        until=Micros(run.promoted + (spec.retraining or RetrainingWords()).probation_s * SECOND),
        maturity_s=spec.label_maturity_s,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Shadowed:
    """Inputs that both versions answered and whose label is known, in any order."""

    ids: Sequence[str]
    at: NDArray[np.int64]
    """When they were asked, in microseconds."""
    told: NDArray[np.int64]
    """When their label was received, in microseconds."""
    new: Floats
    """What the new version lost, as `losses.each_row` says: a share from 0 to 1."""
    old: Floats
    """The same of the old one."""


@readable
class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How the new version stands."""

    verdict: Probated
    why: str
    pairs: int
    """Inputs that both answered and whose label is known."""
    new: float | None = None
    """Mean loss of the new version, as a share of the most a row may lose."""
    old: float | None = None
    low: float | None = None
    """From where to where the difference of the two lies, at every look at once."""
    high: float | None = None
    p_worse: float = 1.0
    """Anytime-valid p-value of "it loses no more"."""
    reopened: bool = False
    """Whether it is labels that came after the end that take it back."""


def weigh(probation: Probation, shadowed: Shadowed, now: Micros) -> Trial:
    """What all labels known by `now` say about the new version.

    A one-sided test of paired differences by betting (see ``evidence.betting``), in the order in which labels came; an
    input counts once, however often it was answered or labelled. Rows outside the probation count for nothing. What
    that test finds takes the version back once a t test over days (see ``evaluation.batches.over_spans``) finds it too.

    >>> count = 400
    >>> moments, random = np.arange(count), np.random.default_rng(5)
    >>> old = random.random(count) * 0.4
    >>> rows = Shadowed([str(each) for each in range(count)], moments, moments, old + 0.3, old)
    >>> terms = Probation(new="m:2", old="m:1", since=Micros(0), until=Micros(1000))
    >>> weigh(terms, rows, Micros(500)).verdict.value
    'take_back'
    """
    apart, at, late = _in_order(probation, shadowed, now)
    differences: Floats = apart[:, 0] - apart[:, 1]
    test = paired(probation.margin)
    state = test.update(test.start(), differences)
    if state.rejects(probation.alpha) and _day_by_day(probation, differences, at):
        before = test.update(test.start(), differences[~late])
        known = before.rejects(probation.alpha) and _day_by_day(probation, differences[~late], at[~late])
        return _trial(probation, apart, state.p_value, reopened=not known)
    return _trial(probation, apart, state.p_value, now=now)


def _day_by_day(probation: Probation, differences: Floats, at: NDArray[np.int64]) -> bool:
    """Whether the new version loses more by what days say, each of them one number."""
    mean, error, freedom = over_spans(differences, at - probation.since, probation.span)
    if not freedom:
        return False
    return mean - float(stdtrit(freedom, 1 - probation.alpha)) * error > probation.margin


def _in_order(
    probation: Probation, shadowed: Shadowed, now: Micros
) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
    """Losses of new and old by the moment their label came, each input once; when it was asked; who came late."""
    if not len(shadowed.ids) == len(shadowed.at) == len(shadowed.told) == len(shadowed.new) == len(shadowed.old):
        raise BadInput("shadowed", "shape", "ids, moments and losses must be one per input")
    found = np.column_stack((shadowed.new, shadowed.old)).reshape(-1, 2)
    inside = (shadowed.at >= probation.since) & (shadowed.at < probation.until) & (shadowed.told <= now)
    inside &= np.isfinite(found).all(axis=1)
    ids = np.asarray(shadowed.ids, dtype=object)
    # By id last: two labels of one moment must come in the same order at every look.
    order = np.lexsort((ids.astype(str), shadowed.told)) if len(ids) else np.zeros(0, np.intp)
    order = order[inside[order]]
    _, first = np.unique(ids[order].astype(str), return_index=True)
    order = order[np.sort(first)]
    return found[order], shadowed.at[order], shadowed.told[order] > probation.due


def _trial(
    probation: Probation, apart: Floats, p_value: float, *, now: Micros | None = None, reopened: bool = False
) -> Trial:
    """The verdict in words; without `now` the evidence has spoken."""
    pairs = len(apart)
    verdict, why = _verdict(probation, pairs, now, reopened)
    if not pairs:
        return Trial(verdict=verdict, why=why, pairs=0)
    new, old = apart.mean(axis=0).tolist()
    interval = mean_interval(apart[:, 0] - apart[:, 1], low=-1.0, high=1.0, alpha=2 * probation.alpha)
    return Trial(
        verdict=verdict, why=why, pairs=pairs, new=new, old=old, low=interval.low, high=interval.high,
        p_worse=p_value, reopened=reopened,
    )  # fmt: skip


def _verdict(probation: Probation, pairs: int, now: Micros | None, reopened: bool) -> tuple[Probated, str]:
    new, old = probation.new, probation.old
    if now is None:
        late = ", by labels that came after the probation" if reopened else ""
        return Probated.TAKE_BACK, f"{new} is proved to lose more than {old} on {pairs:,} inputs both answered{late}"
    if now < probation.due:
        return Probated.UNDECIDED, f"the probation goes on; nothing is proved against {new} on {pairs:,} inputs"
    if not pairs:
        return Probated.UNDECIDED, f"the probation is over and no label came of inputs that {new} and {old} answered"
    return Probated.KEEP, f"the probation is over and nothing is proved against {new} on {pairs:,} inputs"
