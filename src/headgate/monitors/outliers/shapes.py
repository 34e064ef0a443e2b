"""How unlike the reference one row is: distances in the shapes that `fits` makes and `screen` asks.

Values, and what makes scores of them, with NumPy and msgspec alone, so that a gateway can ask as well.
"""

from typing import Final

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats
from headgate.monitors.encoder import Encoder

Row = tuple[float, ...]

FARTHEST: Final = 1e6
"""A column's score is cut here, so that one absurd number has a finite score."""
BLOCK: Final = 4096
"""Rows looked at at once: so many times columns times knots are compared."""


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
    field: str = ""
    """Of which field the vectors are; empty where whoever asks knows."""


class Copula:
    """A tabular shape at work: a row's score is its Mahalanobis distance among normal scores."""

    def __init__(self, shape: TabularShape) -> None:
        self._knots, self._normal = np.array(shape.knots), np.array(shape.normal)
        self._columns = np.arange(self._knots.shape[1])
        self._surprise = [(place, np.array(each)) for place, each in enumerate(shape.surprise) if each]
        self._holes, self._whitening = np.array(shape.holes), np.array(shape.whitening).T

    def of(self, rows: Floats) -> Floats:
        """The score of each row, (rows, columns) as `headgate.monitors.matrices` gives them."""
        _check_width(rows, len(self._columns))
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
    """An embedding shape at work: a vector's score is its distance to the nearest centre, in that centre's radius."""

    def __init__(self, shape: EmbeddingShape) -> None:
        self._centres, self._radii = np.array(shape.centres), np.array(shape.radii)

    def of(self, rows: Floats) -> Floats:
        """The score of each vector; infinite where one of its numbers is not finite."""
        _check_width(rows, self._centres.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            apart = np.stack([np.sqrt(np.square(rows - each).sum(axis=1)) for each in self._centres], axis=1)
            nearest: Floats = (apart / self._radii).min(axis=1)
        return np.where(np.isnan(nearest), np.inf, nearest)


def scorer(shape: TabularShape | EmbeddingShape) -> Copula | Centres:
    """The shape at work.

    >>> scorer(EmbeddingShape(centres=((0.0, 0.0),), radii=(2.0,))).of(np.array([[3.0, 4.0]])).tolist()
    [2.5]
    """
    return Copula(shape) if isinstance(shape, TabularShape) else Centres(shape)


def _check_width(rows: Floats, width: int) -> None:
    if rows.shape[1] != width:
        raise BadInput("rows", "shape", f"there are {rows.shape[1]:,} numbers a row where the reference had {width:,}")
