"""Simulated traffic of two arms, interval by interval: what every rule is judged on.

A world has a rate of errors, a candidate with some multiple of it, and a share of traffic. It may drift: a wave of 60 %
that both arms share, and bursts of six times the errors. Its users may be sticky, each with a rate of their own.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

INTERVALS: Final = 250
REQUESTS: Final = 200
"""Per interval; a look comes at the end of each."""
RAMP: Final = np.repeat([0.01, 0.05, 0.25, 0.5], [50, 50, 50, 100])
_WAVE, _PERIOD = 0.6, 50
_BURST, _BURSTS = 6.0, 0.02
_HIGHEST: Final = 0.95
_USERS_AT_ONCE: Final = 100
"""Runs of sticky users drawn together: each is a matrix of users and intervals."""


@dataclass(frozen=True)
class World:
    """One cell of the grid."""

    rate: float
    ratio: float
    share: float | None
    """None is the ramp of 1, 5, 25 and 50 %."""
    drifts: bool = False
    users: int | None = None
    """Sticky users; None draws an arm per request."""

    @property
    def shares(self) -> Floats:
        """The probability of the candidate in each interval."""
        return RAMP if self.share is None else np.full(INTERVALS, self.share)

    @property
    def is_null(self) -> bool:
        """Whether a rollback would be wrong."""
        return self.ratio <= 1

    def names(self) -> dict[str, Any]:
        """What tells it from other cells."""
        return {
            "rate": f"{self.rate:.1%}",
            "ratio": self.ratio,
            "share": "ramp" if self.share is None else f"{self.share:.0%}",
            "drift": "yes" if self.drifts else "no",
            "routing": "per request" if self.users is None else f"{self.users} sticky users",
        }


@dataclass(frozen=True)
class Seen:
    """What happened in every run and interval; arms are 0 for live and 1 for the candidate."""

    shares: Floats
    """(intervals,)"""
    requests: Counts
    """(runs, intervals, 2)"""
    errors: Counts
    """(runs, intervals, 2)"""
    counted: Counts
    """The errors that evidence may count: all, or the first of each sticky user."""
    twins: Counts
    """(runs, intervals): errors of a baseline as large as the candidate's arm, for the rule that asks for one."""


def draw(world: World, runs: int, random: np.random.Generator) -> Seen:
    """`runs` runs of `world`."""
    if world.users is None:
        return _per_request(world, runs, random)
    parts = [_sticky(world, world.users, size, random) for size in batches(runs, _USERS_AT_ONCE)]
    names = ("requests", "errors", "counted", "twins")
    return Seen(world.shares, *(np.concatenate([getattr(each, name) for each in parts]) for name in names))


def batches(runs: int, most: int) -> list[int]:
    """The runs in batches of `most`, for what would not fit at once."""
    return [min(most, runs - begin) for begin in range(0, runs, most)]


def _levels(world: World, runs: int, random: np.random.Generator) -> Floats:
    """(runs, intervals): the live version's rate as a multiple of what it is on average in calm weather."""
    if not world.drifts:
        return np.ones((runs, INTERVALS))
    phase = random.random((runs, 1))
    wave = 1 + _WAVE * np.sin(2 * np.pi * (np.arange(INTERVALS) / _PERIOD + phase))
    found: Floats = wave * np.where(random.random((runs, INTERVALS)) < _BURSTS, _BURST, 1.0)
    return found


def _rates(world: World, levels: Floats) -> Floats:
    """Rates of both arms, the last axis."""
    live = np.minimum(world.rate * levels, _HIGHEST)
    return np.stack((live, np.minimum(live * world.ratio, _HIGHEST)), axis=-1)


def _per_request(world: World, runs: int, random: np.random.Generator) -> Seen:
    rates = _rates(world, _levels(world, runs, random))
    ours = random.binomial(REQUESTS, world.shares, size=(runs, INTERVALS))
    requests = np.stack((REQUESTS - ours, ours), axis=-1)
    errors = random.binomial(requests, rates)
    return Seen(world.shares, requests, errors, errors, random.binomial(ours, rates[..., 0]))


def _sticky(world: World, users: int, runs: int, random: np.random.Generator) -> Seen:
    own = random.beta(0.25, 4.75, size=(runs, users, 1)) / 0.05
    levels = _levels(world, runs, random)[:, None, :] * own
    is_candidate = random.random((runs, users, 1)) < world.shares
    rates = _rates(world, levels)
    asked = random.poisson(REQUESTS / users, size=(runs, users, INTERVALS))
    failed = random.binomial(asked, np.where(is_candidate, rates[..., 1], rates[..., 0]))
    first = (failed > 0) & (np.cumsum(failed > 0, axis=2) == 1)
    requests, errors, counted = (_by_arm(each, is_candidate) for each in (asked, failed, first.astype(np.int64)))
    twins = random.binomial(requests[..., 1], np.minimum(world.rate * _levels(world, runs, random), _HIGHEST))
    return Seen(world.shares, requests, errors, counted, twins)


def _by_arm(counts: Counts, is_candidate: NDArray[np.bool_]) -> Counts:
    """(runs, intervals, 2): sums over users of each arm."""
    return np.stack(((counts * ~is_candidate).sum(axis=1), (counts * is_candidate).sum(axis=1)), axis=-1)
