"""How unlike the reference one row is, and whether that is so unlike that it is flagged or refused.

The threshold is conformal: of rows that come as the reference's did, at most the stated share lies beyond it, whatever
their distribution and however poor the score (Vovk, Gammerman & Shafer 2005; Bates et al. 2023, "Testing for outliers
with conformal p-values"). The share is over references and rows; one reference may do a little better or worse.

Everything here is a value and needs NumPy and msgspec alone; `outlier_fits` makes the values.
"""

import math
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.monitors.encoder import Encoder
from headgate.monitors.standing import Shortfall, undecided

Row = tuple[float, ...]

FARTHEST: Final = 1e6
"""A column's score is cut here, so that one absurd number has a finite score."""

BLOCK: Final = 4096
"""Rows looked at at once: so many times columns times knots are compared."""


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


class TabularShape(msgspec.Struct, frozen=True, tag="tabular", kw_only=True):
    """A Gaussian copula of the reference: each column's rank as a normal score, and how the columns go together."""

    encoder: Encoder
    knots: tuple[Row, ...]
    """(knots, columns) of numbers, rising in each column; for categories, codes."""
    normal: tuple[Row, ...]
    """The normal score at each knot; straight between them and beyond."""
    surprise: tuple[Row, ...]
    """Per column, the score of each category, the last one's an unseen one's; empty for a number."""
    holes: Row
    """What a missing value adds to the squared score: -2 ln of how frequent it is."""
    whitening: tuple[Row, ...]
    """(columns, columns): turns scores into uncorrelated ones of variance 1."""


class EmbeddingShape(msgspec.Struct, frozen=True, tag="embedding", kw_only=True):
    """Where the reference's vectors lie: centres, and how far from each its own lie."""

    centres: tuple[Row, ...]
    radii: Row
    """Root mean square distance of a centre's own vectors from it."""


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
        self._scores: Copula | Centres
        if isinstance(detector.shape, TabularShape):
            self._scores = Copula(detector.shape)
        else:
            self._scores = Centres(detector.shape)

    def judge(self, row: Floats) -> Outlying:
        """One row: of a table as `Encoder.row` gives it, or a vector."""
        score = float(self.scores(row[np.newaxis])[0])
        reject, flag = self.detector.reject, self.detector.flag
        if reject is not None and score > reject.score:
            return Outlying(score, Mark.REJECT)
        return Outlying(score, Mark.FLAG if score > flag.score else Mark.ORDINARY)

    def scores(self, rows: Floats) -> Floats:
        """The score of each row, (rows, columns); infinite for a vector with a number that is not finite."""
        return self._scores.of(rows)


class Copula:
    """A tabular shape at work."""

    def __init__(self, shape: TabularShape) -> None:
        self._knots, self._normal = np.array(shape.knots), np.array(shape.normal)
        self._columns = np.arange(self._knots.shape[1])
        self._surprise = [(place, np.array(each)) for place, each in enumerate(shape.surprise) if each]
        self._holes, self._whitening = np.array(shape.holes), np.array(shape.whitening).T

    def of(self, rows: Floats) -> Floats:
        """The score of each row."""
        missing = np.isnan(rows)
        apart = self.columns(rows) @ self._whitening
        distances: Floats = np.sqrt(np.square(apart).sum(axis=1) + (missing * self._holes).sum(axis=1))
        return distances

    def columns(self, rows: Floats) -> Floats:
        """How unusual each value is by itself, as a normal score; 0 for a missing one."""
        missing = np.isnan(rows)
        scores = self._interpolated(np.where(missing, self._knots[0], rows))
        for place, known in self._surprise:
            unseen = len(known) - 1
            codes = np.where(missing[:, place], 0, rows[:, place])
            codes = np.where((codes < 0) | (codes > unseen), unseen, codes)
            scores[:, place] = known[codes.astype(np.intp)]
        scores[missing] = 0.0
        cut: Floats = np.clip(scores, -FARTHEST, FARTHEST)
        return cut

    def _interpolated(self, rows: Floats) -> Floats:
        if len(rows) > BLOCK:
            cuts = range(0, len(rows), BLOCK)
            return np.concatenate([self._interpolated(rows[cut : cut + BLOCK]) for cut in cuts])
        # Counting knots below is quicker than a search per column, and the ends go on as their last piece does.
        below = (rows[:, np.newaxis, :] >= self._knots).sum(axis=1)
        right = np.clip(below, 1, len(self._knots) - 1)
        low, high = self._knots[right - 1, self._columns], self._knots[right, self._columns]
        start, end = self._normal[right - 1, self._columns], self._normal[right, self._columns]
        with np.errstate(over="ignore"):
            scores: Floats = start + (end - start) * ((rows - low) / (high - low))
        return scores


class Centres:
    """An embedding shape at work."""

    def __init__(self, shape: EmbeddingShape) -> None:
        self._centres, self._radii = np.array(shape.centres), np.array(shape.radii)

    def of(self, rows: Floats) -> Floats:
        """The score of each vector."""
        with np.errstate(over="ignore", invalid="ignore"):
            apart = np.stack([np.sqrt(np.square(rows - each).sum(axis=1)) for each in self._centres], axis=1)
            nearest: Floats = (apart / self._radii).min(axis=1)
        return np.where(np.isnan(nearest), np.inf, nearest)


def threshold(held_out: Floats, rate: float) -> Threshold | Shortfall:
    """The score that a row like these exceeds with probability `rate` at most: the ceil((n + 1)(1 - rate))-th smallest.

    >>> threshold(np.arange(99.0), 0.05).score
    94.0
    >>> threshold(np.arange(99.0), 0.001).reason
    'a rate of 0.001 needs 999 reference rows beside those fitted on, and there are 99'
    """
    count = len(held_out)
    # Rounded first: (99 + 1)(1 - 0.05) is a hair above 95 in floating point.
    place = math.ceil(round((count + 1) * (1 - rate), 9))
    if not 0 < rate < 1:
        return undecided("a rate of false alarms lies between 0 and 1, such as 0.01")
    if place > count:
        needed = math.ceil(round(1 / rate, 9)) - 1
        return undecided(
            f"a rate of {rate:g} needs {needed:,} reference rows beside those fitted on, and there are {count:,}"
        )
    return Threshold(rate, float(np.partition(held_out, place - 1)[place - 1]), count)


def p_value(held_out: Floats, scores: Floats) -> NDArray[np.float64]:
    """The conformal p-value of each score: how often a row of the reference would lie as far out, itself counted.

    >>> p_value(np.arange(99.0), np.array([94.0, 200.0])).round(3).tolist()
    [0.06, 0.01]
    """
    beyond = len(held_out) - np.searchsorted(np.sort(held_out), scores, side="left")
    values: NDArray[np.float64] = (1 + beyond) / (len(held_out) + 1)
    return values
