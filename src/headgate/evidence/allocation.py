"""Evidence about rates, from which arm events fall into: errors, refusals, slow answers, conversions.

Only requests with an event count. Given one, its arm is a coin whose bias follows from the share of traffic each arm
had at that moment and from the ratio of their rates, so neither the traffic nor the rate itself has to be constant.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evidence.mixture import Floats, Mixture

Bools = NDArray[np.bool_]
FACTORS: Final = tuple(np.geomspace(1.1, 4.0, 12).tolist())
"""How many times the null's ratio each bet expects; a ratio beyond the last is found as quickly as the last."""


@dataclass(frozen=True, slots=True)
class AllocationTest:
    """Tests what the candidate's rate of events is, as a multiple of the live version's.

    The null says the ratio is `null` at most where all `ratios` are larger, at least where all are smaller, and
    exactly `null` where some are either. Lindon and Malek 2022, "Anytime-valid inference for multinomial count data".
    Use `worse`, `better` or `different` to make one.

    >>> test = AllocationTest.worse()
    >>> state = test.update(test.start(), np.ones(8, np.bool_), np.full(8, 0.1))
    >>> state.rejects(0.01)
    True
    """

    null: float
    ratios: tuple[float, ...]

    @classmethod
    def worse(cls, than: float = 1.0) -> "AllocationTest":
        """Evidence that the candidate has more than `than` times the events."""
        return cls(_positive(than), tuple(than * each for each in FACTORS))

    @classmethod
    def better(cls, than: float = 1.0) -> "AllocationTest":
        """Evidence that the candidate has less than `than` times the events; with 1.25 that it is not much worse."""
        return cls(_positive(than), tuple(than / each for each in FACTORS))

    @classmethod
    def different(cls) -> "AllocationTest":
        """Evidence that the arms' rates differ.

        With every request as an event this is the check of the sample ratio: of a router that does not send what it
        says, or of labels that come more often for one arm.
        """
        return cls(1.0, (*(1 / each for each in reversed(FACTORS)), *FACTORS))

    def start(self) -> Mixture:
        """Evidence of nothing."""
        return Mixture.of(len(self.ratios))

    def update(self, state: Mixture, candidate: Bools, shares: Floats) -> Mixture:
        """After events in order: whose each was, and the probability with which its request went to the candidate.

        Raises BadInput where a share is no probability, or an arm had an event that never had a request.
        """
        return state.fed(self.gains, candidate, shares)

    def gains(self, candidate: Bools, shares: Floats) -> Floats:
        """What each event makes of each bet, as `Mixture.moved` takes it."""
        _check(candidate, shares)
        # With theta(r) = share r / (share r + 1 - share), the likelihood ratio of one event against the null.
        odds = np.array(self.ratios)
        live = np.log1p(shares * (self.null - 1.0))[:, None] - np.log1p(np.multiply.outer(shares, odds - 1.0))
        found: Floats = live + np.multiply.outer(candidate.astype(np.float64), np.log(odds / self.null))
        return found


def first_of_each(entities: Sequence[str | None], seen: Container[str | None] = frozenset()) -> Bools:
    """Which events are the first of their entity, none of those `seen` before among them.

    Where an entity always meets the same version its events belong together, and only the first may count: with all
    of them a test is wrong far more often than it says.

    >>> first_of_each(["u1", "u2", "u1"], frozenset(["u2"])).tolist()
    [True, False, False]
    """
    known: set[str | None] = set()
    found = []
    for each in entities:
        found.append(each not in known and each not in seen)
        known.add(each)
    return np.array(found, np.bool_)


def _positive(ratio: float) -> float:
    if not 0 < ratio < float("inf"):
        raise BadInput("ratio", "range", "must be a positive number")
    return ratio


def _check(candidate: Bools, shares: Floats) -> None:
    if len(candidate) != len(shares):
        raise BadInput("shares", "length", "must be one per event")
    if not bool(((shares >= 0) & (shares <= 1)).all()):
        raise BadInput("shares", "range", "must be probabilities from 0 to 1")
    if bool((shares[candidate] == 0).any()) or bool((shares[~candidate] == 1).any()):
        raise BadInput("shares", "contradiction", "an arm had an event although no request could reach it")
