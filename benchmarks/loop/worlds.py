"""Streams whose truth is known: a world that stays as it is, or one in which inputs come to mean something else.

Inputs are six numbers that share a part; the label is a logistic function of them. A change turns that function so
far that a model which knew the old one perfectly loses that many points of accuracy, while the new one can be learned
as well as the old one could.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NUMBERS: Final = 6
NAMES: Final = tuple(f"x{place}" for place in range(NUMBERS))
LABEL: Final = "label"
SHARED: Final = 0.3
"""Correlation of any two numbers."""
STEEP: Final = 4.0
"""How sharply the label follows from the inputs; the best model is right in about nine cases of ten."""
POINTS: Final = 0.10
"""Accuracy that a change costs, at least."""
MOST: Final = 0.25
"""And at most: a larger change is found sooner."""
_TRUTH: Final = 20_000
_COVARIANCE: Final = SHARED + (1 - SHARED) * np.eye(NUMBERS)


@dataclass(frozen=True)
class World:
    """What inputs mean, before a change and after it."""

    before: Floats
    """One weight for each number."""
    after: Floats
    """The same, where nothing changes."""

    def inputs(self, rows: int, random: np.random.Generator) -> Floats:
        """Rows of numbers."""
        common, own = random.normal(size=(rows, 1)), random.normal(size=(rows, NUMBERS))
        found: Floats = np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * own
        return found

    def labels(self, inputs: Floats, random: np.random.Generator, *, changed: bool) -> NDArray[np.int64]:
        """What turns out to be true of them."""
        return (random.random(len(inputs)) < chance(inputs, self.after if changed else self.before)).astype(np.int64)

    def accuracy(self, says_yes: NDArray[np.bool_], inputs: Floats, *, changed: bool) -> float:
        """How often answers are right on average, without the chance of labels."""
        yes = chance(inputs, self.after if changed else self.before)
        return float(np.where(says_yes, yes, 1 - yes).mean())


def chance(inputs: Floats, weights: Floats) -> Floats:
    """The chance of the positive class."""
    found: Floats = 1 / (1 + np.exp(-STEEP * inputs @ weights))
    return found


def world(seed: int, *, changes: bool) -> World:
    """The world of a seed.

    >>> steady = world(1, changes=False)
    >>> bool((steady.before == steady.after).all()), POINTS <= cost(world(1, changes=True)) <= MOST
    (True, True)
    """
    random = np.random.default_rng((seed, 0))
    before = _direction(random)
    if not changes:
        return World(before, before)
    while True:
        angle = random.uniform(0, math.pi / 2)
        found = World(before, math.cos(angle) * before + math.sin(angle) * _across(before, random))
        if POINTS <= cost(found) <= MOST:
            return found


def cost(found: World) -> float:
    """Accuracy that a perfect model of the old world loses in the new one."""
    inputs = found.inputs(_TRUTH, np.random.default_rng(3))
    says_yes = inputs @ found.before > 0
    return found.accuracy(says_yes, inputs, changed=False) - found.accuracy(says_yes, inputs, changed=True)


def _direction(random: np.random.Generator) -> Floats:
    """Weights of length 1, as seen through what the numbers share."""
    return _of_length_1(random.normal(size=NUMBERS))


def _across(direction: Floats, random: np.random.Generator) -> Floats:
    """Others of length 1, of which the first ones say nothing."""
    drawn = random.normal(size=NUMBERS)
    return _of_length_1(drawn - (drawn @ _COVARIANCE @ direction) * direction)


def _of_length_1(weights: Floats) -> Floats:
    found: Floats = weights / np.sqrt(weights @ _COVARIANCE @ weights)
    return found
