"""A ramp that risks no more bad answers than was said: which share a candidate may have, and for how long. Pure.

A candidate that answers badly more often than the live version, by an excess e of its answers, is found once it has
given about n(e) of them; it goes on until gateways obey, and where labels tell good from bad until these are due. With
a share s of f inputs a second and so many seconds r of reaction, callers get about e n(e) + e s f r bad answers more.

The first share is one at which even a candidate that is always bad keeps within the budget. Each is held until any
candidate that would not keep within it at the next one must have been found. The figures are rules of thumb, those of
`evidence.planning`.
"""

import math
from itertools import pairwise
from typing import Final

import numpy as np

from headgate.errors import BadInput
from headgate.evidence.betting import BOLDEST
from headgate.evidence.planning import MIXING, updates_needed
from headgate.rollouts.foretell import Pace
from headgate.rollouts.plan import Pause, SetWeight, Step
from headgate.vocabulary import SECOND, Micros

REACTION: Final = 2.0
"""Seconds from the answer that decides until the last gateway obeys."""
GROWTH: Final = 4.0
"""By how much a share grows at most from one step to the next."""
LEAST: Final = 0.001
"""The smallest share that is worth a step."""
TOP: Final = 0.5
"""Where a ramp ends: with half of the callers each, evidence comes fastest."""
_EXCESSES: Final = tuple(np.geomspace(1.0, 0.001, 121).tolist())


def ramp(budget: float, pace: Pace, *, alpha: float, late: float) -> tuple[Step, ...]:
    """Shares and how long each is held, so that callers are to get at most `budget` bad answers more.

    `alpha` is the error rate for rolling back and `late` the seconds until labels are due, 0 where none are needed.
    Raises BadInput where nobody asked lately, and for a budget that no share keeps within.

    >>> steps = ramp(100, Pace(inputs_per_second=1000.0), alpha=0.01, late=0.0)
    >>> [each.weight for each in steps if isinstance(each, SetWeight)]
    [0.0449, 0.1794, 0.5]
    """
    flow = pace.inputs_per_second
    if flow <= 0:
        raise BadInput(
            "bad_answers", "pace", "cannot be kept where nobody asked lately: write set_weight steps instead"
        )
    reach = flow * (REACTION + late)
    least = answers_until_found(1.0, pace.error_rate, alpha)
    first = min(TOP, (budget - least) / reach)
    if first < LEAST:
        needed = math.ceil(least + LEAST * reach)
        raise BadInput("bad_answers", "range", f"must be {needed} at least: so many come before any evidence is in")
    shares = [first]
    while shares[-1] < TOP and (excess := _tolerated(budget, min(TOP, GROWTH * shares[-1]), reach, pace, alpha)):
        shares.append(min(TOP, GROWTH * shares[-1]))
    steps: list[Step] = []
    for share, after in pairwise(shares):
        excess = _tolerated(budget, after, reach, pace, alpha) or 1.0
        seconds = answers_until_found(excess, pace.error_rate, alpha) / (flow * share) + REACTION + late
        steps += [SetWeight(round(share, 4)), Pause(Micros(math.ceil(seconds) * SECOND))]
    return (*steps, SetWeight(round(shares[-1], 4)))


def answers_until_found(excess: float, rate: float, alpha: float) -> float:
    """Answers of a candidate until it is found, if it errs in `excess` of them more than the live one at its `rate`.

    >>> round(answers_until_found(1.0, 0.0, 0.01)), round(answers_until_found(0.02, 0.05, 0.01))
    (10, 3719)
    """
    boldest = (math.log(1 / alpha) + MIXING) / math.log1p(BOLDEST * excess)
    mine = min(1.0, rate + excess)
    variance = rate * (1 - rate) + mine * (1 - mine)
    return max(boldest, updates_needed(variance, excess, alpha)) if variance else boldest


def _tolerated(budget: float, share: float, reach: float, pace: Pace, alpha: float) -> float | None:
    """The largest excess that keeps within the budget at a share; None where none does."""
    for excess in _EXCESSES:
        found = excess * answers_until_found(excess, pace.error_rate, alpha)
        if found + excess * share * reach <= budget:
            return float(excess)
    return None
