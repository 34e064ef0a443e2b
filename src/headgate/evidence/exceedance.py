"""Evidence about quantiles, above all of latency: how often answers are slower than the live version used to be.

The thresholds are the live version's own quantiles, frozen before a rollout begins. What exceeds one is an event, so
a load that both arms share through the day cancels out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evidence.allocation import AllocationTest, Bools
from headgate.evidence.mixture import Floats, Mixture

LEVELS: Final = (0.5, 0.95, 0.99)
"""The middle, and two tails: a slow-down of everything shows in the first long before it does in the last."""
SLACK: Final = 0.1
"""How much slower, relatively, a candidate may be without an event counting against it."""


@dataclass(frozen=True, slots=True)
class ExceedanceTest:
    """Tests that a candidate exceeds the thresholds, with some slack, no more often than the live version does.

    One allocation test per threshold, and the mean of their evidence, which is evidence again whatever they share.

    >>> test = ExceedanceTest(AllocationTest.worse(), frozen_quantiles(np.arange(1.0, 101.0)))
    >>> test.thresholds
    (50.0, 95.0, 99.0)
    >>> state = test.update(test.start(), np.full(9, 300.0), np.ones(9, np.bool_), np.full(9, 0.1))
    >>> state.rejects(0.01)
    True
    """

    test: AllocationTest
    thresholds: tuple[float, ...]
    slack: float = SLACK
    least: float = 0.0
    """The same absolutely, in the unit of the values: the larger of the two is allowed."""

    def __post_init__(self) -> None:
        if not self.thresholds or not all(0 <= each < float("inf") for each in self.thresholds):
            raise BadInput("thresholds", "range", "must be at least one, and none below 0")
        if not 0 <= self.slack < float("inf"):
            raise BadInput("slack", "range", "must be 0 or more: 0.1 lets the candidate be 10 % slower")
        if not 0 <= self.least < float("inf"):
            raise BadInput("least", "range", "must be 0 or more, in the unit of the values")

    def start(self) -> Mixture:
        """Evidence of nothing."""
        return Mixture.of(len(self.thresholds) * len(self.test.ratios))

    def update(self, state: Mixture, values: Floats, candidate: Bools, shares: Floats) -> Mixture:
        """After requests in order: what each took, whose it was, and with which probability the candidate's."""
        return state.fed(self._gains, *self._beyond(values, candidate, shares))

    def _beyond(self, values: Floats, candidate: Bools, shares: Floats) -> tuple[NDArray[np.int64], Bools, Floats]:
        """The requests that exceed a threshold: which ones, a bit for each, whose they were and with which share."""
        if not len(values) == len(candidate) == len(shares):
            raise BadInput("values", "length", "must be one per request, as arms and shares")
        if not bool((values >= 0).all()):
            raise BadInput("values", "range", "must be numbers from 0 on")
        ours = allowed(self.thresholds, self.slack, self.least).tolist()
        beyond = np.zeros(len(values), np.int64)
        for place, (live, own) in enumerate(zip(self.thresholds, ours, strict=True)):
            beyond |= (values > np.where(candidate, own, live)).astype(np.int64) << place
        chosen = beyond > 0
        return beyond[chosen], candidate[chosen], shares[chosen]

    def _gains(self, beyond: NDArray[np.int64], candidate: Bools, shares: Floats) -> Floats:
        gains = self.test.gains(candidate, shares)
        exceeds = (beyond[:, None] >> np.arange(len(self.thresholds))) & 1
        # A request that stays below a threshold says nothing to its test, which stays where it is.
        found: Floats = (exceeds[:, :, None] * gains[:, None, :]).reshape(len(gains), -1)
        return found


def allowed(thresholds: Sequence[float], slack: float, least: float) -> Floats:
    """The thresholds as they are for a candidate: larger by `slack`, relatively, or by `least`, whichever is more.

    >>> allowed((10.0, 1000.0), 0.1, 5.0).tolist()
    [15.0, 1100.0]
    """
    live = np.array(thresholds)
    found: Floats = np.maximum(live * (1.0 + slack), live + least)
    return found


def frozen_quantiles(values: Floats, levels: Sequence[float] = LEVELS) -> tuple[float, ...]:
    """The quantiles of what the live version took so far, each one of the values; BadInput without any."""
    if not len(values):
        raise BadInput("values", "empty", "the live version has no latencies yet to compare with")
    return tuple(np.quantile(values, list(levels), method="inverted_cdf").tolist())
