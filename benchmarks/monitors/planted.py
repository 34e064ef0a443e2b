"""Windows with drift that is known: how far the inputs moved, what a changed relation costs, and the true split.

Inputs are six correlated numbers and a category. The reference's relation is a logistic function of them with a bend
and an interaction, and the model is that function, fitted perfectly; what it says is right on average in the reference.
A covariate shift moves the mean of the number that matters most. A changed relation swaps labels: with one probability
wherever another number is above its mean. That probability is chosen so that the accuracy falls by so many points on
the distribution that both windows share.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Undefined
from headgate.evaluation.metrics import METRICS
from headgate.evaluation.rows import Rows
from headgate.evaluation.weighted import Reweigh, reweighable
from headgate.monitors.attribution.overlap import FARTHEST
from headgate.monitors.attribution.samples import Sample
from headgate.vocabulary import Task

Floats = NDArray[np.float64]
Inputs = tuple[Floats, NDArray[np.int64]]
"""Numbers, and places of categories."""

ROWS: Final = 5000
NUMBERS: Final = 6
CORRELATION: Final = 0.3
CATEGORIES: Final = ("north", "east", "south", "west")
_EFFECTS: Final = np.array([0.0, 0.4, -0.4, 0.2])
_SLOPES: Final = np.array([1.2, -0.8, 0.6, 0.4, 0.0, 0.0])
_TRUTH_ROWS: Final = 200_000


@dataclass(frozen=True)
class Drifted:
    """One cell: the shift in standard deviations, and the points of accuracy that the changed relation costs."""

    shift: float
    points: float

    @property
    def kind(self) -> str:
        """The right name of it."""
        return {(0, 0): "none", (1, 0): "data", (0, 1): "concept", (1, 1): "both"}[self.shift > 0, self.points > 0]


@dataclass(frozen=True)
class Truth:
    """The drop of a metric and its parts; positive means worse."""

    drop: float
    data: float
    concept: float
    unshared: float


def draw(world: Drifted, rows: int, random: np.random.Generator) -> tuple[Sample, Sample]:
    """A reference and a current window of as many rows."""
    return _window(0.0, 0.0, rows, random), _window(world.shift, swapped(world), rows, random)


@cache
def swapped(world: Drifted) -> float:
    """The probability that a label is swapped where it may be, so that the accuracy falls as was asked."""
    if world.points == 0:
        return 0.0
    numbers, places = _inputs(0.0, _TRUTH_ROWS, np.random.default_rng(1))
    weights = _shared(numbers, world.shift)
    chance = _chance(numbers, places)
    gain = np.abs(2 * chance - 1) * _affected(numbers)
    return world.points / 100 * float(weights.sum()) / float((weights * gain).sum())


def _window(shift: float, swap: float, rows: int, random: np.random.Generator) -> Sample:
    numbers, places = _inputs(shift, rows, random)
    said = _chance(numbers, places)
    labels = (random.random(rows) < _now(said, numbers, swap)).astype(np.int64)
    fields = {f"x{place}": numbers[:, place] for place in range(NUMBERS)}
    scores = np.column_stack((1 - said, said))
    answers = Rows(Task.BINARY, labels, (said >= 0.5).astype(np.int64), scores, (False, True))
    return Sample({**fields, "region": np.array(CATEGORIES)[places]}, answers)


def _inputs(shift: float, rows: int, random: np.random.Generator) -> Inputs:
    """Numbers with a common factor, the first of them moved, and a category."""
    common, own = random.normal(size=(rows, 1)), random.normal(size=(rows, NUMBERS))
    numbers = math.sqrt(CORRELATION) * common + math.sqrt(1 - CORRELATION) * own
    numbers[:, 0] += shift
    return numbers, random.integers(len(CATEGORIES), size=rows)


def _chance(numbers: Floats, places: NDArray[np.int64]) -> Floats:
    """The reference's chance of the positive class, which is what the model says."""
    bend = 0.5 * np.maximum(numbers[:, 1], 0.0) * numbers[:, 2]
    odds = numbers @ _SLOPES + bend + _EFFECTS[places] - 0.5
    chance: Floats = 1 / (1 + np.exp(-1.5 * odds))
    return chance


def _affected(numbers: Floats) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = numbers[:, 3] > 0
    return mask


def _now(chance: Floats, numbers: Floats, swap: float) -> Floats:
    """The chance of the positive class after some labels were swapped."""
    found: Floats = chance + swap * _affected(numbers) * (1 - 2 * chance)
    return found


def _ratio(numbers: Floats, shift: float) -> Floats:
    """Density of the current inputs over the reference's."""
    covariance = np.full((NUMBERS, NUMBERS), CORRELATION) + (1 - CORRELATION) * np.eye(NUMBERS)
    move = np.zeros(NUMBERS)
    move[0] = shift
    slope = np.linalg.solve(covariance, move)
    ratio: Floats = np.exp(numbers @ slope - float(move @ slope) / 2)
    return ratio


def _common(numbers: Floats, shift: float) -> NDArray[np.bool_]:
    """Which inputs have a counterpart in the other window."""
    inside: NDArray[np.bool_] = np.abs(np.log(_ratio(numbers, shift))) <= math.log(FARTHEST)
    return inside


def _shared(numbers: Floats, shift: float) -> Floats:
    """Weights that give reference rows the distribution which both windows share."""
    ratio = _ratio(numbers, shift)
    weights: Floats = ratio / (1 + ratio) * _common(numbers, shift)
    return weights


@cache
def truth(world: Drifted, metric: str) -> Truth:
    """The split, with no error but that of hundreds of thousands of rows, the same ones in every cell."""
    swap, sign = swapped(world), -1.0 if METRICS[metric].higher_is_better else 1.0
    then, now = _inputs(0.0, _TRUTH_ROWS, _truth_draws()), _inputs(world.shift, _TRUTH_ROWS, _truth_draws())
    common = [_common(each[0], world.shift).astype(np.float64) for each in (then, now)]
    weights = _shared(then[0], world.shift)

    def value(moved: bool, inputs: Inputs, swapping: float, weights: Floats) -> float:
        found = _measure(world.shift if moved else 0.0, metric)(_outcomes(inputs, swapping, weights))
        assert not isinstance(found, Undefined)
        return sign * found.value

    everything = np.ones(_TRUTH_ROWS)
    drop = value(True, now, swap, everything) - value(False, then, 0.0, everything)
    inside = value(True, now, swap, common[1]) - value(False, then, 0.0, common[0])
    concept = value(False, then, swap, weights) - value(False, then, 0.0, weights)
    return Truth(drop, inside - concept, concept, drop - inside)


@cache
def _measure(shift: float, metric: str) -> Reweigh:
    """A metric of inputs that each count twice, with either outcome, as a function of what each outcome weighs."""
    said = np.tile(_chance(*_inputs(shift, _TRUTH_ROWS, _truth_draws())), 2)
    labels = np.repeat([1, 0], _TRUTH_ROWS)
    rows = Rows(Task.BINARY, labels, (said >= 0.5).astype(np.int64), np.column_stack((1 - said, said)), (False, True))
    found = reweighable(METRICS[metric], rows)
    assert not isinstance(found, Undefined)
    return found


def _outcomes(inputs: Inputs, swap: float, weights: Floats) -> Floats:
    """What either outcome of every input weighs: its chance times the input's weight."""
    chance = _now(_chance(*inputs), inputs[0], swap)
    return np.concatenate((weights * chance, weights * (1 - chance)))


def _truth_draws() -> np.random.Generator:
    return np.random.default_rng(2)
