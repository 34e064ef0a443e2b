"""Shadow mode: both versions answer the same inputs, labels come later, and the difference of losses is judged.

Labels come at once, after a lognormal delay, or five times as late where the truth is hard to tell; evidence takes them
as they come.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from benchmarks.decisions.rules import ALPHA, Stops, Z, first
from benchmarks.decisions.worlds import batches
from numpy.typing import NDArray

from headgate.evidence.betting import BettingTest, paired
from headgate.evidence.mixture import log_mean

LABELS: Final = 20_000
LOOK: Final = 100
"""Labels between two looks."""
LOOKS: Final = LABELS // LOOK
DISCORDANCE: Final = 0.09
MARGIN: Final = 0.01
PROMOTE: Final = 0.05
DELAYS: Final = ("none", "lognormal", "by outcome")
VALUES: Final = np.array([-1.0, 0.0, 1.0])
"""The candidate is right alone, both are as right as each other, the live version is right alone."""
_HARD, _HARD_DISCORDANCE = 0.1, 0.4
_RUNS_AT_ONCE: Final = 250


@dataclass(frozen=True)
class Pairs:
    """A candidate that is `worse` by some share of the labels, negative where it is better."""

    worse: float
    delay: str


def draw(pairs: Pairs, runs: int, random: np.random.Generator) -> NDArray[np.int64]:
    """(runs, looks, 3): how many of each difference had come by each look since the one before."""
    return np.concatenate([_draw(pairs, size, random) for size in batches(runs, _RUNS_AT_ONCE)])


def _draw(pairs: Pairs, runs: int, random: np.random.Generator) -> NDArray[np.int64]:
    # One input in ten is of the class that is hard to tell, and versions differ on it most; they are no further apart.
    is_hard = random.random((runs, LABELS)) < _HARD
    discordance = np.where(is_hard, _HARD_DISCORDANCE, (DISCORDANCE - _HARD * _HARD_DISCORDANCE) / (1 - _HARD))
    better, even = (discordance - pairs.worse) / 2, 1 - discordance
    uniform = random.random((runs, LABELS))
    kind = (uniform >= better).astype(np.int8) + (uniform >= better + even)
    if pairs.delay != "none":
        late = random.lognormal(math.log(1000), 1.0, size=kind.shape)
        if pairs.delay == "by outcome":
            late *= np.where(is_hard, 5.0, 1.0)
        kind = np.take_along_axis(kind, np.argsort(late + np.arange(LABELS), axis=1, kind="stable"), axis=1)
    by_look = kind.reshape(runs, LOOKS, LOOK)
    return np.stack([(by_look == each).sum(axis=2) for each in range(len(VALUES))], axis=-1)


def stops(counts: NDArray[np.int64], test: BettingTest, alpha: float) -> Stops:
    """Place of the first look at which each run's evidence has reached 1/alpha; `LOOKS` where it never does."""
    return first(log_mean(np.cumsum(counts @ test.gains(VALUES), axis=1)) >= -math.log(alpha))


def peeking(counts: NDArray[np.int64]) -> Stops:
    """McNemar's z at nominal 1 %, at every look."""
    total = np.cumsum(counts, axis=1)
    apart = total[..., 2] - total[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return first(apart / np.sqrt(total[..., 2] + total[..., 0]) > Z)


def judged(counts: NDArray[np.int64]) -> dict[str, Any]:
    """Every test on the same labels: how often it decides, and after how many labels, `LABELS` where it does not."""
    found = {
        "rolled_back": stops(counts, paired(), ALPHA),
        "promoted": stops(counts, paired(MARGIN, "less"), PROMOTE),
        "superior": stops(counts, paired(0.0, "less"), PROMOTE),
        "peeking_z": peeking(counts),
    }
    figures: dict[str, Any] = {}
    for name, each in found.items():
        figures[name] = round(float((each < LOOKS).mean()), 4)
        figures[f"{name}_labels"] = round(float((np.minimum(each + 1, LOOKS) * LOOK).mean()))
    return figures
