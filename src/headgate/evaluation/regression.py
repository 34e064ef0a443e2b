"""How far predicted numbers lie from the truth: MAE, RMSE, R2, pinball loss. `metrics` is the only caller."""

import math

import numpy as np

from headgate.evaluation.estimate import Floats, Reading, Undefined, around, mean_of
from headgate.evaluation.rows import Rows


def mae(rows: Rows, z: float) -> Reading:
    """The mean absolute error, in the label's unit, with the normal interval of a mean."""
    return mean_of(np.abs(_errors(rows)), z)


def rmse(rows: Rows, z: float) -> Reading:
    """The root of the mean squared error, in the label's unit.

    The interval is the root of the mean squared error's normal interval on the log scale (delta method),
    so it is never negative.
    """
    squares = _errors(rows) ** 2
    mean = float(squares.mean())
    value = math.sqrt(mean)
    if value == 0.0:
        return around(0.0, squares, z, floor=0.0)
    influence = (squares - mean) / (2 * value)
    plain = around(value, influence, z)
    if plain.high is None:
        return plain
    factor = math.exp((plain.high - value) / value)
    return Reading(value, value / factor, value * factor, influence)


def r2(rows: Rows, z: float) -> Reading | Undefined:
    """The share of the label's variance that the predictions explain; at most 1, negative when worse than the mean.

    The interval is the delta method's on the logarithm of the unexplained share, cut to nothing.
    """
    spread = (rows.truth - rows.truth.mean()) ** 2
    variance = float(spread.mean())
    if len(rows) < 2 or variance == 0.0:
        return Undefined("needs at least two different labels")
    squares = _errors(rows) ** 2
    unexplained = float(squares.mean()) / variance
    influence = -(squares - unexplained * spread) / variance
    plain = around(1 - unexplained, influence, z)
    if plain.high is None or unexplained == 0.0:
        return plain
    factor = math.exp((plain.high - plain.value) / unexplained)
    return Reading(1 - unexplained, 1 - unexplained * factor, 1 - unexplained / factor, influence)


def pinball(rows: Rows, z: float, quantile: float = 0.5) -> Reading:
    """The mean pinball loss at a quantile, in the label's unit, with the normal interval of a mean.

    An answer below the truth costs `quantile` per unit, one above it ``1 - quantile`` (Koenker & Bassett 1978).
    """
    errors = _errors(rows)
    return mean_of(np.maximum(quantile * errors, (quantile - 1) * errors), z)


def _errors(rows: Rows) -> Floats:
    assert rows.predicted is not None  # noqa: S101 - these metrics declare that they need predictions
    errors: Floats = rows.truth - rows.predicted
    return errors
