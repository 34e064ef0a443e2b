"""Evidence that scores depend on those before them, so that a detector of changes would see changes where none are.

While scores are exchangeable their p-values are independent and uniform, so the product of two that follow each other,
each as its distance from the middle, is 0 on average given the past. A bet on its being larger is therefore a test of
serial correlation of the first order that holds at every look: the chance that it ever warns without cause is at most
`ALPHA`. A change of the scores makes neighbours alike as well, a large one within a few alarms; what warns on the
reference itself is no change.
"""

import math
from typing import Final

import msgspec
import numpy as np

from headgate.evidence.betting import PAIRED_TIMIDEST, BettingTest
from headgate.evidence.conformal import ConformalTest, Lane
from headgate.evidence.mixture import Floats, Mixture
from headgate.evidence.ranks import Ints, Reference

ALPHA: Final = 0.01
"""How often, at most, there is a warning without cause, each time it begins."""
_TEST: Final = BettingTest(low=-1.0, high=1.0, mean=0.0, timidest=PAIRED_TIMIDEST)


class Serial(msgspec.Struct, frozen=True):
    """What speaks for neighbours being alike, as a value.

    >>> Serial().moved(np.tile([0.1, 0.2, 0.1, 0.9, 0.8, 0.9], 100)).warns()
    True
    """

    mixture: Mixture = Mixture.of(_TEST.bets)
    latest: float | None = None
    """The last p-value; None before the first."""
    log_peak: float = 0.0
    """The largest evidence there ever was before it was last renewed, as a logarithm."""

    def warns(self, alpha: float = ALPHA) -> bool:
        """Whether neighbours were ever found to be alike, each time wrongly with a probability of at most `alpha`."""
        return max(self.log_peak, self.mixture.log_peak) >= -math.log(alpha)

    def renewed(self) -> "Serial":
        """As at the start, but for what it found by now."""
        return Serial(log_peak=max(self.log_peak, self.mixture.log_peak))

    def moved(self, p_values: Floats) -> "Serial":
        """After more p-values, in their order."""
        if not len(p_values):
            return self
        centred = 2.0 * np.concatenate(([] if self.latest is None else [self.latest], p_values)) - 1.0
        mixture = _TEST.update(self.mixture, centred[1:] * centred[:-1])
        return Serial(mixture, float(p_values[-1]), self.log_peak)


def serial_within(reference: Reference, scores: Floats, at: Ints | None = None) -> Serial:
    """What speaks for neighbours being alike among `scores` in the order of time, each compared with those before it.

    Raises BadInput where a score is no number or a season is none.

    >>> random = np.random.default_rng(0)
    >>> alike, unlike = np.sin(np.arange(500.0) / 20), random.normal(size=500)
    >>> [serial_within(Reference.of(each, each[:0]), each).warns() for each in (alike, unlike)]
    [True, False]
    """
    empty = msgspec.structs.replace(reference, counts=bytes(len(reference.counts)))
    test = ConformalTest((empty,))
    # Nothing ever joins: only the p-values are asked for.
    found = test.update((Lane(empty.counts),), scores[:, None], np.zeros(len(scores)), np.ones(1), at)
    return Serial().moved(found.p_values[:, 0])
