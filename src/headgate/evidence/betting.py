"""Evidence about the mean of bounded numbers: losses, paired differences, differences of blocks.

For 0/1 values a bet is a likelihood ratio, so the mixture SPRT and the sequential McNemar test are this test too.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np

from headgate.errors import BadInput
from headgate.evidence.mixture import Floats, Mixture

BETS: Final = 16
BOLDEST: Final = 0.9
"""Share of what it has that the boldest bet may lose in one update."""
TIMIDEST: Final = 0.01
"""The timidest bet as a share of the boldest: it finds differences a hundred times smaller."""
PAIRED_TIMIDEST: Final = 0.03
"""For paired differences, whose mean is far from both ends: no bet is wasted on what nobody waits for."""
Alternative = Literal["greater", "less"]


@dataclass(frozen=True, slots=True)
class BettingTest:
    """Tests that the mean of values in [low, high] never goes beyond `mean`, whatever else they do.

    With ``greater`` evidence grows while values lie above `mean`, with ``less`` while they lie below. Each value may
    depend on those before it; only its mean given the past counts. Equation (26) of Waudby-Smith and Ramdas 2024,
    "Estimating means of bounded random variables by betting", with a mixture of constant bets.

    Raises BadInput where `mean` is not between `low` and `high`.

    >>> test = BettingTest(low=0.0, high=1.0, mean=0.5)
    >>> test.update(test.start(), np.ones(20)).rejects(0.01)
    True
    """

    low: float
    high: float
    mean: float
    alternative: Alternative = "greater"
    bets: int = BETS
    timidest: float = TIMIDEST
    """The smallest stake as a share of the largest."""

    def __post_init__(self) -> None:
        if not self.low < self.mean < self.high:
            raise BadInput("mean", "range", "must lie between the smallest and the largest value there can be")

    def start(self) -> Mixture:
        """Evidence of nothing."""
        return Mixture.of(self.bets)

    def update(self, state: Mixture, values: Floats) -> Mixture:
        """After `values`, in the order in which they came; BadInput where one is no number in [low, high]."""
        return state.fed(self.gains, values)

    def gains(self, values: Floats) -> Floats:
        """What each value makes of each bet, as `Mixture.moved` takes it."""
        check_values(values, self.low, self.high)
        above = values - self.mean if self.alternative == "greater" else self.mean - values
        found: Floats = np.log1p(np.multiply.outer(above, self._stakes()))
        return found

    def _stakes(self) -> Floats:
        # What may be lost is the way from the mean to the end that speaks for the null.
        room = self.mean - self.low if self.alternative == "greater" else self.high - self.mean
        return _ladder(self.timidest, self.bets) * (BOLDEST / room)


@cache
def _ladder(timidest: float, bets: int) -> Floats:
    """So many stakes as shares of the largest; for callers that change nothing in it."""
    return np.geomspace(timidest, 1.0, bets)


def check_values(values: Floats, low: float, high: float) -> None:
    """Raises BadInput where one is no number in [low, high].

    >>> check_values(np.array([0.0, 1.0]), 0.0, 1.0)
    """
    if not bool(((values >= low) & (values <= high)).all()):
        raise BadInput("values", "range", f"must be numbers from {low:g} to {high:g}")


def paired(margin: float = 0.0, alternative: Alternative = "greater") -> BettingTest:
    """Tests the mean of what a candidate loses more than the live version on the same input, both losses in [0, 1].

    ``greater`` is evidence that the candidate is worse by more than `margin`, ``less`` that it is not as much worse.
    With a margin of 0 and losses of 0 or 1 it is the sequential form of McNemar 1947, "Note on the sampling error of
    the difference between correlated proportions": pairs that are alike change nothing.

    >>> test = paired()
    >>> test.update(test.start(), np.array([1.0, 0.0, 0.0, 1.0, 1.0])).updates
    5
    """
    return BettingTest(low=-1.0, high=1.0, mean=margin, alternative=alternative, timidest=PAIRED_TIMIDEST)
