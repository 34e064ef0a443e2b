"""Standard errors of means whose rows come together: neighbours share weather, offers and faults, and are alike.

An error over single rows is too small for them. Both functions look at consecutive rows together instead.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.vocabulary import DAY

BATCHES: Final = 20
FEWER: Final = 7
"""Batches of rows that come from less time than so many days; otherwise none is shorter than a day."""
FEWEST: Final = 5
"""Rows that a batch needs to say anything."""


def over_batches(moved: Floats, batches: int = BATCHES) -> tuple[float, int]:
    """Standard error of the mean of `moved`, rows in the order of time, and its degrees of freedom.

    Of so many batches of consecutive rows (batch means: Law and Kelton 2000, "Simulation Modeling and Analysis", 9.5.3;
    Schmeiser 1982 for 10 to 30 of them); (0, 0) where the rows are too few for that.

    >>> over_batches(np.zeros(99)), over_batches(np.tile([0.0, 1.0], 500))
    ((0.0, 0), (0.0, 19))
    """
    if len(moved) < batches * FEWEST:
        return 0.0, 0
    edges = np.linspace(0, len(moved), batches + 1).astype(np.intp)[:-1]
    sums = np.add.reduceat(moved, edges)
    sums = sums - sums.mean()
    spread = float(np.square(sums).sum()) * batches / (batches - 1)
    return math.sqrt(spread) / len(moved), batches - 1


def batches_of(at: NDArray[np.int64]) -> int:
    """In how many batches rows of these moments, in microseconds, are compared, where days may differ from each other.

    One per day, but no more than 20 and no fewer than 7: rows of a single day say little of the next one.

    >>> [batches_of(np.array([0, days * DAY])) for days in (1, 9, 400)]
    [7, 9, 20]
    """
    days = int(np.ptp(at)) // DAY if len(at) else 0
    return min(BATCHES, max(FEWER, days))


def over_spans(values: Floats, at: NDArray[np.int64], length: int) -> tuple[float, float, int]:
    """Mean of the means of spans of time, its standard error and degrees of freedom; the error is infinite of one span.

    `at` are microseconds, in any order, `length` those of a span. Means of spans may differ in how sure they are: the t
    test of them holds all the same (Ibragimov and Müller 2010, "t-statistic based correlation and heterogeneity robust
    inference", for errors of 8 % at most).

    >>> over_spans(np.array([0.0, 2.0, 3.0]), np.array([0, 1, 10]), 10)
    (2.0, 1.0, 1)
    """
    if not len(values):
        return 0.0, math.inf, 0
    _, span = np.unique(at // max(1, length), return_inverse=True)
    means = np.bincount(span, weights=values) / np.bincount(span)
    spans = len(means)
    error = float(means.std(ddof=1)) / math.sqrt(spans) if spans > 1 else math.inf
    return float(means.mean()), error, spans - 1
