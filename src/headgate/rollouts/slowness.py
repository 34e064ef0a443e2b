"""Whether a candidate computes longer: how often it exceeds the quantiles the live version had before the rollout."""

from typing import Final

import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.evidence.allocation import AllocationTest
from headgate.evidence.betting import PAIRED_TIMIDEST, BettingTest
from headgate.evidence.exceedance import LEVELS, ExceedanceTest, allowed
from headgate.evidence.mixture import Mixture
from headgate.rollouts.answers import Arms, Pairs
from headgate.rollouts.guards import Guard

NO_SLOWER: Final = 1.25
"""How many times as often a candidate may exceed a quantile and still count as no slower."""
PROVABLE: Final = 2
"""Of how many quantiles, from the middle on, this must be proved: those further out take too many requests to prove
anything but the worst."""
LEAST_US: Final = 1000.0
"""Microseconds by which a candidate may always be slower: a margin in per cent of a model that takes ten of them would
measure the processor's caches."""
Slowness = tuple[int, float, float, float | None, float | None]
"""Rows, both p-values as in ``measures.Found``, and the medians of the live version and the candidate."""


def slower_of_arms(guard: Guard, arms: Arms, thresholds: tuple[float, ...]) -> Slowness:
    """What inputs that were divided between the versions say."""
    timed = ~np.isnan(arms.answers.compute_us) & ~arms.answers.failed & (arms.shares > 0) & (arms.shares < 1)
    values, ours, shares = arms.answers.compute_us[timed], arms.candidate[timed], arms.shares[timed]
    slack = guard.margin.factor - 1.0
    worse = ExceedanceTest(AllocationTest.worse(), thresholds, slack, LEAST_US)
    p_fine = []
    for each in thresholds[:PROVABLE]:
        test = ExceedanceTest(AllocationTest.better(NO_SLOWER), (each,), slack, LEAST_US)
        p_fine.append(test.update(test.start(), values, ours, shares).p_value)
    p_worse = worse.update(worse.start(), values, ours, shares).p_value
    return len(values), p_worse, max(p_fine), _median(values[~ours]), _median(values[ours])


def slower_of_pairs(guard: Guard, pairs: Pairs, thresholds: tuple[float, ...]) -> Slowness:
    """What inputs that both versions were asked say."""
    timed = ~np.isnan(pairs.live.compute_us) & ~np.isnan(pairs.candidate.compute_us) & ~pairs.candidate.failed
    theirs, ours = pairs.live.compute_us[timed], pairs.candidate.compute_us[timed]
    ours_allowed = allowed(thresholds, guard.margin.factor - 1.0, LEAST_US).tolist()
    more_often = [_exceeds(theirs, ours, *each) for each in zip(thresholds, ours_allowed, strict=True)]
    p_fine = []
    for level, each in list(zip(LEVELS, more_often, strict=True))[:PROVABLE]:
        test = BettingTest(-1.0, 1.0, (NO_SLOWER - 1.0) * (1.0 - level), "less", timidest=PAIRED_TIMIDEST)
        p_fine.append(test.update(test.start(), each).p_value)
    return len(theirs), _mean_of(more_often).p_value, max(p_fine), _median(theirs), _median(ours)


def _exceeds(theirs: Floats, ours: Floats, threshold: float, ours_allowed: float) -> Floats:
    """Of each input, whether the candidate alone exceeds the threshold (1), or the live version alone (-1)."""
    found: Floats = (ours > ours_allowed).astype(np.float64) - (theirs > threshold)
    return found


def _mean_of(more_often: list[Floats]) -> Mixture:
    """The mean of the evidence of all thresholds: their bets are the bets of one mixture."""
    test = BettingTest(-1.0, 1.0, 0.0, timidest=PAIRED_TIMIDEST)
    state = Mixture.of(len(more_often) * test.bets)
    return state.fed(lambda *values: np.hstack([test.gains(each) for each in values]), *more_often)


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if len(values) else None
