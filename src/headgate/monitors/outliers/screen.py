"""Whether one row is so unlike the reference that it is flagged or refused, with a stated rate of false alarms.

The threshold is conformal: of rows that come as the reference's did, at most the stated share lies beyond it, whatever
their distribution and however poor the score (Vovk, Gammerman & Shafer 2005; Bates et al. 2023, "Testing for outliers
with conformal p-values"). The share is over references and rows; one reference may do a little better or worse.

Everything here is a value and needs NumPy and msgspec alone; `fits` makes the values.
"""

import math
from enum import StrEnum

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.monitors.outliers.shapes import EmbeddingShape, TabularShape, scorer
from headgate.monitors.standing import Shortfall, undecided
from headgate.vocabulary import readable


class Mark(StrEnum):
    """What becomes of a row."""

    ORDINARY = "ordinary"
    FLAG = "flag"
    """It is answered, and its record says that it was unlike the reference."""
    REJECT = "reject"
    """It is refused."""


class Threshold(msgspec.Struct, frozen=True):
    """From which score on a row is marked."""

    rate: float
    """False alarms: the share of ordinary rows beyond it is this at most."""
    score: float
    rows: int
    """Reference rows, held out from the fit, that it was set by."""


@readable
class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """A shape with its thresholds; JSON there and back gives the same marks."""

    shape: TabularShape | EmbeddingShape
    flag: Threshold
    reject: Threshold | None = None
    """None refuses nothing."""


class Outlying(msgspec.Struct, frozen=True):
    """One row judged."""

    score: float
    """0 and above; a tabular row's is its Mahalanobis distance, an embedding's a multiple of its centre's radius."""
    mark: Mark


class OutlierScreen:
    """A detector at work; makes its arrays once and judges rows one by one or many at once.

    >>> shape = EmbeddingShape(centres=((0.0, 0.0),), radii=(1.0,))
    >>> screen = OutlierScreen(Detector(shape=shape, flag=Threshold(0.01, 3.0, 1000)))
    >>> screen.judge(np.array([0.0, 1.0])).mark.value, screen.judge(np.array([0.0, 4.0])).mark.value
    ('ordinary', 'flag')
    """

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self._scorer = scorer(detector.shape)

    def judge(self, row: Floats) -> Outlying:
        """One row: of a table as `headgate.monitors.encoder.Encoder.row` gives it, or a vector."""
        score = float(self.scores(row[np.newaxis])[0])
        reject, flag = self.detector.reject, self.detector.flag
        if reject is not None and score > reject.score:
            return Outlying(score, Mark.REJECT)
        return Outlying(score, Mark.FLAG if score > flag.score else Mark.ORDINARY)

    def scores(self, rows: Floats) -> Floats:
        """The score of each row, (rows, columns), never NaN; infinite for a vector with a number that is not finite.

        Raises headgate.errors.BadInput where rows are wider or narrower than the reference's.
        """
        return self._scorer.of(rows)


def threshold(held_out: Floats, rate: float) -> Threshold | Shortfall:
    """The score that a row like these exceeds with probability `rate` at most: the ceil((n + 1)(1 - rate))-th smallest.

    Raises headgate.errors.BadInput for a rate outside 0 to 1.

    >>> threshold(np.arange(99.0), 0.05).score
    94.0
    >>> threshold(np.arange(99.0), 0.001).reason
    'a rate of 0.001 needs 999 reference rows beside those fitted on, and there are 99'
    """
    if not 0 < rate < 1:
        raise BadInput("rate", "range", "a rate of false alarms lies between 0 and 1, such as 0.01")
    count = len(held_out)
    # Rounded first: (99 + 1)(1 - 0.05) is a hair above 95 in floating point.
    place = math.ceil(round((count + 1) * (1 - rate), 9))
    if place > count:
        needed = math.ceil(round(1 / rate, 9)) - 1
        return undecided(
            f"a rate of {rate:g} needs {needed:,} reference rows beside those fitted on, and there are {count:,}"
        )
    return Threshold(rate, float(np.partition(held_out, place - 1)[place - 1]), count)
