"""The drop of a metric from one window to another, divided: other inputs, another relation, what is not shared.

Write M(P), M(Q) for the metric on all rows of the reference and of the current window, M(P|A), M(Q|A) on their shared
rows, and M(S, P), M(S, Q) on the distribution S that both share there, with the relation of input and output that the
reference or the current window has. Then, after Cai, Namkoong & Yadlowsky 2023 ("Diagnosing model performance under
distribution shift"),

    M(Q) - M(P) = concept + data + unshared
    concept  = M(S, Q) - M(S, P)                             the same inputs, and other outputs
    data     = [M(Q|A) - M(P|A)] - concept                   the same relation, met more or less often
    unshared = [M(Q) - M(Q|A)] - [M(P) - M(P|A)]             rows without a counterpart

The concept part is the coefficient of a regression of residuals on residuals (Robinson 1988): with e(x) the chance to
be a current row and m(x) the expected loss of a row of either window, both out of fold,

    concept = sum (T - e)(L - m) / sum (T - e)^2            over the shared rows, T = 1 for current ones

which estimates the mean change of the loss over S (Crump, Hotz, Imbens & Mitnik 2006). It is orthogonal (double machine
learning, Chernozhukov et al. 2018): an error of e moves it only times the error of m or times itself, and where the
relation has not changed only times the error of m. For a metric that is no mean, L is its value under the weights of
`overlap` plus the row's influence, which makes it a one-step estimate.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, Floats, Reading, Undefined, around, estimate
from headgate.evaluation.metrics import Metric, readings
from headgate.evaluation.rows import Rows
from headgate.evaluation.weighted import ROUNDING, Reweigh, Weighted, reweighable
from headgate.monitors.attribution import regression
from headgate.monitors.attribution.overlap import Overlap


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """A difference and what each row of both windows adds to it; influences have the mean zero in either window."""

    value: float
    influence: Floats

    def __sub__(self, other: "Effect") -> "Effect":
        return Effect(self.value - other.value, self.influence - other.influence)

    def reading(self, z: float) -> Reading | Undefined:
        """The value with its interval; none where no row stands out, since no sample warrants one of no width."""
        if not math.isfinite(self.value):
            return Undefined("the numbers are too large for it")
        if not self.influence.any():
            return Reading(self.value, None, None, self.influence, "no row stands out, so there is no interval")
        with np.errstate(over="ignore", invalid="ignore"):
            found = around(self.value, self.influence, z)
        if found.low is None or found.high is None or not math.isfinite(found.high - found.low):
            return Reading(self.value, None, None, self.influence, "the numbers are too large for an interval")
        return found

    def estimate(self, name: str, z: float) -> Estimate:
        """The value everybody outside sees."""
        return estimate(name, self.reading(z), len(self.influence))


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The drop of a metric and its three parts, which sum to it; positive means worse."""

    drop: Effect
    data: Effect
    concept: Effect
    unshared: Effect


def dropped(metric: Metric, reference: Rows, current: Rows) -> Effect | Undefined:
    """How much worse the metric is on all rows, those of the reference first; or why it cannot be said."""
    sides, sign = [], -1.0 if metric.higher_is_better else 1.0
    for name, rows in (("reference", reference), ("current window", current)):
        reading = readings(rows, [metric])[metric.name]
        if isinstance(reading, Undefined):
            return Undefined(f"{metric.name} has no value on the {name}: {reading.reason}")
        sides.append(Weighted.of(reading.value, reading.influence))
    before, now = sides
    both = len(reference) + len(current)
    parts = (-before.influence * (both / len(reference)), now.influence * (both / len(current)))
    return Effect(sign * (now.value - before.value), sign * np.concatenate(parts))


def split(metric: Metric, reference: Rows, current: Rows, matrix: Floats, shared: Overlap) -> Split | Undefined:
    """The drop divided, or why it cannot be; `matrix` has the columns of both windows, the reference's rows first."""
    whole = dropped(metric, reference, current)
    if isinstance(whole, Undefined):
        return whole
    before, now = reweighable(metric, reference), reweighable(metric, current)
    if isinstance(before, Undefined):
        return before
    if isinstance(now, Undefined):
        return now
    sides = worse(metric, before), worse(metric, now)
    everywhere = bool(shared.shared.all())
    inside = whole if everywhere else difference(*sides, shared.shared.astype(np.float64), shared.is_current)
    if isinstance(inside, Undefined):
        return inside
    concept = relation(*sides, matrix, shared)
    if isinstance(concept, Undefined):
        return concept
    return Split(drop=whole, data=inside - concept, concept=concept, unshared=whole - inside)


def difference(before: Reweigh, now: Reweigh, weights: Floats, is_current: NDArray[np.bool_]) -> Effect | Undefined:
    """The metric now less the metric before, each on its own rows under these weights."""
    sides = _under(before, now, weights, is_current)
    if isinstance(sides, Undefined):
        return sides
    influence = np.zeros(len(weights))
    for side, found, way in ((~is_current, sides[0], -1.0), (is_current, sides[1], 1.0)):
        own = weights[side]
        influence[side] = way * own * found.influence * (len(weights) / float(own.sum()))
    return Effect(sides[1].value - sides[0].value, influence)


def relation(before: Reweigh, now: Reweigh, matrix: Floats, shared: Overlap) -> Effect | Undefined:
    """The change of the metric on the shared distribution alone, by regressing residuals on residuals."""
    sides = _under(before, now, shared.weights, shared.is_current)
    if isinstance(sides, Undefined):
        return sides
    losses = np.concatenate([each.value + each.influence for each in sides])
    if float(np.ptp(losses)) <= ROUNDING * float(np.abs(losses).max()):
        return Effect(0.0, np.zeros(len(losses)))
    return residuals(losses, regression.linear(matrix, losses, shared.fold), shared, shared.shared)


def residuals(losses: Floats, expected: Floats, shared: Overlap, chosen: NDArray[np.bool_]) -> Effect:
    """Robinson's coefficient on some rows, with influences centred in either window, whose sizes are given."""
    surprise = (shared.is_current - shared.chance) * chosen
    weight = surprise**2
    total = float(weight.sum())
    value = float((surprise * (losses - expected)).sum()) / total
    influence = (surprise * (losses - expected) - value * weight) * (len(losses) / total)
    for side in (shared.is_current, ~shared.is_current):
        influence[side] -= influence[side].mean()
    return Effect(value, influence)


def worse(metric: Metric, measure: Reweigh) -> Reweigh:
    """The measure, turned so that more is worse."""

    def turned(weights: Floats) -> Weighted | Undefined:
        found = measure(weights)
        return found if isinstance(found, Undefined) else Weighted(-found.value, -found.influence)

    return turned if metric.higher_is_better else measure


def _under(
    before: Reweigh, now: Reweigh, weights: Floats, is_current: NDArray[np.bool_]
) -> tuple[Weighted, Weighted] | Undefined:
    then, later = before(weights[~is_current]), now(weights[is_current])
    if isinstance(then, Undefined):
        return then
    if isinstance(later, Undefined):
        return later
    return then, later
