"""The slices of the current window where it got worse: by how much, how much of that is another relation, what it adds.

`attribute` asks with the metric's own losses, or with the task's where the metric is no mean of losses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, Floats, Undefined, estimate, quantile_of
from headgate.evaluation.metrics import Metric, metric, readings
from headgate.evaluation.rows import Rows
from headgate.evaluation.slices import SMALLEST, groups
from headgate.evaluation.weighted import effective, is_mean
from headgate.monitors.attribution import regression
from headgate.monitors.attribution.overlap import Overlap
from headgate.monitors.attribution.pooled import Field
from headgate.monitors.attribution.split import Effect, residuals
from headgate.vocabulary import Task

SHOWN: Final = 10
"""Slices that are named."""
FEWEST: Final = 25.0
"""Effective rows of a slice in either window below which nothing is said of its relation."""


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
    adds: float
    """What that drop adds to the drop of the whole window: it times the slice's share of the current rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """One number per row of both windows, higher for worse, and the metric whose mean it is."""

    metric: str
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    """The rows of both windows that share a value, or a range, of a field."""

    field: str
    value: str
    rows: NDArray[np.bool_]


def losses(asked: Metric, reference: Rows, current: Rows) -> Losses | Undefined:
    """What slices are judged by: the losses of `asked`; where it is no mean, of accuracy or the absolute error."""
    chosen = asked if is_mean(asked) else metric("mae" if reference.task is Task.REGRESSION else "accuracy")
    sign = -1.0 if chosen.higher_is_better else 1.0
    parts = []
    for rows in (reference, current):
        reading = readings(rows, [chosen])[chosen.name]
        if isinstance(reading, Undefined):
            return reading
        parts.append(sign * (reading.value + reading.influence))
    return Losses(chosen.name, np.concatenate(parts))


def weakest(
    fields: Sequence[Field], matrix: Floats, shared: Overlap, harm: Losses, confidence: float
) -> tuple[Weakness, ...]:
    """The `SHOWN` slices whose drop surely adds most to that of the whole window, the greatest first.

    Surely means by the lower bound of the interval. A slice needs `headgate.evaluation.slices.SMALLEST` rows in either
    window. Intervals hold for all slices together (Bonferroni), so that the worst of many is not taken for bad because
    there are many.
    """
    slices = [each for field in fields for each in _slices(field, shared.is_current)]
    z = quantile_of(1 - (1 - confidence) / max(1, len(slices)))
    expected = regression.linear(matrix, harm.values, shared.fold)
    found = [_weakness(each, harm, expected, shared, z) for each in slices]
    return tuple(sorted(found, key=_surest)[:SHOWN])


def _slices(field: Field, is_current: NDArray[np.bool_]) -> list[_Slice]:
    """The slices of a field with enough rows in either window; none where one holds them all."""
    cut = groups(field.values)
    if len(cut.names) < 2:
        return []
    made = [_Slice(field.name, name, cut.codes == code) for code, name in enumerate(cut.names)]
    return [
        each for each in made if min(int((each.rows & side).sum()) for side in (is_current, ~is_current)) >= SMALLEST
    ]


def _weakness(part: _Slice, harm: Losses, expected: Floats, shared: Overlap, z: float) -> Weakness:
    current, rows = int((part.rows & shared.is_current).sum()), int(part.rows.sum())
    effect = _drop(harm.values, part.rows, shared.is_current)
    return Weakness(
        part.field,
        part.value,
        current,
        estimate(harm.metric, effect.reading(z), rows),
        _concept(harm, expected, part.rows, shared, z),
        effect.value * current / int(shared.is_current.sum()),
    )


def _drop(values: Floats, chosen: NDArray[np.bool_], is_current: NDArray[np.bool_]) -> Effect:
    now, then = values[chosen & is_current], values[chosen & ~is_current]
    rows = len(now) + len(then)
    influence = np.concatenate(((now - now.mean()) * (rows / len(now)), (then.mean() - then) * (rows / len(then))))
    return Effect(float(now.mean() - then.mean()), influence)


def _concept(harm: Losses, expected: Floats, chosen: NDArray[np.bool_], shared: Overlap, z: float) -> Estimate:
    rows, common = int(chosen.sum()), chosen & shared.shared
    weights = shared.weights * common
    if min(effective(weights[side]) for side in (shared.is_current, ~shared.is_current)) < FEWEST:
        return Estimate(harm.metric, None, None, None, rows, "the windows share too few of its rows")
    return estimate(harm.metric, residuals(harm.values, expected, shared, common).reading(z), rows)


def _surest(each: Weakness) -> tuple[float, float, str, str]:
    least = each.drop.low or 0.0
    return (-least * each.rows, -each.adds, each.field, each.value)
