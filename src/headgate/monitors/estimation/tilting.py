"""The reference weighed so that it looks like a window of which nothing but means is known.

What of a window is summed as its rows come is enough: the ratio of densities is taken to be ``exp(b . f(x)) / c``, with
f the numbers of `Basis`, and b such that the weighed reference has the means of the window (log-linear KLIEP: Tsuboi,
Kashima, Hido, Bickel & Sugiyama 2009, "Direct density ratio estimation for large-scale covariate shift adaptation").
A mean is asked for as exactly as chance lets it be known, which is a ridge on b of its sampling variance; so where
nothing has changed weights are as good as equal. `pape` and `losses` take the weights; where single rows of the window
can be had, `headgate.monitors.domains` sees more.
"""

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from headgate.evaluation.estimate import Estimate, Floats
from headgate.monitors.domains import Domains
from headgate.monitors.encoder import Encoder
from headgate.monitors.matrices import encoder_of, matrix

TOP: Final = 6
"""Categories of a field that have a number of their own, most frequent first."""
FAR: Final = 4.0
"""Standard deviations at which a number is cut: a mean must not hang on a few rows."""
RARELY: Final = 0.0027
"""How often a window that comes as the reference did is weighed all the same, over all means together."""
FITTED: Final = 2000
"""Reference rows that weights are fitted on, at most; all are weighed."""
_STEPS: Final = 12
_CLOSE: Final = 1e-6
_FEW: Final = 40.0
"""Rows that those fitted on are worth below which nothing is to be had from them."""
_SMALLEST: Final = 1e-12
"""A variance below which a number is constant."""


class Means(msgspec.Struct, frozen=True):
    """Sums of the numbers of a window's rows, which add up.

    >>> Means(2, (1.0,)).added(np.array([[0.5], [0.5]]))
    Means(rows=4, sums=(2.0,))
    """

    rows: int = 0
    sums: tuple[float, ...] = ()

    def added(self, numbers: Floats) -> "Means":
        """With more rows, (rows, numbers)."""
        if not len(numbers):
            return self
        sums = numbers.sum(axis=0) + (np.array(self.sums) if self.rows else 0.0)
        return Means(self.rows + len(numbers), tuple(sums.tolist()))


@dataclass(frozen=True)
class Basis:
    """The numbers that stand for a row: of each number itself and its square, of each category whether it is there.

    Fixed on the reference. Numbers are in its standard deviations from its mean; one that is missing stands at 0.
    """

    encoder: Encoder
    centres: Floats
    scales: Floats
    reference: Floats
    """Those of the reference's rows."""

    @property
    def fits(self) -> bool:
        """Whether there is any number at all."""
        return bool(self.reference.shape[1])

    def of(self, rows: Floats) -> Floats:
        """The numbers of rows as `headgate.monitors.matrices.matrix` gives them."""
        return _numbers(self.encoder, self.centres, self.scales, rows)

    @cached_property
    def known(self) -> tuple[Floats, Floats]:
        """Mean and variance of each number over the reference."""
        return self.reference.mean(axis=0), self.reference.var(axis=0)


def basis_of(features: pa.Table) -> Basis:
    """The numbers for a reference of these `features`, a table.

    >>> made = basis_of(pa.table({"km": [1.0, 3.0], "kind": ["a", "b"]}))
    >>> made.reference.tolist()
    [[-1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 1.0]]
    """
    encoder = encoder_of(features)
    rows = matrix(encoder, features)
    with np.errstate(over="ignore", invalid="ignore"):
        known = np.isfinite(rows)
        counts = np.maximum(known.sum(axis=0), 1)
        centres = np.where(known, rows, 0.0).sum(axis=0) / counts
        scales = np.sqrt(np.where(known, (rows - centres) ** 2, 0.0).sum(axis=0) / counts)
    # Of a constant there is nothing to weigh by, and numbers too large to be squared cannot be.
    scales = np.where(np.isfinite(scales) & (scales > _SMALLEST), scales, np.inf)
    centres = np.where(np.isfinite(centres), centres, 0.0)
    return Basis(encoder, centres, scales, _numbers(encoder, centres, scales, rows))


def tilted(basis: Basis, window: Means) -> Domains | None:
    """The reference weighed as a window of these means came; None where no mean is surely another than the reference's.

    Nothing is known of which rows of the window the reference has none like: where it has too few, the weights of
    those it has are worth few rows, which `headgate.monitors.estimation.reweighting` asks for.

    >>> draw = np.random.default_rng(0)
    >>> made = basis_of(pa.table({"km": draw.normal(size=4000)}))
    >>> moved = Means().added(made.of(draw.normal(1.0, 1.0, (4000, 1))))
    >>> found = tilted(made, moved)
    >>> 0.9 < float((found.weights * made.reference[:, 0]).mean()) < 1.2, 500 < found.effective < 3000
    (True, True)
    >>> tilted(made, Means().added(made.reference)) is None
    True
    """
    if not basis.fits or not window.rows:
        return None
    means, variances = basis.known
    target = np.array(window.sums) / window.rows
    noise = variances * (1.0 / window.rows + 1.0 / len(basis.reference))
    kept = variances > _SMALLEST
    if not kept.any():
        return None
    apart = np.abs(target - means)[kept] / np.sqrt(noise[kept])
    if float(apart.max()) <= NormalDist().inv_cdf(1.0 - RARELY / (2 * int(kept.sum()))):
        return None
    every = -(-len(basis.reference) // FITTED)
    numbers = basis.reference[:, kept] - target[kept]
    slopes = _slopes(numbers[::every], noise[kept])
    logs = numbers @ slopes
    weights = np.exp(logs - logs.max())
    weights = np.minimum(weights, weights.mean() * np.sqrt(len(weights)))
    nobody = Estimate("beyond", None, None, None, window.rows, "of the window nothing but means is known")
    return Domains(
        auc=Estimate("auc", None, None, None, window.rows, nobody.reason),
        weights=weights / weights.mean(),
        effective=float(weights.sum() ** 2 / (weights * weights).sum()),
        beyond=nobody,
        covered=1.0,
    )


def _slopes(numbers: Floats, ridge: Floats) -> Floats:
    """What makes ``log mean exp(numbers . b) + ridge . b^2 / 2`` least, by Newton's method; it is convex."""
    slopes = np.zeros(numbers.shape[1])
    value = _value(numbers, ridge, slopes)
    for _ in range(_STEPS):
        logs = numbers @ slopes
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        means = weights @ numbers
        slope = means + ridge * slopes
        if float(np.abs(slope).max()) < _CLOSE or float((weights * weights).sum()) > 1.0 / _FEW:
            break
        weighted = numbers * np.sqrt(weights)[:, np.newaxis]  # with itself: half of the products are enough
        curve = weighted.T @ weighted - np.outer(means, means) + np.diag(ridge)
        step, shrink = np.linalg.solve(curve, slope), 1.0
        after = _value(numbers, ridge, slopes - step)
        while after > value and shrink > _CLOSE:  # so far out the curve is another
            shrink /= 2
            after = _value(numbers, ridge, slopes - shrink * step)
        if after >= value:
            break
        slopes, value = slopes - shrink * step, after
    return slopes


def _value(numbers: Floats, ridge: Floats, slopes: Floats) -> float:
    logs = numbers @ slopes
    most = float(logs.max())
    return most + float(np.log(np.exp(logs - most).mean())) + float((ridge * slopes * slopes).sum()) / 2


def _numbers(encoder: Encoder, centres: Floats, scales: Floats, rows: Floats) -> Floats:
    places = np.flatnonzero(~encoder.categorical & np.isfinite(scales))
    moved = np.nan_to_num(np.clip((rows[:, places] - centres[places]) / scales[places], -FAR, FAR), nan=0.0)
    sizes = np.array([min(TOP, len(each.categories or ())) for each in encoder.fields if each.categories is not None])
    codes = rows[:, encoder.categorical, np.newaxis]
    here = (codes == np.arange(TOP)).reshape(len(rows), codes.shape[1] * TOP).astype(np.float64)
    real = (np.arange(TOP) < sizes[:, np.newaxis]).reshape(-1) if len(sizes) else np.zeros(0, np.bool_)
    return np.hstack([moved, moved * moved, here[:, real]])
