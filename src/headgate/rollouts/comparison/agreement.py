"""Whether two said the same, class by class or number by number. `compare` is the only caller."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, Floats
from headgate.evaluation.rows import spelled
from headgate.evaluation.slices import OTHERS
from headgate.evidence.confidence import mean_interval
from headgate.monitors.columns import Bools
from headgate.rollouts.comparison.pairs import CLASSES, Pairs
from headgate.rollouts.comparison.values import Confusion, Disagreement
from headgate.vocabulary import Task

SHOWN: Final = 12
"""Classes that have a row and a column of their own; where there are more, the rarest share one."""
LISTED: Final = 50
"""Disagreements told one by one."""
TOLERATED: Final = 0.05
"""Share of the spread of all predictions by which two may differ and still be called the same."""
SPREAD: Final = (0.05, 0.95)
"""Quantiles between which predictions are spread: a few wild ones do not change what counts as the same."""


def mean_estimate(name: str, values: Floats, *, low: float, high: float, alpha: float, without: str) -> Estimate:
    """The mean of bounded values with an interval that holds at every look; `without` says why there are none.

    >>> mean_estimate("agreement", np.ones(100), low=0.0, high=1.0, alpha=0.05, without="nothing to compare").value
    1.0
    """
    if not len(values):
        return Estimate(name, None, None, None, 0, without)
    found = mean_interval(values, low=low, high=high, alpha=alpha)
    return Estimate(name, float(values.mean()), found.low, found.high, len(values))


def tolerance_of(both: Pairs) -> float | None:
    """How far apart two numbers may be and still be called the same; None where they are no numbers.

    A twentieth of the spread of what both said, from the 5th to the 95th of a hundred.
    """
    if both.output.task is not Task.REGRESSION or not len(both):
        return None
    low, high = np.quantile(np.concatenate((both.live.said, both.candidate.said)), SPREAD)
    return float(TOLERATED * (high - low))


def alike(both: Pairs, tolerance: float | None) -> Bools:
    """Whether both said the same, for each input; for none where answers are arrays: only the caller reads them."""
    if both.output.task is Task.TENSOR:
        return np.zeros(0, np.bool_)
    if both.output.task is Task.REGRESSION:
        close: Bools = np.abs(both.candidate.said - both.live.said) <= (tolerance or 0.0)
        return close
    same: Bools = both.candidate.said == both.live.said
    return same


def confusion(both: Pairs) -> Confusion | None:
    """What both said, class by class; None where there are no classes, or no input."""
    if both.output.task not in CLASSES or not len(both):
        return None
    names = [spelled(each) for each in both.output.classes]
    live, candidate = both.live.said, both.candidate.said
    place, shown = _shown(live, candidate, names)
    width = len(shown)
    cells = np.bincount(place[live] * width + place[candidate], minlength=width * width).reshape(width, width)
    ranked = _disagreements(live, candidate, names)
    return Confusion(
        classes=shown,
        inputs=tuple(tuple(row) for row in cells.tolist()),
        disagreements=tuple(ranked[:LISTED]),
        rarer=sum(each.inputs for each in ranked[LISTED:]),
    )


def _shown(
    live: NDArray[Any], candidate: NDArray[Any], names: Sequence[str]
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Where each class is shown, and as what: those that were said, in their order."""
    said = np.bincount(live, minlength=len(names)) + np.bincount(candidate, minlength=len(names))
    kept = np.flatnonzero(said)
    crowded = len(kept) > SHOWN
    if crowded:
        kept = np.sort(np.argsort(-said, kind="stable")[: SHOWN - 1])
    place = np.full(len(names), len(kept))
    place[kept] = np.arange(len(kept))
    return place, (*(names[each] for each in kept.tolist()), *([OTHERS] if crowded else []))


def _disagreements(live: NDArray[Any], candidate: NDArray[Any], names: Sequence[str]) -> list[Disagreement]:
    differ = live != candidate
    found, counts = np.unique(live[differ] * len(names) + candidate[differ], return_counts=True)
    ranked = sorted(zip((-counts).tolist(), found.tolist(), strict=True))
    return [Disagreement(names[code // len(names)], names[code % len(names)], -fewer) for fewer, code in ranked]
