"""At which row the world changed: the split of a champion's losses that describes them best.

A diagnosis tells the day of a change from figures of days. Rows of both worlds in one training set teach a model that
is right in neither, so the row is looked for, not the midnight.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.batches import over_batches
from headgate.evaluation.estimate import Floats
from headgate.vocabulary import Micros

FEWEST: Final = 100
"""Rows on either side of a change."""
_ROUNDING: Final = 1e-12
"""Share of losses, or of their squares, that is none."""
ERROR_RATE: Final = 0.01
"""How often a change is seen among losses that are all alike."""


def change_point(at: NDArray[np.int64], losses: Floats) -> Micros | None:
    """The moment of the first row that is different; None where losses did not become worse, beyond chance.

    `at` are microseconds, in any order, `losses` one number per row; NaN is left out. The split is that of the
    greatest likelihood with one mean before and a larger one after, and one variance (Hinkley 1970, "Inference about
    the change-point in a sequence of random variables"), with at least `FEWEST` rows on either side. Rows of one moment
    stay together. That it is chance is judged by Vostrikova's tail of the largest of all splits' statistics (1981; as
    in Csörgő & Horváth 1997, "Limit theorems in change-point analysis", 1.3.26), 1 % for losses independent of each
    other. Raises BadInput where there is not one loss per moment.

    >>> losses = np.array([0.0, 0.0, 0.0, 1.0] * 100 + [0.0, 1.0, 1.0, 1.0] * 50)
    >>> change_point(np.arange(600), losses)
    401
    """
    if at.shape != losses.shape or at.ndim != 1:
        raise BadInput("losses", "shape", f"there are {len(losses)} losses of {len(at)} rows; there must be one each")
    known = np.flatnonzero(np.isfinite(losses))
    known = known[np.argsort(at[known], kind="stable")]
    at, losses = at[known], losses[known]
    rows = len(losses)
    if rows < 2 * FEWEST or float(np.ptp(losses)) <= _ROUNDING * float(np.abs(losses).max()):
        return None
    splits = np.arange(FEWEST, rows - FEWEST + 1)
    sums = np.cumsum(losses)
    rise = (sums[-1] - sums[splits - 1]) / (rows - splits) - sums[splits - 1] / splits
    explained = np.where((at[splits] > at[splits - 1]) & (rise > 0), rise * rise * splits * (rows - splits) / rows, 0.0)
    best = int(np.argmax(explained))
    whole = float(((losses - sums[-1] / rows) ** 2).sum())
    left = max(whole - float(explained[best]), _ROUNDING * whole)
    if explained[best] <= 0:
        return None
    variance = max(left / (rows - 2), _in_the_long_run(losses, int(splits[best])))
    if _chance(float(explained[best]) / variance, rows) > ERROR_RATE:
        return None
    return Micros(int(at[splits[best]]))


def _in_the_long_run(losses: Floats, split: int) -> float:
    """The variance of a row that batches of consecutive rows show, each side about its own mean."""
    around = np.concatenate((losses[:split] - losses[:split].mean(), losses[split:] - losses[split:].mean()))
    return over_batches(around)[0] ** 2 * len(losses)


def _chance(statistic: float, rows: int) -> float:
    """How often the largest squared statistic of any split is at least this, where nothing changes."""
    if statistic <= 1:
        return 1.0
    end = FEWEST / rows
    span = 2 * math.log((1 - end) / end)
    root = math.sqrt(statistic)
    tail = root * math.exp(-statistic / 2) / math.sqrt(2 * math.pi) * ((1 - 1 / statistic) * span + 4 / statistic)
    return min(1.0, tail)
