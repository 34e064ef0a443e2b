"""The rules that are compared: ours, and what is used elsewhere. Each says when it would have rolled back.

A rule maps what was seen to the place of the first interval after which it rolls back, one per run; `NEVER` else.
Baselines as their projects document them: Flagger's cumulative count of failed checks, Argo Rollouts' ``failureLimit``,
Kayenta's Mann-Whitney judge with arms of one size, a z-test at every look, one at a size fixed before, the mixture SPRT
of Johari, Koomen, Pekelis and Walsh 2022, and a group-sequential design with O'Brien-Fleming-type bounds at five looks.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from benchmarks.decisions.worlds import INTERVALS, REQUESTS, Floats, Seen, World
from numpy.typing import NDArray

from headgate.evidence.allocation import AllocationTest
from headgate.evidence.mixture import log_mean

ALPHA: Final = 0.01
NEVER: Final = INTERVALS
Stops = NDArray[np.intp]
Rule = Callable[[World, Seen], Stops]

Z: Final = 2.3263478740408408
"""Upper 1 % point of the normal distribution."""
_POWER_Z, _PLANNED = 0.8416212335729143, 1.5
"""What a size is fixed for: 80 % power, its point of the normal distribution, at this multiple of the base rate."""
_OBF: Final = {50: 5.65, 100: 3.92, 150: 3.14, 200: 2.68, 250: 2.38}
"""One-sided 1 %, OBF-type spending at five even looks."""
_KAYENTA_POINTS, _KAYENTA_LOOKS, _KAYENTA_TOLERANCE = 50, 11, 0.25
_KAYENTA_RUNS: Final = 100
"""Its intervals are found by sorting every difference there is: as many runs as can be waited for."""


def first(crossed: NDArray[np.bool_]) -> Stops:
    """Place of the first look of each run that is true; as many as there are looks where none is."""
    places: Stops = np.where(crossed.any(axis=1), crossed.argmax(axis=1), crossed.shape[1])
    return places


def evidence(test: AllocationTest, seen: Seen) -> Floats:
    """(runs, intervals): logarithm of the evidence at every look."""
    arms = np.array([False, True])
    gains = np.stack([test.gains(arms, np.full(2, share)) for share in seen.shares])
    return log_mean(np.cumsum(np.einsum("rta,tak->rtk", seen.counted, gains), axis=1))


def allocation(world: World, seen: Seen) -> Stops:
    """Ours: the allocation test."""
    return first(evidence(AllocationTest.worse(), seen) >= -math.log(ALPHA))


def peeking_z(world: World, seen: Seen) -> Stops:
    """A z-test of two proportions at nominal 1 %, at every look."""
    return first(_z(seen) > Z)


def fixed_size(world: World, seen: Seen) -> Stops:
    """One z-test, when as many requests have come as find 1.5 times the errors in four of five cases."""
    worse = _PLANNED * world.rate
    ours, theirs = (np.cumsum(REQUESTS * each) for each in (seen.shares, 1 - seen.shares))
    variance = worse * (1 - worse) / ours + world.rate * (1 - world.rate) / theirs
    enough = (Z + _POWER_Z) ** 2 * variance <= (worse - world.rate) ** 2
    look = int(enough.argmax()) if enough.any() else INTERVALS - 1
    crossed = np.zeros(seen.twins.shape, np.bool_)
    crossed[:, look] = _z(seen)[:, look] > Z
    return first(crossed)


def group_sequential(world: World, seen: Seen) -> Stops:
    """Five looks, planned in advance."""
    scores, crossed = _z(seen), np.zeros(seen.twins.shape, np.bool_)
    for look, bound in _OBF.items():
        crossed[:, look - 1] = scores[:, look - 1] > bound
    return first(crossed)


def msprt(world: World, seen: Seen) -> Stops:
    """The mixture SPRT with a normal mixture of half the base rate, two-sided."""
    difference, variance = _difference(seen)
    spread = (0.5 * world.rate) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = 0.5 * np.log(variance / (variance + spread)) + difference**2 * spread / (
            2 * variance * (variance + spread)
        )
    return first((log_ratio >= -math.log(ALPHA)) & (difference > 0))


def failed_checks(times: float, allowed: int, world: World, seen: Seen) -> Stops:
    """A check per interval: the candidate's rate is above `times` the base rate; too many of them roll back."""
    with np.errstate(divide="ignore", invalid="ignore"):
        failed = seen.errors[..., 1] / seen.requests[..., 1] > times * world.rate
    return first(np.cumsum(failed, axis=1) >= allowed)


def kayenta(world: World, seen: Seen) -> Stops:
    """The Mann-Whitney judge on rates per interval, candidate against a baseline of its size: 98 %, tolerance 0.25."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = seen.requests[:_KAYENTA_RUNS, :, 1]
        ours, theirs = seen.errors[:_KAYENTA_RUNS, :, 1] / sizes, seen.twins[:_KAYENTA_RUNS] / sizes
    crossed = np.zeros(ours.shape, np.bool_)
    for look in np.linspace(_KAYENTA_POINTS, INTERVALS, _KAYENTA_LOOKS).astype(int):
        crossed[:, look - 1] = [_is_high(*pair) for pair in zip(ours[:, :look], theirs[:, :look], strict=True)]
    return first(crossed)


def _is_high(ours: Floats, theirs: Floats) -> bool:
    ours, theirs = ours[~np.isnan(ours)], theirs[~np.isnan(theirs)]
    if not len(ours):
        return False
    apart = np.sort(np.subtract.outer(ours, theirs), axis=None)
    size, other = len(ours), len(theirs)
    rank = size * other / 2 - Z * math.sqrt(size * other * (size + other + 1) / 12)
    low, middle = apart[max(0, math.floor(rank))], np.median(apart)
    return bool(low > _KAYENTA_TOLERANCE * abs(middle))


def _difference(seen: Seen) -> tuple[Floats, Floats]:
    """Difference of the cumulated rates, and its estimated variance."""
    requests, errors = (np.cumsum(each, axis=1).astype(float) for each in (seen.requests, seen.errors))
    pooled = errors.sum(axis=2) / requests.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = errors / requests
        variance = pooled * (1 - pooled) * (1 / requests[..., 0] + 1 / requests[..., 1])
    return rates[..., 1] - rates[..., 0], variance


def _z(seen: Seen) -> Floats:
    difference, variance = _difference(seen)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = difference / np.sqrt(variance)
    return found


RULES: Final[dict[str, Rule]] = {
    "headgate": allocation,
    "peeking z-test": peeking_z,
    "z-test of a fixed size": fixed_size,
    "Flagger, above 2 x in 5 checks": partial(failed_checks, 2.0, 5),
    "Flagger, above 1.2 x in 5 checks": partial(failed_checks, 1.2, 5),
    "Argo, above 2 x, failureLimit 3": partial(failed_checks, 2.0, 4),
    "Kayenta, Mann-Whitney": kayenta,
    "mixture SPRT": msprt,
    "group-sequential, 5 looks": group_sequential,
}


def figures(world: World, seen: Seen, stops: Stops) -> dict[str, Any]:
    """How often, after how many requests, and after how many errors of the candidate a rule rolled back."""
    runs = len(stops)
    served = np.cumsum(seen.errors[:runs, :, 1], axis=1)
    last = np.minimum(stops, NEVER - 1)
    return {
        "rolled_back": round(float((stops < NEVER).mean()), 4),
        "requests": round(float((last + 1).mean()) * REQUESTS),
        "errors_served": round(float(served[np.arange(runs), last].mean()), 1),
        "runs": runs,
    }
