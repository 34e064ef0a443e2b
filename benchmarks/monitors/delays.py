"""How long detectors by themselves take to find a change, beside the figures that other implementations gave."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evidence.betting import BettingTest
from headgate.evidence.conformal import ConformalTest
from headgate.evidence.detector import EDetector
from headgate.evidence.ranks import Reference

LOSSES: Final = (
    (1e4, 0.13, 730),
    (1e4, 0.15, 370),
    (1e4, 0.2, 120),
    (1e5, 0.13, 1156),
    (1e5, 0.15, 514),
    (1e5, 0.2, 196),
)
"""Limit, rate after the change from 10 %, observations it took."""
SHIFTS: Final = ((0.25, 336), (0.5, 72), (1.0, 19))
"""Standard deviations, observations it took; the limit is 10,000."""
BEFORE: Final = 5000
"""Losses before the change."""
BEFORE_SHIFT: Final = 500
AFTER: Final = 8000
AFTER_SHIFT: Final = 1500


def rows(runs: int) -> Iterator[dict[str, Any]]:
    """A row for each reference figure."""
    for place, (limit, rate, reference) in enumerate(LOSSES):
        found = e_detector(limit, rate, runs, np.random.default_rng(place))
        yield row("e-detector", limit, f"losses of 10 % become {rate:.0%}", reference, found)
    for place, (shift, reference) in enumerate(SHIFTS):
        found = conformal(1e4, shift, runs, np.random.default_rng(100 + place))
        yield row("conformal", 1e4, f"a mean moves by {shift:g} sd", reference, found)


def row(detector: str, limit: float, change: str, reference: int, delays: NDArray[np.float64]) -> dict[str, Any]:
    """Delays in figures."""
    return {
        "detector": detector,
        "limit": limit,
        "change": change,
        "runs": len(delays),
        "median": float(np.median(delays)),
        # Of a median, about 1.25 times that of the mean.
        "standard_error": round(1.25 * float(delays.std()) / math.sqrt(len(delays)), 1),
        "reference": reference,
    }


def e_detector(limit: float, rate: float, runs: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Observations until losses that have become more frequent are found."""
    detector, found = EDetector(BettingTest(0.0, 1.0, 0.1), limit), []
    for _ in range(runs):
        before, _ = detector.update(detector.start(), (random.random(BEFORE) < 0.1).astype(np.float64))
        _, alarms = detector.update(before, (random.random(AFTER) < rate).astype(np.float64))
        found.append(alarms[0] + 1 if alarms else AFTER)
    return np.array(found, np.float64)


def conformal(limit: float, shift: float, runs: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Observations until a shifted score is found, with references of 2,000."""
    test = ConformalTest(
        tuple(Reference.of(random.normal(size=255), random.normal(size=1745), seed=each) for each in range(runs))
    )
    scores = random.normal(size=(BEFORE_SHIFT + AFTER_SHIFT, runs))
    scores[BEFORE_SHIFT:] += shift
    found = test.update(test.start(), scores, np.ones(len(scores)), np.full(runs, limit))
    first = np.full(runs, AFTER_SHIFT, np.float64)
    for place, lane in reversed(found.alarms):
        if place >= BEFORE_SHIFT:
            first[lane] = place - BEFORE_SHIFT + 1
    return first
