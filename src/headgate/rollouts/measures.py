"""What a guard finds in answers: figures of both versions, and evidence that one is worse, or is not by the margin.

Differences of losses on the same input, or of the arms' means block by block, are bounded, so one test serves them
all; where only rare events count, and where quantiles do, the sharper tests of `evidence` do it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.evidence.allocation import AllocationTest
from headgate.evidence.betting import PAIRED_TIMIDEST, BettingTest
from headgate.evidence.blocks import block_differences, block_size, runs_of
from headgate.rollouts.answers import FEATURE, Answers, Arms, Pairs
from headgate.rollouts.guards import Guard, Measure
from headgate.rollouts.losses import largest, losses
from headgate.rollouts.slowness import slower_of_arms, slower_of_pairs

SMALLEST_GROUP: Final = 100
"""Rows a group needs before a guard looks at it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What of an endpoint its guards know beside the answers."""

    thresholds: tuple[float, ...] = ()
    """Quantiles of the live version's computing time before the rollout, in microseconds; empty while unknown."""
    classes: tuple[str, ...] = ()
    """Of the contract, as text."""


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
    differences: Floats | None = None
    """What the second p-value is of: each lies within the largest loss times 1 and minus the margin's factor."""
    group: str = ""
    """Of several groups, the one that decides."""


NOTHING: Final = Found()
"""What a guard found that cannot measure yet."""


def paired(guard: Guard, pairs: Pairs, setting: Setting) -> Found:
    """What a guard finds in inputs that both versions were asked."""
    if guard.by is None:
        return _paired(guard, pairs, setting)
    groups = _groups(pairs.live, guard.by)
    return _together([(name, _paired(guard, pairs.take(mask), setting)) for name, mask in groups])


def divided(guard: Guard, arms: Arms, setting: Setting) -> Found:
    """What a guard finds in inputs that were divided between the versions by chance."""
    if guard.by is None:
        return _divided(guard, arms, setting)
    groups = _groups(arms.answers, guard.by)
    return _together([(name, _divided(guard, arms.take(mask), setting)) for name, mask in groups])


def _paired(guard: Guard, pairs: Pairs, setting: Setting) -> Found:
    if guard.metric is Measure.LATENCY:
        return Found(*slower_of_pairs(guard, pairs, setting.thresholds)) if setting.thresholds else NOTHING
    if guard.metric is Measure.AGREEMENT:
        return _disagreement(guard, pairs.take(~pairs.live.failed))
    theirs, ours = (losses(guard, each, setting.classes) for each in (pairs.live, pairs.candidate))
    known = ~np.isnan(theirs) & ~np.isnan(ours)
    theirs, ours = theirs[known], ours[known]
    found = _no_worse(guard, ours - guard.margin.factor * theirs)
    return replace(found, p_worse=_worse(guard, ours - theirs), live=_mean(theirs), candidate=_mean(ours))


def _divided(guard: Guard, arms: Arms, setting: Setting) -> Found:
    if guard.metric is Measure.LATENCY:
        return Found(*slower_of_arms(guard, arms, setting.thresholds)) if setting.thresholds else NOTHING
    lost = losses(guard, arms.answers, setting.classes)
    factor = guard.margin.factor
    blocks = _blocks(arms, np.where(arms.candidate, lost, factor * lost))
    theirs, ours = (_mean(lost[mask & ~np.isnan(lost)]) for mask in (~arms.candidate, arms.candidate))
    if guard.metric is Measure.ERRORS:
        worse = _more_events(arms, lost > 0)
    else:
        worse = _worse(guard, blocks if factor == 1.0 else _blocks(arms, lost))
    return replace(_no_worse(guard, blocks), p_worse=worse, live=theirs, candidate=ours)


def _disagreement(guard: Guard, pairs: Pairs) -> Found:
    """How often they differ; there is no figure of the live version to compare it with but the margin."""
    differ = ((pairs.live.predicted != pairs.candidate.predicted) | pairs.candidate.failed).astype(np.float64)
    above = BettingTest(0.0, 1.0, guard.margin.absolute, timidest=PAIRED_TIMIDEST)
    found = _no_worse(guard, differ)
    return replace(found, p_worse=above.update(above.start(), differ).p_value, candidate=_mean(differ))


def _no_worse(guard: Guard, values: Floats) -> Found:
    """Evidence that the mean of `values` lies below the margin."""
    top = largest(guard)
    test = BettingTest(-guard.margin.factor * top, top, guard.margin.absolute, "less", timidest=PAIRED_TIMIDEST)
    return Found(rows=len(values), p_fine=test.update(test.start(), values).p_value, differences=values)


def _worse(guard: Guard, values: Floats) -> float:
    """Evidence that the mean of `values` lies above 0."""
    top = largest(guard)
    test = BettingTest(-top, top, 0.0, timidest=PAIRED_TIMIDEST)
    return test.update(test.start(), values).p_value


def _more_events(arms: Arms, events: NDArray[np.bool_]) -> float:
    """Evidence of more events: given one, its arm says it all, and rare ones are found sooner than in blocks."""
    test = AllocationTest.worse()
    return test.update(test.start(), arms.candidate[events], arms.shares[events]).p_value


def _blocks(arms: Arms, values: Floats) -> Floats:
    """The arms' differences, in blocks that are as large as the smaller arm's share makes necessary."""
    found = []
    for run in runs_of(arms.shares):
        share = float(arms.shares[run.start])
        if 0 < share < 1:
            found.append(block_differences(arms.candidate[run], arms.shares[run], values[run], block_size(share)))
    return np.concatenate(found) if found else np.empty(0)


def _groups(answers: Answers, by: str) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """The groups that are large enough, in the order in which they appear, and their rows."""
    values = answers.more[FEATURE + by].astype(str)
    found, firsts, counts = np.unique(values, return_index=True, return_counts=True)
    for place in np.argsort(firsts).tolist():
        if counts[place] >= SMALLEST_GROUP:
            yield str(found[place]), values == found[place]


def _together(groups: list[tuple[str, Found]]) -> Found:
    """One finding of all groups: worse in any of them is worse, and fine is fine in all.

    The n-th group to appear has 6 / (pi n)^2 of the error rate, so that their number need not be known before.
    """
    if not groups:
        return NOTHING
    weighed = [(min(1.0, each.p_worse * (math.pi * place) ** 2 / 6), name, each)
               for place, (name, each) in enumerate(groups, 1)]  # fmt: skip
    p_worse, worst, _ = min(weighed, key=lambda each: each[0])
    slowest, least = max(groups, key=lambda each: each[1].p_fine)
    return Found(
        rows=sum(each.rows for _, each in groups),
        p_worse=p_worse,
        p_fine=least.p_fine,
        live=least.live,
        candidate=least.candidate,
        group=worst if p_worse < least.p_fine else slowest,
    )


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
