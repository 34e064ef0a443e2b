"""The slices of the current window where it got worse: by how much, and how much of that is another relation.

`attribute` asks with the metric's own losses, or with the task's where the metric is no mean of losses.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, Floats, Undefined, around, estimate, quantile_of
from headgate.evaluation.metrics import Metric, metric, readings
from headgate.evaluation.rows import Rows
from headgate.evaluation.slices import SMALLEST, groups
from headgate.evaluation.weighted import is_mean
from headgate.monitors.attribution import regression
from headgate.monitors.attribution.overlap import FEWEST, Overlap
from headgate.monitors.attribution.pooled import Field
from headgate.monitors.attribution.split import residuals
from headgate.vocabulary import Task

SHOWN: Final = 10
"""Slices that are named."""


class Weakness(msgspec.Struct, frozen=True):
    """One slice that is worse than it was, or might be."""

    field: str
    value: str
    rows: int
    """Current rows in it."""
    drop: Estimate
    """How much worse the metric is there; positive means worse."""
    concept: Estimate
    """How much of that is another relation of input and output, on the rows that the windows share."""


def losses(asked: Metric, reference: Rows, current: Rows) -> tuple[str, Floats] | Undefined:
    """One number per row of both windows, higher for worse, and the metric whose mean it is.

    That is `asked`, or where it is no mean accuracy for classes and the absolute error for numbers.
    """
    chosen = asked if is_mean(asked) else metric("mae" if reference.task is Task.REGRESSION else "accuracy")
    sign = -1.0 if chosen.higher_is_better else 1.0
    parts = []
    for rows in (reference, current):
        reading = readings(rows, [chosen])[chosen.name]
        if isinstance(reading, Undefined):
            return reading
        parts.append(sign * (reading.value + reading.influence))
    return chosen.name, np.concatenate(parts)


def weakest(
    fields: Sequence[Field], matrix: Floats, shared: Overlap, named: tuple[str, Floats], confidence: float
) -> tuple[Weakness, ...]:
    """The `SHOWN` slices whose loss grew most beyond chance, the surest first.

    A slice needs `headgate.evaluation.slices.SMALLEST` rows in either window. Intervals hold for all slices together
    (Bonferroni), so that the worst of many is not taken for bad because there are many.
    """
    name, values = named
    slices = [each for field in fields for each in _slices(field, shared.is_current)]
    z = quantile_of(1 - (1 - confidence) / max(1, len(slices)))
    expected = regression.linear(matrix, values, shared.fold)
    found = [
        Weakness(
            field,
            value,
            int((chosen & shared.is_current).sum()),
            _drop(name, values, chosen, shared.is_current, z),
            _concept(named, expected, chosen, shared, z),
        )
        for field, value, chosen in slices
    ]
    return tuple(sorted(found, key=_surest)[:SHOWN])


def _slices(field: Field, is_current: NDArray[np.bool_]) -> list[tuple[str, str, NDArray[np.bool_]]]:
    """Field, value and rows of each slice with enough rows in either window; none where one holds them all."""
    cut = groups(field.values)
    if len(cut.names) < 2:
        return []
    masks = [(name, cut.codes == code) for code, name in enumerate(cut.names)]
    return [
        (field.name, name, chosen)
        for name, chosen in masks
        if min(int((chosen & side).sum()) for side in (is_current, ~is_current)) >= SMALLEST
    ]


def _drop(name: str, values: Floats, chosen: NDArray[np.bool_], is_current: NDArray[np.bool_], z: float) -> Estimate:
    now, then = values[chosen & is_current], values[chosen & ~is_current]
    rows = len(now) + len(then)
    influence = np.concatenate(((now - now.mean()) * (rows / len(now)), (then.mean() - then) * (rows / len(then))))
    return estimate(name, around(float(now.mean() - then.mean()), influence, z), rows)


def _concept(
    named: tuple[str, Floats], expected: Floats, chosen: NDArray[np.bool_], shared: Overlap, z: float
) -> Estimate:
    name, values = named
    rows = int(chosen.sum())
    common = chosen & shared.shared
    weights = shared.weights * common
    squares = float(np.square(weights).sum())
    if squares == 0 or float(weights.sum()) ** 2 / squares < FEWEST / 2:
        return Estimate(name, None, None, None, rows, "the windows share too few of its rows")
    return residuals(values, expected, shared, common).estimate(name, z)


def _surest(each: Weakness) -> tuple[float, float, str, str]:
    return (-(each.drop.low or 0.0), -(each.drop.value or 0.0), each.field, each.value)
