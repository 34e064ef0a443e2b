"""An estimate put right by the labels that are there: prediction-powered inference.

Angelopoulos, Bates, Fannjiang, Jordan & Zrnic 2023, "Prediction-powered inference" (Science 382), with the weight of
Angelopoulos, Duchi & Zrnic 2023, "PPI++" (arXiv 2311.01453).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from headgate.evaluation.estimate import Floats, Reading, Undefined

LEAST: Final = 30
"""Labels below which a normal interval is not worth its name, so that nothing is corrected."""
FARTHEST: Final = 1000.0
"""Standard errors are counted up to here; where nothing varies, any difference lies this far."""
_NOTHING: Final = 1e-24
"""A variance below which there is none but that of rounding."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A metric of all rows from the labels of some."""

    value: float
    error: float
    """Its standard error."""
    trust: float
    """How far the estimate is believed, 0 to 1: 0 is labels alone, 1 the whole difference that it makes."""
    selection: float
    """Estimated on the labelled less on the other rows, in standard errors: how unlike the others they are."""


def corrected(realised: Reading, labelled: Reading, rest: Reading) -> Corrected | Undefined:
    """One metric of all rows.

    `realised` was measured on the labelled rows, `labelled` was expected of those very rows in the same order, `rest`
    of the rows without a label. The value is realised + trust (rest - labelled): what labels say, moved by how much
    the rows without differ in what is expected of them. The trust that makes the variance least is
    cov(realised, labelled) / ((1 + n / N) var(labelled)), n labelled and N other rows (PPI++, example 6.1), cut to
    0..1; influences stand for rows, so it holds for ratios and rankings as it does for means. Valid where the labelled
    rows are a random sample of all: `selection` says when they are not.

    >>> truth, guess = np.tile([0.0, 1.0], 50), np.tile([0.1, 0.9], 50)
    >>> def reading(values):
    ...     return Reading(float(values.mean()), None, None, values - values.mean())
    >>> found = corrected(reading(truth), reading(guess), reading(np.tile([0.1, 0.9, 0.9], 300)))
    >>> round(found.value, 3), round(found.trust, 3)
    (0.633, 1.0)
    """
    few, many = len(realised.influence), len(rest.influence)
    if few < LEAST:
        return Undefined(f"{few} labels are too few to correct by; {LEAST} are needed")
    if many < 2:
        return Undefined("all rows but one are labelled")
    if _variance(realised.influence) <= _NOTHING:
        return Undefined("every label so far says the same, so nothing tells how far chance moves the figure")
    theirs, others = _variance(labelled.influence), _variance(rest.influence)
    shared = float((realised.influence * labelled.influence).sum()) / (few * (few - 1))
    # Variances of means, so that both sides of the ratio are divided by n.
    trust = 0.0 if theirs <= _NOTHING else min(1.0, max(0.0, shared / ((1 + few / many) * theirs)))
    variance = _variance(realised.influence - trust * labelled.influence) + trust * trust * others
    return Corrected(
        value=realised.value + trust * (rest.value - labelled.value),
        error=math.sqrt(variance),
        trust=trust,
        selection=_apart(labelled.value - rest.value, theirs + others),
    )


def contradiction(realised: Reading, expected: Reading, *, here: float = 0.0, there: float = 0.0) -> float:
    """Realised less expected on the same rows in the same order, at least two, in standard errors of the difference.

    `here` is the standard error that the realised metric should have on so many rows: where few labels happen to agree
    with each other, they say too little of how they scatter. `there` is that of the reference it was learnt on.

    >>> truth, guess = np.tile([0.0, 1.0], 50), np.tile([0.0, 0.5], 50)
    >>> def reading(values):
    ...     return Reading(float(values.mean()), None, None, values - values.mean())
    >>> round(contradiction(reading(truth), reading(guess)), 1)
    9.9
    """
    paired = _variance(realised.influence - expected.influence)
    # A label scatters around its chance, a chance around the mean: `here` has the sum of both.
    known = here * here - _variance(expected.influence)
    return _apart(realised.value - expected.value, max(paired, known) + there * there)


def _variance(influence: Floats) -> float:
    """Sampling variance of a value, by the convention of `headgate.evaluation.estimate`."""
    rows = len(influence)
    with np.errstate(over="ignore"):
        return float(np.square(influence).sum()) / (rows * (rows - 1))


def _apart(difference: float, variance: float) -> float:
    """A difference in standard errors, from -`FARTHEST` to `FARTHEST`."""
    return max(-FARTHEST, min(FARTHEST, difference / math.sqrt(max(variance, _NOTHING))))
