"""From a stated score to the chance that it is right, learnt on labelled reference rows.

`footing` fits it once; `pape` fits it anew for a window, with the reference weighed so that it looks like the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, Floats
from headgate.evaluation.metrics import estimates, metric
from headgate.evaluation.rows import Rows
from headgate.vocabulary import Task

FOLDS: Final = 5
"""Parts of the reference; each is calibrated by a map fitted on the others before it is judged."""
_SEED: Final = 7
_ERROR: Final = "calibration_error"


class Calibrator(msgspec.Struct, frozen=True):
    """A rising map from scores to chances: straight between knots, level beyond them; without knots, no change.

    >>> Calibrator((0.2, 0.8), (0.3, 0.5)).apply(np.array([0.0, 0.5, 1.0])).round(3).tolist()
    [0.3, 0.4, 0.5]
    """

    knots: tuple[float, ...] = ()
    """Scores, rising."""
    values: tuple[float, ...] = ()
    """The chance at each knot."""

    def apply(self, scores: Floats) -> Floats:
        """The chance that goes with each score."""
        return np.interp(scores, self.knots, self.values) if self.knots else scores


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Rows by score: what weight those of each score have, and those of them that are of the class.

    Scores are sorted once; of parts of the rows the counts are taken away, and nothing is sorted again.
    """

    scores: Floats
    """Distinct, rising."""
    weight: Floats
    hits: Floats
    """Weight of the rows of the class."""
    places: NDArray[np.intp]
    """Of each row, where its score is."""

    @classmethod
    def of(cls, scores: Floats, hits: NDArray[np.bool_], weights: Floats | None = None) -> "Counted":
        """Rows that weigh as much as each other, without `weights`."""
        distinct, places = np.unique(scores, return_inverse=True)
        weight = np.bincount(places, weights, len(distinct)).astype(np.float64)
        right = np.bincount(places, hits if weights is None else hits * weights, len(distinct)).astype(np.float64)
        return cls(distinct, weight, right, places)

    def without(self, rows: NDArray[np.intp], hits: NDArray[np.bool_]) -> "Counted":
        """The other rows; `hits` are of these, which weigh 1 each."""
        places = self.places[rows]
        gone, right = (np.bincount(places, each, len(self.scores)) for each in (None, hits))
        return Counted(self.scores, self.weight - gone, self.hits - right, self.places)

    def rising(self) -> Calibrator:
        """The rising map nearest in weighted squares, with the ends of each of its levels as knots."""
        from scipy.optimize import isotonic_regression  # noqa: PLC0415 - every verb of the command line would wait half a second for it

        seen = self.weight > 0
        scores, weight = self.scores[seen], self.weight[seen]
        level = np.clip(isotonic_regression(self.hits[seen] / weight, weights=weight).x, 0.0, 1.0)
        ends = np.ones(len(level), np.bool_)
        ends[1:-1] = (level[1:-1] != level[:-2]) | (level[1:-1] != level[2:])
        return Calibrator(tuple(scores[ends].tolist()), tuple(level[ends].tolist()))


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Maps for all the classes, and what they are worth."""

    calibrators: tuple[Calibrator, ...]
    """One for the positive class of a binary task, else one per class."""
    stated: Estimate
    """Calibration error of the scores as the model states them."""
    used: Estimate
    """The same of the chances that are used, each row by a map that has not seen it."""

    @property
    def changes(self) -> bool:
        """Whether any class has a map of its own."""
        return any(each.knots for each in self.calibrators)

    def chances(self, scores: Floats) -> Floats:
        """The chance of each class, (rows, classes), each row summing to one."""
        return together(
            scores, [each.apply(column) for each, column in zip(self.calibrators, ranked(scores), strict=True)]
        )


def ranked(scores: Floats) -> list[Floats]:
    """The columns of scores that have a map: a binary task's second one alone, else all."""
    return [scores[:, 1]] if scores.shape[1] == 2 else list(scores.T)


def ranked_codes(rows: Rows) -> Sequence[int]:
    """The codes of the classes that have a map, in the order of `ranked`."""
    return (1,) if len(rows.classes) == 2 else range(len(rows.classes))


def together(scores: Floats, columns: Sequence[Floats]) -> Floats:
    """Calibrated columns as chances of all classes; rows in which no class has any chance keep their scores.

    >>> together(np.array([[0.5, 0.5]]), [np.array([0.25])]).tolist()
    [[0.75, 0.25]]
    """
    if len(columns) == 1:
        return np.column_stack((1 - columns[0], columns[0]))
    stacked = np.column_stack(columns)
    total = stacked.sum(axis=1, keepdims=True)
    chances: Floats = np.where(total > 0, stacked / np.where(total > 0, total, 1.0), scores)
    return chances


def isotonic(scores: Floats, hits: NDArray[np.bool_], weights: Floats | None = None) -> Calibrator:
    """The rising map nearest to the labels in weighted squares (Zadrozny & Elkan 2002), scores beyond it clipped.

    >>> isotonic(np.array([0.1, 0.2, 0.9]), np.array([False, True, True])).apply(np.array([0.15])).round(3).tolist()
    [0.5]
    """
    return Counted.of(scores, hits, weights).rising()


def calibration(rows: Rows) -> Calibration:
    """The maps for these labelled rows; a class has one only where it lowers the error on rows it was not fitted on.

    The error is `headgate.evaluation`'s calibration error (10 bins). Needs scores, and for each class of `rows` that is
    ranked at least one row with and one without it: otherwise its scores stay as stated.
    """
    assert rows.scores is not None  # noqa: S101 - callers look with `unreadable` first
    folds = np.random.default_rng(_SEED).permutation(len(rows)) % FOLDS
    maps: list[Calibrator] = []
    unseen: list[Floats] = []
    for code, scores in zip(ranked_codes(rows), ranked(rows.scores), strict=True):
        hits = rows.truth == code
        counted = Counted.of(scores, hits)
        held_out = _held_out(counted, scores, hits, folds)
        if held_out is None or _error(held_out, hits) >= _error(scores, hits):
            maps.append(Calibrator())
            unseen.append(scores)
        else:
            maps.append(counted.rising())
            unseen.append(held_out)
    stated, used = (miscalibration(rows, each) for each in (rows.scores, together(rows.scores, unseen)))
    return Calibration(calibrators=tuple(maps), stated=stated, used=used)


def miscalibration(rows: Rows, chances: Floats) -> Estimate:
    """The calibration error of these chances of the classes."""
    judged = Rows(rows.task, rows.truth, rows.predicted, chances, rows.classes)
    return estimates(judged, [metric(_ERROR)])[_ERROR]


def _held_out(counted: Counted, scores: Floats, hits: NDArray[np.bool_], folds: NDArray[Any]) -> Floats | None:
    """Each row by a map fitted on the other folds; None where some fold leaves labels of one kind only."""
    calibrated = np.empty(len(scores))
    for fold in range(FOLDS):
        own = np.flatnonzero(folds == fold)
        rest = counted.without(own, hits[own])
        if not 0 < rest.hits.sum() < rest.weight.sum():
            return None
        calibrated[own] = rest.rising().apply(scores[own])
    return calibrated


def _error(chance: Floats, hits: NDArray[np.bool_]) -> float:
    both = np.column_stack((1 - chance, chance))
    rows = Rows(Task.BINARY, hits.astype(np.int64), None, both, (False, True))
    return miscalibration(rows, both).value or 0.0
