"""How long detectors by themselves take to find a change.

E-detectors beside the figures that another implementation gave; conformal tests, which count scores in bins, beside the
recursion as its paper has it, which keeps every score, on the same scores.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.evidence.betting import BettingTest
from headgate.evidence.conformal import JUMP, ConformalTest
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
"""Standard deviations, observations it took another implementation on other scores; the limit is 10,000."""
MOST: Final = 1.15
"""How much longer a median may be than that of keeping every score."""
BEFORE: Final = 5000
"""Losses before the change."""
BEFORE_SHIFT: Final = 500
AFTER: Final = 8000
AFTER_SHIFT: Final = 1500
FITTED: Final = 255
REFERENCE_SCORES: Final = 2000
"""`FITTED` of them for bins."""
Numbers = NDArray[np.float64]


def rows(runs: int) -> Iterator[dict[str, Any]]:
    """A row for each reference figure, with the median that is promised."""
    for place, (limit, rate, reference) in enumerate(LOSSES):
        found = row("e-detector", limit, e_detector(limit, rate, runs, np.random.default_rng(place)))
        most = reference + 3 * found["standard_error"]
        yield found | beside(f"losses of 10 % become {rate:.0%}", reference, "", most)
    for place, (shift, reference) in enumerate(SHIFTS):
        binned, every = conformal(1e4, shift, runs, np.random.default_rng(100 + place))
        kept = float(np.median(every))
        found = row("conformal", 1e4, binned)
        yield found | beside(f"a mean moves by {shift:g} sd", reference, kept, MOST * kept)


def row(detector: str, limit: float, delays: Numbers) -> dict[str, Any]:
    """Delays in figures."""
    return {
        "detector": detector,
        "limit": limit,
        "runs": len(delays),
        "median": float(np.median(delays)),
        # Of a median, about 1.25 times that of the mean.
        "standard_error": round(1.25 * float(delays.std()) / math.sqrt(len(delays)), 1),
    }


def beside(change: str, reference: float, every_score: float | str, at_most: float) -> dict[str, Any]:
    """What delays are compared with: a figure of others, the median of keeping every score, and what is promised."""
    return {"change": change, "reference": reference, "every_score": every_score, "at_most": round(at_most, 1)}


def e_detector(limit: float, rate: float, runs: int, random: np.random.Generator) -> Numbers:
    """Observations until losses that have become more frequent are found."""
    detector, found = EDetector(BettingTest(0.0, 1.0, 0.1), limit), []
    for _ in range(runs):
        before, _ = detector.update(detector.start(), (random.random(BEFORE) < 0.1).astype(np.float64))
        _, alarms = detector.update(before, (random.random(AFTER) < rate).astype(np.float64))
        found.append(alarms[0] + 1 if alarms else AFTER)
    return np.array(found, np.float64)


def conformal(limit: float, shift: float, runs: int, random: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Observations until a shifted score is found: in bins, and keeping every score."""
    known = random.normal(size=(runs, REFERENCE_SCORES))
    scores = random.normal(size=(BEFORE_SHIFT + AFTER_SHIFT, runs))
    scores[BEFORE_SHIFT:] += shift
    test = ConformalTest(
        tuple(Reference.of(each[:FITTED], each[FITTED:], seed=place) for place, each in enumerate(known))
    )
    found = test.update(test.start(), scores, np.ones(len(scores)), np.full(runs, limit))
    binned = np.full(runs, AFTER_SHIFT, np.float64)
    for place, lane in reversed(found.alarms):
        if place >= BEFORE_SHIFT:
            binned[lane] = place - BEFORE_SHIFT + 1
    every = [every_score(known[lane].tolist(), scores[:, lane].tolist(), limit, random) for lane in range(runs)]
    return binned, np.array(every, np.float64)


def every_score(known: list[float], scores: list[float], limit: float, random: np.random.Generator) -> int:
    """Observations after `BEFORE_SHIFT` until the simple jumper's R is at the limit; all scores stay in the bag."""
    bag, capital, held = sorted(known), [1 / 3] * 3, 0.0
    for place, (score, uniform) in enumerate(zip(scores, random.random(len(scores)).tolist(), strict=True)):
        insort(bag, score)
        p = (len(bag) - 1 - bisect_left(bag, score) + uniform) / len(bag)
        after = [
            ((1 - JUMP) * each + JUMP / 3) * (1 + 2 * opinion * (p - 0.5))
            for each, opinion in zip(capital, (-1, 0, 1), strict=True)
        ]
        # The capital was 1 in all, and is again.
        held, capital = (held + 1) * sum(after), [each / sum(after) for each in after]
        if held >= limit:
            if place >= BEFORE_SHIFT:
                return place - BEFORE_SHIFT + 1
            bag, capital, held = sorted(known), [1 / 3] * 3, 0.0
    return AFTER_SHIFT
