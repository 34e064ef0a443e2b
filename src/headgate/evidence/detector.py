"""Evidence that something has changed since some unknown moment, and alarms whose rate was stated beforehand.

A test asks whether a null ever held; a detector asks whether it still does. With every observation a new unit of
evidence joins those that bet already, as if the change began there: the Shiryaev-Roberts form of an e-detector (Shin,
Ramdas and Rinaldo 2024, "E-detectors: a nonparametric framework for sequential change detection", section 2).
For each bet, with exp(g_t) what observation t makes of it and a_t what joins before it,

    R_t = (R_(t-1) + a_t) exp(g_t),   an alarm where the mean of the bets' R_t is at `limit` or above, then R_t = 0.

All guarantees follow from one line. While the null holds, E[exp(g_t)] <= 1 given the past, so with N_t alarms by t

    R_t + limit N_t - (a_1 + ... + a_t)

does not grow on average: an alarm adds `limit` and takes away at least as much. It starts at 0, so at every t

    **expected number of false alarms <= what has joined / limit.**                                               (*)

* *Every a_t = 1*: at most one false alarm per `limit` observations, and up to the first one there are at least `limit`
  of them on average.
* *a_t = the time since the observation before*: what joins by t is the time that passed, so (*) speaks of time whatever
  the traffic does; see `since`. It may not be known from the observation itself how late that is.
* *a_t = 1 / (t (t + 1))*, `ever`: all that ever joins is 1, so with a limit of 1 / alpha there is any false alarm at
  all, even after alarms, with a probability of at most alpha.

Rates of several detectors add, whatever they share, because expectations do: that is all an endpoint's budget rests on.
The time to the first alarm of any of them is another matter, see `false_alarms`.
"""

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.evidence.betting import BettingTest
from headgate.evidence.mixture import Floats

LONGEST = 1024
"""Observations worked on at once; what is computed of them fits a processor's cache."""
SHORTEST = 32
"""So many after an alarm, of which others may follow."""


class Watch(msgspec.Struct, frozen=True):
    """What a detector holds, as a value: keep it, send it, go on from it; nothing else is the state.

    >>> watch, alarms = Watch.of(1).moved(np.full((5, 1), np.log(2.0)), np.ones(5), limit=10.0)
    >>> alarms, watch.level
    ((2,), 6.0)
    """

    held: tuple[float, ...]
    """R of each bet: in the unit of what joins, never negative, below `limit` on average."""

    @classmethod
    def of(cls, bets: int) -> "Watch":
        """Nothing speaks for a change; BadInput below one bet."""
        if bets < 1:
            raise BadInput("bets", "range", "there must be at least one bet")
        return cls((0.0,) * bets)

    @property
    def level(self) -> float:
        """What is held against `limit`: 0 at the start and after an alarm."""
        return math.fsum(self.held) / len(self.held)

    def renewed(self) -> "Watch":
        """As at the start."""
        return Watch((0.0,) * len(self.held))

    def moved(self, gains: Floats, joins: Floats, limit: float) -> tuple["Watch", tuple[int, ...]]:
        """After more observations, and places of those at which there was an alarm.

        `gains` is (observations, bets), the logarithm of what each made of each bet; `joins` says what joins before
        each, 0 or more. Where the observations are cut changes nothing but rounding. Raises BadInput for joins that
        are negative or no numbers, and for a limit that is not positive.
        """
        check_joins(joins, len(gains), limit)
        held, start, size = np.array(self.held), 0, LONGEST
        alarms: list[int] = []
        while start < len(gains):
            piece = slice(start, start + size)
            path = climbed(held, gains[piece], joins[piece])
            place = _crossing(path, math.log(limit))
            if place is None:
                held, start, size = np.exp(path[-1]), start + len(path), min(2 * size, LONGEST)
            else:
                alarms.append(start + place)
                held, start, size = np.zeros(len(held)), start + place + 1, SHORTEST
        return Watch(tuple(held.tolist())), tuple(alarms)


def climbed(held: Floats, gains: Floats, joins: Floats) -> Floats:
    """The logarithm of R after each of some observations, (observations, lanes), as if there were no limit.

    With S_t the sum of the gains so far, R_t = exp(S_t) (R_0 + a_1 + a_2 exp(-S_1) + ... + a_t exp(-S_(t-1))): a sum
    of logarithms that neither overflows nor takes a step in Python.

    >>> np.exp(climbed(np.array([1.0]), np.log([[0.5], [3.0]]), np.ones(2))).round(9).tolist()
    [[1.0], [6.0]]
    """
    sums = np.zeros((len(gains) + 1, gains.shape[1]))
    np.cumsum(gains, axis=0, out=sums[1:])
    entered = np.empty_like(sums)
    # What is 0 has joined nothing, and nothing is minus infinity.
    with np.errstate(divide="ignore"):
        entered[0] = np.log(held)
        entered[1:] = np.log(joins)[:, None] - sums[:-1]
    found: Floats = sums[1:] + np.logaddexp.accumulate(entered, axis=0)[1:]
    return found


def _crossing(path: Floats, log_limit: float) -> int | None:
    """The first row whose mean is at the limit."""
    # A mean is no larger than the largest part of it: most rows need no sum.
    hopeful = np.flatnonzero(path.max(axis=1) >= log_limit)
    if not len(hopeful):
        return None
    levels = np.logaddexp.reduce(path[hopeful], axis=1) - math.log(path.shape[1])
    over = np.flatnonzero(levels >= log_limit)
    return int(hopeful[over[0]]) if len(over) else None


def ever(seen: int, count: int) -> Floats:
    """What joins before each of the next `count` observations where all that ever joins is 1: 1 / (t (t + 1)).

    >>> ever(0, 3).round(4).tolist()
    [0.5, 0.1667, 0.0833]
    """
    places = np.arange(seen + 1, seen + count + 1, dtype=np.float64)
    joins: Floats = 1.0 / (places * (places + 1.0))
    return joins


def since(latest: float, times: Floats) -> Floats:
    """What joins where the clock is time: what passed since the observation before, nothing where time went backwards.

    >>> since(1.0, np.array([1.5, 1.2, 4.0])).tolist()
    [0.5, 0.0, 2.5]
    """
    reached = np.maximum.accumulate(np.concatenate(([latest], times)))
    passed: Floats = np.diff(reached)
    return passed


@dataclass(frozen=True, slots=True)
class EDetector:
    """Detects that a mean has gone beyond a test's null since some moment, however often somebody looks.

    >>> detector = EDetector(BettingTest(low=0.0, high=1.0, mean=0.1), limit=1e4)
    >>> losses = np.concatenate((np.tile([0.0] * 9 + [1.0], 20), np.ones(10)))
    >>> state, alarms = detector.update(detector.start(), losses)
    >>> alarms
    (204,)
    """

    test: BettingTest
    """Its null is what still holds while nothing has changed: a mean at most, or at least, so large."""
    limit: float
    """In the unit of what joins."""

    def start(self) -> Watch:
        """Nothing speaks for a change."""
        return Watch.of(self.test.bets)

    def update(self, state: Watch, values: Floats, joins: Floats | None = None) -> tuple[Watch, tuple[int, ...]]:
        """After `values` in the order in which they came, and places of those at which there was an alarm.

        Without `joins` 1 joins before each. Raises BadInput where a value is no number that the test speaks of.
        """
        return state.moved(self.test.gains(values), np.ones(len(values)) if joins is None else joins, self.limit)


def check_joins(joins: Floats, count: int, limit: float | Floats) -> None:
    """Raises BadInput unless there is something to join before each of `count` observations, and a positive limit.

    >>> check_joins(np.ones(3), 3, 10.0)
    """
    if len(joins) != count:
        raise BadInput("joins", "length", "must be one per observation")
    if not bool(((joins >= 0) & np.isfinite(joins)).all()):
        raise BadInput("joins", "range", "must be numbers of 0 or more")
    if not bool(np.all((np.asarray(limit) > 0) & np.isfinite(limit))):
        raise BadInput("limit", "range", "must be a positive number")
