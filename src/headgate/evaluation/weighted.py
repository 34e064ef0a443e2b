"""A metric under another distribution of its rows: what it would be, and how far each row moves it.

Monitors weigh the rows of one window so that they look like another's. `reweighable` makes of a metric and its rows a
function of weights; with equal weights its value is the metric's own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.classification import f1_parts, precision_parts, recall_parts
from headgate.evaluation.estimate import Floats, Undefined
from headgate.evaluation.metrics import Metric, readings
from headgate.evaluation.rows import Rows
from headgate.vocabulary import Task

MEANS: Final = ("accuracy", "log_loss", "brier", "mae", "pinball")
"""Metrics that are the mean of one number per row."""
RATIOS: Final = {"precision": precision_parts, "recall": recall_parts, "f1": f1_parts}
"""Metrics of a binary task that are the ratio of two sums, and what every row adds to them."""
ROUNDING: Final = 1e-12
"""Of numbers that are all alike, the largest share of them by which sums in floating point tell them apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """A metric's value under weights, and each row's influence on it; influences have the weighted mean zero."""

    value: float
    influence: Floats

    @classmethod
    def of(cls, value: float, influence: Floats) -> "Weighted":
        """The value and its influences, which are zero where they are nothing but rounding errors of the value.

        >>> Weighted.of(0.1, np.array([1e-17, -1e-17])).influence.tolist()
        [0.0, 0.0]
        """
        if float(np.abs(influence).max()) <= ROUNDING * abs(value):
            return cls(value, np.zeros(len(influence)))
        return cls(value, influence)


Reweigh = Callable[[Floats], Weighted | Undefined]
"""Weights of the rows, none negative, to the metric under them."""


def reweighable(metric: Metric, rows: Rows) -> Reweigh | Undefined:
    """The metric of these rows as a function of their weights, or why there is none.

    Means of a loss, the root of one, binary precision, recall and F1, and the AUC. The influence of a ratio is the
    delta method's; the AUC's is DeLong's with weighted shares (DeLong, DeLong & Clarke-Pearson 1988).

    >>> from headgate.evaluation.metrics import metric
    >>> rows = Rows(Task.REGRESSION, np.array([1.0, 2.0]), np.array([1.0, 5.0]), None)
    >>> reweighable(metric("mae"), rows)(np.array([1.0, 0.5])).value
    1.0
    """
    reading = readings(rows, [metric])[metric.name]
    if isinstance(reading, Undefined):
        return reading
    if is_mean(metric):
        return partial(_mean, reading.value + reading.influence)
    if metric.name == "rmse":
        return partial(_root, (rows.truth - _predicted(rows)) ** 2)
    if metric.name in RATIOS and rows.task is Task.BINARY:
        parts = RATIOS[metric.name]((rows.truth == 1).astype(np.float64), _predicted(rows) == 1)
        return partial(_ratio, *parts)
    if metric.name == "auc":
        return partial(_auc, rows)
    return Undefined(f"{metric.name} is no mean of losses and is not measured under weights")


def is_mean(metric: Metric) -> bool:
    """Whether the metric is the mean of one number per row.

    >>> from headgate.evaluation.metrics import metric
    >>> is_mean(metric("pinball@0.9")), is_mean(metric("auc"))
    (True, False)
    """
    return metric.name.partition("@")[0] in MEANS


def effective(weights: Floats) -> float:
    """How many rows of one weight these are worth, (sum w)^2 / sum w^2 (Kish 1965, "Survey Sampling"); 0 without any.

    >>> effective(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def _predicted(rows: Rows) -> NDArray[Any]:
    assert rows.predicted is not None  # noqa: S101 - these metrics have no reading without
    return rows.predicted


def _mean(numbers: Floats, weights: Floats) -> Weighted | Undefined:
    total = float(weights.sum())
    if total <= 0:
        return Undefined("no row has any weight")
    value = float((weights * numbers).sum()) / total
    return Weighted.of(value, numbers - value)


def _root(squares: Floats, weights: Floats) -> Weighted | Undefined:
    found = _mean(squares, weights)
    if isinstance(found, Undefined) or found.value == 0:
        return found
    value = math.sqrt(found.value)
    return Weighted(value, found.influence / (2 * value))


def _ratio(above: Floats, below: Floats, weights: Floats) -> Weighted | Undefined:
    whole, part = float(weights.sum()), float((weights * below).sum())
    if part <= 0:
        return Undefined("no row that counts has any weight")
    value = float((weights * above).sum()) / part
    return Weighted.of(value, (above - value * below) * (whole / part))


def _auc(rows: Rows, weights: Floats) -> Weighted | Undefined:
    value, influence = 0.0, np.zeros(len(rows))
    for code, ranking in rows.rankings.items():
        ordered, hits = weights[ranking.order], rows.truth[ranking.order] == code
        groups = len(ranking.positives)
        up = np.bincount(ranking.group, weights=ordered * hits, minlength=groups)
        down = np.bincount(ranking.group, weights=ordered * ~hits, minlength=groups)
        many, few = float(up.sum()), float(down.sum())
        if many <= 0 or few <= 0:
            return Undefined("needs rows with and without each class, and with weight")
        below, above = (np.cumsum(down) - down / 2) / few, 1 - (np.cumsum(up) - up / 2) / many
        own = float((up * below).sum()) / many
        hit, miss = (below - own) * ((many + few) / many), (above - own) * ((many + few) / few)
        influence[ranking.order] += np.where(hits, hit[ranking.group], miss[ranking.group])
        value += own
    count = len(rows.rankings)
    return Weighted.of(value / count, influence / count)
