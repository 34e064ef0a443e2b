"""A mixture of bets: the one kind of number that every test in this room comes down to.

Each bet is a constant stake on the null hypothesis being wrong, in one direction and by one amount. While the null
holds no bet gains on average, so neither does their mean, and by Ville's inequality it ever reaches 1/alpha with a
probability of at most alpha, however often somebody looks (Ville 1939; Ramdas, Grünwald, Vovk and Shafer 2023,
"Game-theoretic statistics and safe anytime-valid inference").
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
_CHUNK: Final = 4096
"""Updates worked on at once: what is computed of them fits a processor's cache."""
_KINDS: Final = 12
"""Kinds of updates in a chunk up to which each is worked out once; looking for more costs more than it saves."""


class Mixture(msgspec.Struct, frozen=True):
    """How much each bet has gained, as a value: keep it, send it, go on from it; nothing else is the state.

    Going on from it in one step or in many gives the same mixture: `moved` to the last bit, `fed` but for rounding.

    >>> mixture = Mixture.of(2).moved(np.log([[1.5, 0.5], [1.5, 0.5]]))
    >>> round(math.exp(mixture.log_e), 3), mixture.updates
    (1.25, 2)
    """

    log_weights: tuple[float, ...]
    """Logarithm of what each bet has, its part of the first unit included."""
    log_peak: float = 0.0
    """The largest `log_e` there ever was."""
    updates: int = 0
    """How often it was moved."""

    @classmethod
    def of(cls, bets: int) -> "Mixture":
        """`bets` bets that share one unit evenly; BadInput below one."""
        if bets < 1:
            raise BadInput("bets", "range", "there must be at least one bet")
        return cls((-math.log(bets),) * bets)

    @property
    def log_e(self) -> float:
        """Logarithm of the evidence against the null, 0 at the start."""
        return float(log_sum(np.array([self.log_weights]))[0])

    @property
    def p_value(self) -> float:
        """Smallest alpha at which it would have rejected by now; valid at every look at once."""
        return math.exp(-max(0.0, self.log_peak))

    def rejects(self, alpha: float) -> bool:
        """Whether the evidence ever reached 1/alpha: under the null this happens with probability alpha at most."""
        return self.log_peak >= -math.log(alpha)

    def moved(self, gains: Floats) -> "Mixture":
        """After more updates: `gains` is (updates, bets), the logarithm of what each made of each bet."""
        if not len(gains):
            return self
        # Summed from the weights on, one after the other: a sum of sums would depend on where the steps were cut.
        path = np.empty((len(gains) + 1, len(self.log_weights)))
        path[0], path[1:] = self.log_weights, gains
        path = np.add.accumulate(path, out=path)[1:]
        peak = max(self.log_peak, _highest(path, self.log_peak))
        return Mixture(tuple(path[-1].tolist()), peak, self.updates + len(gains))

    def fed(self, gains: Callable[..., Floats], *columns: NDArray[Any]) -> "Mixture":
        """After a history: `columns` have an entry per update, `gains` makes of some of them what `moved` takes.

        Updates that are alike are worked out once, and a stretch of them is one step.
        """
        state = self
        for start in range(0, max(map(len, columns)), _CHUNK):
            state = state._fed(gains, tuple(each[start : start + _CHUNK] for each in columns))
        return state

    def _fed(self, gains: Callable[..., Floats], piece: Sequence[NDArray[Any]]) -> "Mixture":
        found = _kinds(piece)
        if found is None:
            return self.moved(gains(*piece))
        firsts, kinds = found
        # Along a stretch the evidence is a convex function of its length, so its peak lies at an end.
        ends = np.flatnonzero(np.diff(kinds, append=-1))
        lengths = np.diff(ends, prepend=-1).astype(np.float64)
        steps = gains(*(each[firsts] for each in piece)).take(kinds[ends], axis=0)
        steps *= lengths[:, None]
        return msgspec.structs.replace(self.moved(steps), updates=self.updates + len(kinds))

    def merged(self, other: "Mixture") -> "Mixture":
        """What both have seen, where neither saw the other's updates; BadInput when they bet differently.

        Which of them moved first is unknown then, so the peak is that of the merged evidence now, or later.
        """
        if len(self.log_weights) != len(other.log_weights):
            raise BadInput("bets", "length", "evidence of different tests cannot be merged")
        bets = math.log(len(self.log_weights))
        weights = tuple(one + two + bets for one, two in zip(self.log_weights, other.log_weights, strict=True))
        merged = Mixture(weights, 0.0, self.updates + other.updates)
        return msgspec.structs.replace(merged, log_peak=max(0.0, merged.log_e))


def _kinds(columns: Sequence[NDArray[Any]]) -> tuple[Places, Places] | None:
    """Where each kind of entry stands first, and of which kind each is; None where there are more than a few kinds."""
    count = len(columns[0])
    if any(len(each) != count for each in columns):
        return None
    kinds = np.zeros(count, np.intp)
    firsts: list[int] = []
    left = np.ones(count, np.bool_)
    while left.any():
        first = int(left.argmax())
        same = left.copy()
        for each in columns:
            same &= each == each[first]
        # What is no number is like nothing, itself included.
        if len(firsts) == _KINDS or not same[first]:
            return None
        kinds[same] = len(firsts)
        firsts.append(first)
        left &= ~same
    return np.array(firsts, np.intp), kinds


def log_sum(logs: Floats) -> Floats:
    """The logarithm of the sum over the last axis, of logarithms.

    >>> log_sum(np.log([[1.0, 2.0], [3.0, 4.0]])).round(3).tolist()
    [1.099, 1.946]
    """
    largest = logs.max(axis=-1)
    summed: Floats = largest + np.log(np.exp(logs - largest[..., None]).sum(axis=-1))
    return summed


def log_mean(logs: Floats) -> Floats:
    """The logarithm of the mean over the last axis, of logarithms.

    >>> log_mean(np.log([[1.0, 3.0], [3.0, 5.0]])).round(3).tolist()
    [0.693, 1.386]
    """
    return log_sum(logs) - math.log(logs.shape[-1])


def _highest(path: Floats, least: float) -> float:
    """The largest sum of any row, or some lesser one where none exceeds `least`."""
    # A row's sum lies between its largest part and as many times that: most rows cannot be the highest.
    largest = path.max(axis=1)
    hopeful = largest >= max(least, float(largest.max())) - math.log(path.shape[1])
    return float(log_sum(path[hopeful]).max()) if hopeful.any() else least


def check_alpha(alpha: float) -> None:
    """Raises BadInput where `alpha` is no error rate between 0 and 1.

    >>> check_alpha(0.05)
    """
    if not 0 < alpha < 1:
        raise BadInput("alpha", "range", "must lie between 0 and 1, neither of them included")
