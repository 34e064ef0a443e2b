"""Whether a candidate computes longer: how often it exceeds the quantiles the live version had before the rollout."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.evidence.allocation import AllocationTest
from headgate.evidence.betting import PAIRED_TIMIDEST, BettingTest
from headgate.evidence.exceedance import LEVELS, ExceedanceTest, allowed
from headgate.evidence.mixture import Mixture
from headgate.rollouts.answers import Arms, Pairs
from headgate.rollouts.guards import Guard
from headgate.rollouts.tally import Median, Tally

NO_SLOWER: Final = 1.25
"""How many times as often a candidate may exceed a quantile and still count as no slower."""
PROVABLE: Final = 2
"""Of how many quantiles, from the middle on, this must be proved: those further out take too many requests to prove
anything but the worst."""
LEAST_US: Final = 1000.0
"""Microseconds by which a candidate may always be slower: a margin in per cent of a model that takes ten of them would
measure the processor's caches."""
_MORE_OFTEN: Final = BettingTest(-1.0, 1.0, 0.0, timidest=PAIRED_TIMIDEST)


@dataclass(frozen=True, slots=True)
class DividedTimes:
    """How long each version computed, of inputs that were divided between them."""

    guard: Guard
    thresholds: tuple[float, ...]
    """Quantiles of the live version's computing time, in microseconds."""

    def start(self) -> Tally:
        """Of nothing."""
        fine = tuple(each.start() for each in self._no_slower())
        return Tally(self._slower().start(), fine, Median(), Median())

    def after(self, tally: Tally, arms: Arms) -> Tally:
        """Of more inputs."""
        timed = ~np.isnan(arms.answers.compute_us) & ~arms.answers.failed & (arms.shares > 0) & (arms.shares < 1)
        values, ours, shares = arms.answers.compute_us[timed], arms.candidate[timed], arms.shares[timed]
        tests = zip(self._no_slower(), tally.fine, strict=True)
        return Tally(
            worse=self._slower().update(tally.worse, values, ours, shares),
            fine=tuple(test.update(state, values, ours, shares) for test, state in tests),
            live=tally.live.after(values[~ours]),
            candidate=tally.candidate.after(values[ours]),
            rows=tally.rows + len(values),
        )

    def _slower(self) -> ExceedanceTest:
        slack = self.guard.margin.factor - 1.0
        return ExceedanceTest(AllocationTest.worse(), self.thresholds, slack, LEAST_US)

    def _no_slower(self) -> list[ExceedanceTest]:
        slack, test = self.guard.margin.factor - 1.0, AllocationTest.better(NO_SLOWER)
        return [ExceedanceTest(test, (each,), slack, LEAST_US) for each in self.thresholds[:PROVABLE]]


@dataclass(frozen=True, slots=True)
class PairedTimes:
    """How long each version computed on the same inputs."""

    guard: Guard
    thresholds: tuple[float, ...]
    """Quantiles of the live version's computing time, in microseconds."""

    def start(self) -> Tally:
        """Of nothing."""
        worse = Mixture.of(len(self.thresholds) * _MORE_OFTEN.bets)
        return Tally(worse, tuple(each.start() for each in self._no_slower()), Median(), Median())

    def after(self, tally: Tally, pairs: Pairs) -> Tally:
        """Of more inputs."""
        timed = ~np.isnan(pairs.live.compute_us) & ~np.isnan(pairs.candidate.compute_us) & ~pairs.candidate.failed
        theirs, ours = pairs.live.compute_us[timed], pairs.candidate.compute_us[timed]
        ours_allowed = allowed(self.thresholds, self.guard.margin.factor - 1.0, LEAST_US).tolist()
        more_often = [_exceeds(theirs, ours, *each) for each in zip(self.thresholds, ours_allowed, strict=True)]
        tests = zip(self._no_slower(), tally.fine, more_often[:PROVABLE], strict=True)
        return Tally(
            worse=tally.worse.fed(_gains_of_each, *more_often),
            fine=tuple(test.update(state, each) for test, state, each in tests),
            live=tally.live.after(theirs),
            candidate=tally.candidate.after(ours),
            rows=tally.rows + len(theirs),
        )

    def _no_slower(self) -> list[BettingTest]:
        margins = [(NO_SLOWER - 1.0) * (1.0 - level) for level in LEVELS[:PROVABLE]]
        return [BettingTest(-1.0, 1.0, each, "less", timidest=PAIRED_TIMIDEST) for each in margins]


def _exceeds(theirs: Floats, ours: Floats, threshold: float, ours_allowed: float) -> Floats:
    """Of each input, whether the candidate alone exceeds the threshold (1), or the live version alone (-1)."""
    found: Floats = (ours > ours_allowed).astype(np.float64) - (theirs > threshold)
    return found


def _gains_of_each(*more_often: Floats) -> Floats:
    """The gains of all thresholds side by side: their bets are the bets of one mixture."""
    return np.hstack([_MORE_OFTEN.gains(each) for each in more_often])
