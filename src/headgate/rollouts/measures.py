"""What a guard finds in answers: figures of both versions, and evidence that one is worse, or is not by the margin.

Differences of losses on the same input, or of the arms' means block by block, are bounded, so one test serves them
all; where only rare events count, and where quantiles do, the sharper tests of `evidence` do it. A *scale* says how the
rows of one kind become a tally, and what is found is read off the tallies.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.evidence.allocation import AllocationTest, Bools
from headgate.evidence.betting import PAIRED_TIMIDEST, BettingTest
from headgate.evidence.blocks import Rest, block_differences
from headgate.rollouts.answers import FEATURE, Answers, Arms, Pairs
from headgate.rollouts.guards import Guard, Measure
from headgate.rollouts.losses import largest, losses
from headgate.rollouts.slowness import DividedTimes, PairedTimes
from headgate.rollouts.tally import Group, Groups, Mean, Tally

SMALLEST_GROUP: Final = 100
"""Rows a group needs before a guard looks at it."""
Rows = TypeVar("Rows", Pairs, Arms)
Rows_contra = TypeVar("Rows_contra", Pairs, Arms, contravariant=True)
_MORE_EVENTS: Final = AllocationTest.worse()


@dataclass(frozen=True, slots=True)
class Setting:
    """What of an endpoint its guards know beside the answers."""

    thresholds: tuple[float, ...] = ()
    """Quantiles of the live version's computing time before the rollout, in microseconds; empty while unknown."""
    classes: tuple[str, ...] = ()
    """Of the contract, as text."""
    since: int = 0
    """Event time from which on computing times are compared with `thresholds`: after the answers that gave them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a guard found in one source."""

    rows: int = 0
    """Inputs, blocks or events that spoke."""
    p_worse: float = 1.0
    """Anytime-valid p-value of "it is no worse"."""
    p_fine: float = 1.0
    """Anytime-valid p-value of "it is worse by the margin"."""
    live: float | None = None
    """The live version's figure: a mean loss, or a share."""
    candidate: float | None = None
    group: str = ""
    """Of several groups, the one that decides."""


NOTHING: Final = Found()
"""What a guard found that cannot measure yet."""


class Scale(Protocol[Rows_contra]):
    """How rows become a tally."""

    def start(self) -> Tally:
        """Of nothing."""
        ...

    def after(self, tally: Tally, rows: Rows_contra, /) -> Tally:
        """Of more rows, which come after those before in event time."""
        ...


@dataclass(frozen=True, slots=True)
class PairedLosses:
    """What each version lost on the same inputs."""

    guard: Guard
    classes: tuple[str, ...]

    def start(self) -> Tally:
        """Of nothing."""
        return Tally(_worse(self.guard).start(), (_no_worse(self.guard).start(),), Mean(), Mean())

    def after(self, tally: Tally, pairs: Pairs) -> Tally:
        """Of more inputs."""
        theirs, ours = self._known(pairs)
        fine = _no_worse(self.guard).update(tally.fine[0], ours - self.guard.margin.factor * theirs)
        worse = _worse(self.guard).update(tally.worse, ours - theirs)
        return Tally(worse, (fine,), tally.live.after(theirs), tally.candidate.after(ours), fine.updates)

    def differences(self, pairs: Pairs) -> Floats:
        """By how much more the candidate lost on each input that speaks."""
        theirs, ours = self._known(pairs)
        return ours - self.guard.margin.factor * theirs

    def _known(self, pairs: Pairs) -> tuple[Floats, Floats]:
        theirs, ours = (losses(self.guard, each, self.classes) for each in (pairs.live, pairs.candidate))
        known = ~np.isnan(theirs) & ~np.isnan(ours)
        return theirs[known], ours[known]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How often they differ; there is no figure of the live version to compare it with but the margin."""

    guard: Guard

    def start(self) -> Tally:
        """Of nothing."""
        return Tally(self._above().start(), (_no_worse(self.guard).start(),), Mean(), Mean())

    def after(self, tally: Tally, pairs: Pairs) -> Tally:
        """Of more inputs."""
        pairs = pairs.take(~pairs.live.failed)
        differ = ((pairs.live.predicted != pairs.candidate.predicted) | pairs.candidate.failed).astype(np.float64)
        fine = _no_worse(self.guard).update(tally.fine[0], differ)
        worse = self._above().update(tally.worse, differ)
        return Tally(worse, (fine,), tally.live, tally.candidate.after(differ), fine.updates)

    def _above(self) -> BettingTest:
        return BettingTest(0.0, 1.0, self.guard.margin.absolute, timidest=PAIRED_TIMIDEST)


@dataclass(frozen=True, slots=True)
class DividedLosses:
    """What each version lost on inputs that were divided between them."""

    guard: Guard
    classes: tuple[str, ...]

    def start(self) -> Tally:
        """Of nothing."""
        worse = _MORE_EVENTS if self.guard.metric is Measure.ERRORS else _worse(self.guard)
        return Tally(worse.start(), (_no_worse(self.guard).start(),), Mean(), Mean())

    def after(self, tally: Tally, arms: Arms) -> Tally:
        """Of more inputs."""
        lost = losses(self.guard, arms.answers, self.classes)
        inputs = tally.rest.followed_by(arms.candidate, arms.shares, lost)
        margin = self._differences(*inputs, factor=self.guard.margin.factor)
        fine = _no_worse(self.guard).update(tally.fine[0], margin)
        if self.guard.metric is Measure.ERRORS:
            # Given an event its arm says it all, and rare ones are found sooner than in blocks.
            worse = _MORE_EVENTS.update(tally.worse, arms.candidate[lost > 0], arms.shares[lost > 0])
        else:
            plain = margin if self.guard.margin.factor == 1.0 else self._differences(*inputs)
            worse = _worse(self.guard).update(tally.worse, plain)
        known = ~np.isnan(lost)
        theirs, ours = lost[~arms.candidate & known], lost[arms.candidate & known]
        figures = tally.live.after(theirs), tally.candidate.after(ours)
        return Tally(worse, (fine,), *figures, fine.updates, Rest.of(*inputs))

    def differences(self, arms: Arms) -> Floats:
        """By how much more the candidate lost in each block that speaks."""
        lost = losses(self.guard, arms.answers, self.classes)
        return self._differences(arms.candidate, arms.shares, lost, factor=self.guard.margin.factor)

    def _differences(self, candidate: Bools, shares: Floats, lost: Floats, *, factor: float = 1.0) -> Floats:
        """Of each block, between the bounds that losses have: a mean of equal ones may be a rounding beyond them."""
        top = largest(self.guard)
        found: Floats = np.clip(block_differences(candidate, shares, lost, factor=factor), -factor * top, top)
        return found


def paired(guard: Guard, setting: Setting) -> Scale[Pairs] | None:
    """How inputs that both versions were asked become a guard's tally; None while that cannot be said."""
    if guard.metric is Measure.LATENCY:
        return PairedTimes(guard, setting.thresholds) if setting.thresholds else None
    if guard.metric is Measure.AGREEMENT:
        return Disagreement(guard)
    return PairedLosses(guard, setting.classes)


def divided(guard: Guard, setting: Setting) -> Scale[Arms] | None:
    """How inputs that were divided between the versions by chance become a guard's tally."""
    if guard.metric is Measure.LATENCY:
        return DividedTimes(guard, setting.thresholds) if setting.thresholds else None
    return DividedLosses(guard, setting.classes)


def grown(scale: Scale[Rows] | None, groups: Groups, rows: Rows, by: str | None) -> Groups:
    """The tallies of a guard after more rows, asked `by` a field or of all together."""
    if scale is None or not len(rows):
        return groups
    more = dict(groups)
    for name, mine in _apart(rows, by):
        group = more.get(name) or Group(0, scale.start())
        more[name] = Group(group.count + len(mine), scale.after(group.tally, mine))
    return more


def found(guard: Guard, groups: Groups) -> Found:
    """What a guard's tallies come to; NOTHING where there are none it looks at."""
    if guard.by is None:
        return _read(groups[""].tally) if groups else NOTHING
    several = [
        (place, name, _read(each.tally))
        for place, (name, each) in enumerate(groups.items(), 1)
        if each.count >= SMALLEST_GROUP
    ]
    return _together(several) if several else NOTHING


def _read(tally: Tally) -> Found:
    p_fine = max(each.p_value for each in tally.fine)
    return Found(tally.rows, tally.worse.p_value, p_fine, tally.live.value, tally.candidate.value)


def _no_worse(guard: Guard) -> BettingTest:
    """Evidence that the mean of differences lies below the margin."""
    top = largest(guard)
    return BettingTest(-guard.margin.factor * top, top, guard.margin.absolute, "less", timidest=PAIRED_TIMIDEST)


def _worse(guard: Guard) -> BettingTest:
    """Evidence that the mean of differences lies above 0, or above what counts as harm."""
    top = largest(guard)
    return BettingTest(-top, top, guard.harm.absolute if guard.harm else 0.0, timidest=PAIRED_TIMIDEST)


def _apart(rows: Rows, by: str | None) -> Iterator[tuple[str, Rows]]:
    """The rows of each group, in the order in which groups appear."""
    if by is None:
        yield "", rows
        return
    values = _said_of(rows).more[FEATURE + by].astype(str)
    names, firsts = np.unique(values, return_index=True)
    for place in np.argsort(firsts).tolist():
        mask: NDArray[np.bool_] = values == names[place]
        yield str(names[place]), rows.take(mask)


def _said_of(rows: Pairs | Arms) -> Answers:
    return rows.live if isinstance(rows, Pairs) else rows.answers


def _together(groups: list[tuple[int, str, Found]]) -> Found:
    """One finding of all groups: worse in any of them is worse, and fine is fine in all.

    The n-th group to appear has 6 / (pi n)^2 of the error rate, so that their number need not be known before. Those
    that are too small to look at have theirs too: else a group's n, and what it has, would change as they grow.
    """
    weighed = [(min(1.0, each.p_worse * (math.pi * place) ** 2 / 6), name, each) for place, name, each in groups]
    p_worse, worst, theirs = min(weighed, key=lambda each: each[0])
    _, slowest, least = max(groups, key=lambda each: each[2].p_fine)
    name, shown = (worst, theirs) if p_worse < least.p_fine else (slowest, least)
    return Found(
        rows=sum(each.rows for _, _, each in groups),
        p_worse=p_worse,
        p_fine=least.p_fine,
        live=shown.live,
        candidate=shown.candidate,
        group=name,
    )
