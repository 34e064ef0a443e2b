"""How well scores put the rows of a class above the rest: ROC AUC and average precision.

Binary tasks rank by the positive class's score; multiclass tasks average over all classes, each against the
rest (macro). `metrics` calls the figures; monitors rank expected labels with the same parts.
"""

import math
from collections.abc import Callable

import numpy as np

from headgate.evaluation.estimate import Floats, Reading, Undefined, around, standard_error, wilson
from headgate.evaluation.rows import Ranking, Rows
from headgate.vocabulary import Task

ByGroup = tuple[float, Floats, Floats]
"""A value, and the influence on it of a positive and of a negative row in each tie group."""


def auc(rows: Rows, z: float) -> Reading | Undefined:
    """The chance that a positive row scores above a negative one, ties counting half, with DeLong's interval.

    DeLong, DeLong & Clarke-Pearson 1988, computed from one sort as in Sun & Xu 2014 (IEEE Signal Processing
    Letters 21:11). Where the classes separate perfectly DeLong's variance is zero, which no sample warrants:
    the far bound is then Wilson's for the smaller class.
    """
    support = rows.support
    for code in rows.rankings:
        if support[code] == 0 or support[code] == len(rows):
            return Undefined(f"needs rows with and without {_name(rows, code)}")
    value, influence = _macro(rows, auc_by_group)
    smallest = min(int(min(support[code], len(rows) - support[code])) for code in rows.rankings)
    if smallest < 2:
        return Reading(value, None, None, influence, "an interval needs two rows of each class")
    if value in (0.0, 1.0):
        return Reading(value, *wilson(value * smallest, smallest, z), influence=influence)
    return around(value, influence, z, floor=0.0, ceiling=1.0)


def average_precision(rows: Rows, z: float) -> Reading | Undefined:
    """The precision at each positive row's score, averaged over the positive rows.

    The interval is symmetric on the logit scale (Boyd, Eng & Page 2013, "Area under the precision-recall
    curve"), its standard error from the influence of each row on the average. Where that is zero the far
    bound is Wilson's for the positive rows.
    """
    support = rows.support
    for code in rows.rankings:
        if support[code] == 0:
            return Undefined(f"needs rows with {_name(rows, code)}")
    value, influence = _macro(rows, average_precision_by_group)
    error = standard_error(influence)
    if error is None:
        return Reading(value, None, None, influence, "an interval needs at least two rows")
    if value >= 1.0 or error == 0.0:
        smallest = min(int(support[code]) for code in rows.rankings)
        return Reading(value, *wilson(value * smallest, smallest, z), influence=influence)
    centre, reach = math.log(value / (1 - value)), z * error / (value * (1 - value))
    return Reading(value, _sigmoid(centre - reach), _sigmoid(centre + reach), influence)


def auc_by_group(ranking: Ranking) -> ByGroup:
    """The AUC of one class and what a row of each tie group does to it; both kinds of rows must be there."""
    positives, negatives = ranking.positives, ranking.negatives
    many, few = float(positives.sum()), float(negatives.sum())
    # The share of the other class on the losing side of each tie group: DeLong's structural components.
    below = (np.cumsum(negatives) - negatives / 2) / few
    above = 1 - (np.cumsum(positives) - positives / 2) / many
    value = float((positives * below).sum()) / many
    return value, (below - value) * _scale(many, many + few), (above - value) * _scale(few, many + few)


def _scale(rows: float, everything: float) -> float:
    """What turns a structural component into an influence whose variance is DeLong's to the last digit."""
    if rows < 2:
        return everything / rows
    return everything / rows * math.sqrt(rows / (rows - 1) * (everything - 1) / everything)


def average_precision_by_group(ranking: Ranking) -> ByGroup:
    """The average precision of one class, which must be there, and what a row of each tie group does to it.

    Influence of (y, s) on E[precision(S) | positive]: its own term, and its part in every threshold below s.
    """
    positives = ranking.positives
    at_or_above = np.cumsum((positives + ranking.negatives)[::-1])[::-1]
    precision = np.cumsum(positives[::-1])[::-1] / at_or_above
    weight = positives / positives.sum()
    value = float((weight * precision).sum())
    everything = at_or_above[0]
    as_hit = np.cumsum(weight / at_or_above) * everything
    as_row = np.cumsum(weight * precision / at_or_above) * everything
    return value, (precision - value) * (everything / positives.sum()) + as_hit - as_row, -as_row


def _macro(rows: Rows, measure: Callable[[Ranking], ByGroup]) -> tuple[float, Floats]:
    total, influence = 0.0, np.zeros(len(rows))
    for code, ranking in rows.rankings.items():
        value, hit, miss = measure(ranking)
        total += value
        positive = rows.truth[ranking.order] == code
        influence[ranking.order] += np.where(positive, hit[ranking.group], miss[ranking.group])
    count = len(rows.rankings)
    return total / count, influence / count


def _name(rows: Rows, code: int) -> str:
    return "the positive class" if rows.task is Task.BINARY else f"class '{rows.classes[code]}'"


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
