"""Latency: two arms whose answers take lognormal times, under a load that swings through the day for both alike."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from benchmarks.decisions.rules import ALPHA
from numpy.typing import NDArray

from headgate.evidence.allocation import AllocationTest
from headgate.evidence.exceedance import ExceedanceTest, frozen_quantiles

REQUESTS: Final = 30_000
LOOKS: Final = 120
SHARE: Final = 0.2
_MEDIAN, _SPREAD = 60.0, 0.46
"""Milliseconds, and the standard deviation of the logarithm: 99 of 100 answers within 175 ms."""
_BEFORE: Final = 20_000
"""Answers of the live version from which its quantiles are frozen."""
_SWING: Final = 0.2
_FLAGGER: Final = 1.2, 5
"""Times the baseline's 99th percentile, and failed checks allowed."""


@dataclass(frozen=True)
class Latencies:
    """A candidate some of whose answers take `times` as long; `swings` says whether load does too."""

    name: str
    part: float = 0.0
    times: float = 1.0
    swings: bool = False


SAME: Final = "A/A"
CELLS: Final = tuple(
    Latencies(name, part, times, swings)
    for swings in (False, True)
    for name, part, times in ((SAME, 0.0, 1.0), ("2 % are 3 x slower", 0.02, 3.0), ("all are 1.1 x slower", 1.0, 1.1))
)


def judged(world: Latencies, runs: int, random: np.random.Generator) -> dict[str, Any]:
    """How often, and after how many requests, ours and Flagger's rule roll back."""
    ours = np.array([_one(world, random) for _ in range(runs)])
    return {
        "rolled_back": round(float((ours[:, 0] <= REQUESTS).mean()), 4),
        "requests": round(float(np.minimum(ours[:, 0], REQUESTS).mean())),
        "flagger": round(float((ours[:, 1] <= REQUESTS).mean()), 4),
        "runs": runs,
    }


def _one(world: Latencies, random: np.random.Generator) -> tuple[float, float]:
    """After how many requests each rule rolls back; infinity where it does not."""
    before = random.lognormal(math.log(_MEDIAN), _SPREAD, _BEFORE)
    # No slack: a candidate that is 10 % slower is to be found here, and by default it is not.
    test = ExceedanceTest(AllocationTest.worse(), frozen_quantiles(before), slack=0.0)
    is_candidate = random.random(REQUESTS) < SHARE
    took = random.lognormal(math.log(_MEDIAN), _SPREAD, REQUESTS)
    if world.swings:
        took *= 1 + _SWING * np.sin(2 * np.pi * np.arange(REQUESTS) / (REQUESTS / 3))
    took[is_candidate & (random.random(REQUESTS) < world.part)] *= world.times
    each = REQUESTS // LOOKS
    state, stop = test.start(), math.inf
    for look in range(LOOKS):
        rows = slice(look * each, (look + 1) * each)
        state = test.update(state, took[rows], is_candidate[rows], np.full(each, SHARE))
        if state.rejects(ALPHA):
            stop = (look + 1) * each
            break
    return stop, _flagger(took.reshape(LOOKS, each), is_candidate.reshape(LOOKS, each), each, test.thresholds[-1])


def _flagger(took: NDArray[np.float64], is_candidate: NDArray[np.bool_], each: int, base: float) -> float:
    times, allowed = _FLAGGER
    failed = 0
    for look, (values, ours) in enumerate(zip(took, is_candidate, strict=True), 1):
        failed += bool(np.quantile(values[ours], 0.99) > times * base)
        if failed >= allowed:
            return look * each
    return math.inf
