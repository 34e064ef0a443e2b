"""The ways to expect a figure, behind one port: what is expected of every row of a window, summed over any of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats, Reading, Undefined
from headgate.monitors.answered import Answered
from headgate.monitors.estimation.expected import Foretold, expected


class Source(StrEnum):
    """Where a figure comes from, from the weakest to the strongest."""

    ESTIMATED = "estimated"
    """From the model's own scores, or from a model of its losses."""
    REWEIGHTED = "reweighted"
    """The same, learnt on the reference weighed so that it looks like the window."""
    CORRECTED = "corrected"
    """Estimated, and put right by the labels that are there."""
    REALISED = "realised"
    """Measured on labels alone."""


class Expectation(Protocol):
    """What is expected of the rows of one window."""

    @property
    def source(self) -> Source:
        """Estimated or reweighted."""
        ...

    @property
    def learnt_on(self) -> float:
        """Reference rows it was learnt on, weighed ones as many as they are worth."""
        ...

    def foretold(self, chosen: NDArray[Any]) -> dict[str, Foretold | Undefined]:
        """Each metric on the rows of a mask; at least one row."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ClassExpectation:
    """Chances of the classes, row by row."""

    said: Answered
    chances: Floats
    """(rows, classes), each row summing to one."""
    metrics: Sequence[str]
    learnt_on: float
    source: Source = Source.ESTIMATED

    def foretold(self, chosen: NDArray[Any]) -> dict[str, Foretold | Undefined]:
        """See `Expectation`."""
        return expected(self.said.take(chosen), self.chances[chosen], self.metrics)


@dataclass(frozen=True, slots=True, eq=False)
class LossExpectation:
    """Expected losses of a regression, row by row."""

    absolute: Floats
    """In the label's unit."""
    squared: Floats
    """In its square."""
    learnt_on: float
    source: Source = Source.ESTIMATED

    def foretold(self, chosen: NDArray[Any]) -> dict[str, Foretold | Undefined]:
        """See `Expectation`; how far squared errors scatter is not modelled, so nothing says that of the RMSE."""
        absolute, squared = self.absolute[chosen], self.squared[chosen]
        mean, square = float(absolute.mean()), float(squared.mean())
        root, variance = math.sqrt(square), square - mean * mean
        moved = (squared - square) / (2 * root) if root else np.zeros(len(squared))
        return {
            "mae": Foretold(Reading(mean, None, None, absolute - mean), math.sqrt(variance) if variance > 0 else None),
            "rmse": Foretold(Reading(root, None, None, moved), None),
        }
