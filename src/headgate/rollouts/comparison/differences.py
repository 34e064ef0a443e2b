"""How far a candidate's numbers lie from the live version's: predictions, or the scores behind a class.

`compare` and its parts are the only callers.
"""

import math
from typing import Final

import numpy as np

from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import spelled
from headgate.rollouts.comparison.pairs import Pairs
from headgate.rollouts.comparison.values import Differences
from headgate.vocabulary import Task

PERCENTS: Final = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)
ARM: Final = 10
"""Bins to either side of the middle one."""
REACHED: Final = 0.99
"""Share of the differences that lie within the bins; the outermost hold the others as well."""
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)


def numbers_of(both: Pairs) -> tuple[str, Floats, Floats] | None:
    """What there is to subtract: what it is, the live one's and the candidate's, NaN where one has none.

    Predictions of numbers; of two classes the score of the positive one; of several the highest score.
    """
    if both.output.task is Task.REGRESSION:
        return "prediction", both.live.said, both.candidate.said
    live, candidate = both.live.scores, both.candidate.scores
    if live is None or candidate is None:
        return None
    if both.output.task is Task.BINARY:
        positive = both.output.classes[live.shape[1] - 1]
        return f"score of {spelled(positive)}", live[:, -1], candidate[:, -1]
    return "highest score", live.max(axis=1), candidate.max(axis=1)


def differences(both: Pairs) -> Differences | None:
    """The candidate's numbers less the live one's; None where no input has both."""
    numbers = numbers_of(both)
    if numbers is None:
        return None
    of, live, candidate = numbers
    apart = candidate - live
    apart = apart[np.isfinite(apart)]
    if not len(apart):
        return None
    width = _width(np.abs(apart))
    return Differences(
        of=of,
        inputs=len(apart),
        mean=float(apart.mean()),
        quantiles=tuple(zip(PERCENTS, np.quantile(apart, np.array(PERCENTS) / 100).tolist(), strict=True)),
        width=width,
        bins=tuple(_bins(apart, width).tolist()),
    )


def _width(sizes: Floats) -> float:
    """Of bins that people can read: 1, 2 or 5 times a power of ten."""
    reach = float(np.quantile(sizes, REACHED)) or float(sizes.max())
    least = reach / (ARM + 0.5)
    if least < np.finfo(np.float64).tiny:
        return 0.0
    power = 10.0 ** math.floor(math.log10(least))
    return float(next((step * power for step in _STEPS if step * power >= least), least))


def _bins(apart: Floats, width: float) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    # Rounded away from 0 to either side, so that swapping the two mirrors the bins and nothing else.
    steps = np.floor(np.minimum(np.abs(apart) / width, ARM) + 0.5) if width else np.zeros(len(apart))
    return np.bincount((np.sign(apart) * steps).astype(np.int64) + ARM, minlength=2 * ARM + 1)
