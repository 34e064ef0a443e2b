"""Spells of another level: the way of a series back and forth between two levels, if it goes one.

`courses` asks for the ways and fits their levels.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.monitors.attribution.shapes import EDGE

_ROUNDS: Final = 6
"""Of path and levels in turn, at most; they hardly move any more by then."""
_BEGINNINGS: Final = (0.1, 0.25, 0.4)
"""Quantiles of the values, each with its counterpart from above, that are taken for the levels at first."""


def paths(values: Floats, weights: Floats, parameters: int) -> Iterator[NDArray[np.intp]]:
    """The level, 0 or 1, that each period is at: up to three ways, since where one ends depends on where it begins.

    A change of the level has the price that Schwarz's criterion asks for so many `parameters`. A way that does not come
    back to its first level, or on which a spell does not last `EDGE` periods, is left out.

    >>> [path.tolist() for path in paths(np.array([0.0, 0.1] * 3 + [1.0, 1.1] * 2 + [0.1, 0.0]), np.ones(12), 3)][0]
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0]
    """
    for quantile in _BEGINNINGS:
        path = _path(values, weights, np.quantile(values, (quantile, 1 - quantile)), parameters)
        changes = np.flatnonzero(np.diff(path)) + 1
        lengths = np.diff(np.concatenate(([0], changes, [len(values)])))
        if len(changes) >= 2 and int(lengths.min()) >= EDGE:
            yield path


def _path(values: Floats, weights: Floats, levels: Floats, parameters: int) -> NDArray[np.intp]:
    """The cheapest way between the levels, and the levels that are its means, in turn until neither moves."""
    path = np.zeros(len(values), np.intp)
    for _ in range(_ROUNDS):
        costs = weights[:, None] * (values[:, None] - levels) ** 2
        noise = float(np.minimum(costs[:, 0], costs[:, 1]).mean())
        before, path = path, cheapest(costs, price=noise * math.log(len(values)) * parameters)
        if len(np.unique(path)) < 2 or bool((path == before).all()):
            break
        levels = np.array([np.average(values[path == state], weights=weights[path == state]) for state in (0, 1)])
    return path


def cheapest(costs: Floats, price: float) -> NDArray[np.intp]:
    """The state of each period, 0 or 1, on the path that costs least, at a price per change of state (Viterbi 1967).

    >>> cheapest(np.array([[0.0, 9.0], [1.0, 0.0], [0.0, 9.0]]), price=2.0).tolist()
    [0, 0, 0]
    """
    low, high = costs[0].tolist()
    came = []
    # Plain floats: in a loop over periods they are ten times as fast as arrays of two.
    for to_low, to_high in costs[1:].tolist():
        came.append((low > high + price, high <= low + price))
        low, high = min(low, high + price) + to_low, min(high, low + price) + to_high
    path = [int(high < low)]
    for from_high in reversed(came):
        path.append(int(from_high[path[-1]]))
    return np.array(path[::-1], np.intp)
