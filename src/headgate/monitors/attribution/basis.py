"""What a linear model is shown of the fields: numbers by rank and in pieces, categories one by one, pairs as products.

`pair` builds one of the fields, and one of the model's own answers. Every column has mean 0 and standard deviation 1
over both windows together, so that a difference of means between them is a standardised one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

from headgate.evaluation.estimate import Floats
from headgate.evaluation.slices import OTHERS, groups
from headgate.monitors.attribution.pooled import Field

JOINT: Final = "(jointly)"
"""Whose columns are products of two fields: what changes only in how fields go together."""
KNOTS: Final = (-0.674, 0.0, 0.674)
"""Quartiles of the standard normal: where the line through a number's rank may bend."""
LEAST: Final = 50
"""Rows of both windows that must have a category, and lack it, for it to be a column."""
PAIRED: Final = 10
"""Numbers up to which every pair of them is a column; with more, how fields go together is not looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Columns of both windows, the reference's rows first, and the field that each is of."""

    matrix: Floats
    """(rows, columns)"""
    owners: NDArray[np.intp]
    """Position in `fields` per column."""
    fields: tuple[str, ...]

    def of(self, chosen: Sequence[str]) -> Floats:
        """The columns of some fields."""
        places = [self.fields.index(name) for name in chosen]
        columns: Floats = self.matrix[:, np.isin(self.owners, places)]
        return columns

    def distances(self, is_current: NDArray[np.bool_]) -> Floats:
        """Current less reference mean of each column, in standard deviations."""
        apart: Floats = self.matrix[is_current].mean(axis=0) - self.matrix[~is_current].mean(axis=0)
        return apart

    def widest(self, is_current: NDArray[np.bool_], most: int) -> Floats:
        """At most so many columns, those whose means differ most, in their order."""
        kept = np.sort(np.argsort(-np.abs(self.distances(is_current)), kind="stable")[:most])
        columns: Floats = self.matrix[:, kept]
        return columns


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a field's distribution moved, and how surely."""

    field: str
    distance: float
    """The largest standardised difference of means among its columns, with its sign; 0 without any."""
    log_p: float
    """Logarithm of the chance that any column of any field lies as far apart where nothing moved; at most 0."""


def basis(fields: Sequence[Field], *, jointly: bool = True) -> Basis:
    """The columns of these fields, of which there is at least one; a field that never varies has none.

    Products of pairs are added where `jointly` and there are at most `PAIRED` numbers.

    >>> made = basis([Field("a", np.arange(200.0)), Field("b", np.ones(200))])
    >>> made.fields, made.matrix.shape, round(float(made.matrix[:, 0].std()), 6)
    (('a', 'b', '(jointly)'), (200, 4), 1.0)
    """
    columns: list[Floats] = []
    owners: list[int] = []
    ranked: list[Floats] = []
    for place, field in enumerate(fields):
        if field.is_continuous():
            made = _pieces(field)
            ranked.append(made[0])
        else:
            made = _indicators(field)
        columns.extend(made)
        owners.extend([place] * len(made))
    if jointly and len(ranked) <= PAIRED:
        products = [one * other for one, other in combinations(ranked, 2)]
        columns.extend(products)
        owners.extend([len(fields)] * len(products))
    matrix = np.column_stack(columns) if columns else np.zeros((len(fields[0].values), 0))
    spread = matrix.std(axis=0)
    kept = spread > 1e-9
    matrix = (matrix[:, kept] - matrix[:, kept].mean(axis=0)) / spread[kept]
    names = (*(each.name for each in fields), JOINT)
    return Basis(matrix, np.array(owners, np.intp)[kept], names)


def moved(made: Basis, is_current: NDArray[np.bool_]) -> tuple[Moved, ...]:
    """Every field of the basis, surest first, by its farthest column.

    Each column's means are compared by a z test with the variance over both windows; for a number's rank that is
    van der Waerden's test of normal scores (1952). Chances are Bonferroni's over all columns, so the smallest of them
    is below 1 % in one of a hundred comparisons of windows that are alike, at most.
    """
    apart = made.distances(is_current)
    here = int(is_current.sum())
    error = math.sqrt(1 / here + 1 / (len(is_current) - here))
    logs = np.minimum(0.0, np.log(2) + log_ndtr(-np.abs(apart) / error) + math.log(max(1, len(apart))))
    found = []
    for place, name in enumerate(made.fields):
        own = np.flatnonzero(made.owners == place)
        if len(own):
            farthest = own[np.argmax(np.abs(apart[own]))]
            found.append(Moved(name, float(apart[farthest]), float(logs[farthest])))
        else:
            found.append(Moved(name, 0.0, 0.0))
    return tuple(sorted(found, key=lambda each: (each.log_p, -abs(each.distance))))


def _pieces(field: Field) -> list[Floats]:
    """A number's normal score and its bends; where a value is missing, the middle and a column that says so."""
    missing = field.missing
    scores = np.zeros(len(missing))
    scores[~missing] = normal_scores(field.numbers[~missing])
    pieces = [scores, *(np.maximum(scores - knot, 0.0) for knot in KNOTS)]
    return [*pieces, missing.astype(np.float64)] if _often(int(missing.sum()), len(missing)) else pieces


def normal_scores(numbers: Floats) -> Floats:
    """Numbers as the normal quantiles of their ranks, ties alike.

    >>> normal_scores(np.array([10.0, 1e300, 10.0])).round(3).tolist()
    [-0.431, 0.967, -0.431]
    """
    _, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    scores: Floats = ndtri((ranks - 0.5) / len(numbers))[places]
    return scores


def _indicators(field: Field) -> list[Floats]:
    """A column per category that enough rows have, and how common each is where there are too many for that."""
    values = field.values
    cut = groups(values)
    counts = np.bincount(cut.codes, minlength=len(cut.names))
    made = [(cut.codes == code).astype(np.float64) for code in range(len(counts)) if _often(counts[code], len(values))]
    if OTHERS in cut.names:
        _, places, each = np.unique(values.astype(str), return_inverse=True, return_counts=True)
        made.append(normal_scores(each[places].astype(np.float64)))
    return made


def _often(count: int, rows: int) -> bool:
    return LEAST <= count <= rows - LEAST
