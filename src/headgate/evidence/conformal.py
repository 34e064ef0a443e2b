"""Evidence that scores are no longer exchangeable with those of a reference: that what comes in has changed.

A conformal test martingale bets on the p-values of `ranks`, which are uniform and independent while nothing changes.
The bets are those of the simple jumper (Vovk, Petej, Nouretdinov, Ahlberg, Carlsson and Gammerman 2021, "Retrain or not
retrain: conformal test martingales for change-point detection", algorithm 1) with stakes twice as large, as much as a
fair linear bet can stake. Capital C_e is kept for three opinions e of -1, 0 and 1, namely that scores are larger than
they were, as they were, and smaller. At each p-value a share of `JUMP` is dealt out evenly anew, and then

    C_e <- C_e (1 + 2 e (p - 1/2)),   f = (sum of C after) / (sum of C before),   so that E[f | past] = 1.

The factors f are what a detector takes: R <- (R + a) f, with alarms and guarantees as `detector` says. After an alarm
the bag holds the reference alone, because what came since is of another kind.

Exact is the guarantee up to the first alarm after each start. When a reference is by chance unlike what it was drawn
from, alarms that follow a false one come sooner; with references of a thousand scores or more that is not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evidence.detector import check_joins, climbed
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Bags, Ints, Reference, draws

JUMP: Final = 0.01
"""Share of the capital that is dealt out evenly among the opinions at each p-value."""
OPINIONS: Final = np.array([-1.0, 0.0, 1.0])
_MIXING: Final = (1 - JUMP) * np.eye(3) + JUMP / 3
_EVEN: Final = (1 / 3, 1 / 3, 1 / 3)
LONGEST: Final = 64
"""Rows worked on at once; each is compared with those before it."""
SHORTEST: Final = 8
"""So many after an alarm, of which others may follow."""


class Lane(msgspec.Struct, frozen=True):
    """What is known of one score, as a value: keep it, send it, go on from it; nothing else is the state."""

    counts: bytes
    """Scores of the bag, the reference's among them, as `ranks.Reference` keeps them."""
    capital: tuple[float, float, float] = _EVEN
    """Share of the capital that each opinion has."""
    held: float = 0.0
    """R, in the unit of what joins."""
    seen: int = 0
    """Scores so far, those before alarms among them."""

    def renewed(self) -> "Lane":
        """As it is, but that nothing speaks for a change."""
        return msgspec.structs.replace(self, held=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What some rows made of lanes."""

    lanes: tuple[Lane, ...]
    alarms: tuple[tuple[int, int], ...]
    """(row, lane) of each, in the order of the rows."""
    p_values: Floats
    """(rows, lanes), as they were bet on."""


@dataclass(frozen=True, slots=True)
class ConformalTest:
    """Detects that any of several scores of the same rows is not what it was in its reference.

    >>> random = np.random.default_rng(0)
    >>> test = ConformalTest((Reference.of(random.normal(size=200), random.normal(size=2000)),))
    >>> rows = np.concatenate((random.normal(size=500), random.normal(1.0, size=30)))
    >>> found = test.update(test.start(), rows[:, None], np.ones(530), np.array([1e4]))
    >>> 505 < found.alarms[0][0] < 530
    True
    """

    references: tuple[Reference, ...]

    def start(self) -> tuple[Lane, ...]:
        """Nothing speaks for a change, and bags hold their references."""
        return tuple(Lane(each.counts) for each in self.references)

    def update(
        self, lanes: Sequence[Lane], scores: Floats, joins: Floats, limits: Floats, at: Ints | None = None
    ) -> Seen:
        """After `scores`, (rows, lanes), in the order in which they came, of the seasons `at`.

        `joins` says what joins before each row and `limits` when each lane raises an alarm, as in `detector`. Where
        the rows are cut changes nothing but rounding. Raises BadInput where a score or a join is no number, a season
        is none, or the state is another test's.
        """
        check_joins(joins, len(scores), limits)
        if not len(self.references) == len(lanes) == len(limits) == scores.shape[1]:
            raise BadInput("scores", "length", "there must be a column, a reference, a state and a limit of each lane")
        if at is None:
            at = np.zeros(len(scores), np.int64)
        elif len(at) != len(scores) or not bool(((at >= 0) & (at < self.references[0].seasons)).all()):
            raise BadInput("seasons", "range", f"must be one per row, from 0 to {self.references[0].seasons - 1}")
        return _Run(self.references, lanes, scores, at).to_the_end(joins, np.log(limits))


class _Run:
    """Lanes on their way through rows."""

    def __init__(self, references: Sequence[Reference], lanes: Sequence[Lane], scores: Floats, at: Ints) -> None:
        columns = range(scores.shape[1])
        self._bags = Bags(references, [each.counts for each in lanes])
        self._bins = np.stack([references[each].bins(scores[:, each]) for each in columns], axis=1)
        self._uniform = np.stack(
            [draws(references[each].seed, lanes[each].seen, len(scores)) for each in columns], axis=1
        )
        self._at = at
        self._capital = np.array([each.capital for each in lanes])
        self._held = np.array([each.held for each in lanes])
        self._seen = [each.seen + len(scores) for each in lanes]

    def to_the_end(self, joins: Floats, log_limits: Floats) -> Seen:
        p_values = np.empty(self._bins.shape)
        alarms: list[tuple[int, int]] = []
        start, size = 0, LONGEST
        while start < len(p_values):
            piece = slice(start, start + size)
            found = self._bags.places(self._bins[piece], self._at[piece], self._uniform[piece])
            capital = jumped(self._capital, found)
            path = climbed(self._held, factors(self._capital, capital), joins[piece])
            over = path >= log_limits
            is_over = over.any(axis=1)
            last = int(is_over.argmax()) if is_over.any() else len(found) - 1
            self._move(slice(start, start + last + 1), capital[last], np.exp(path[last]))
            self._restart(over[last])
            alarms.extend((start + last, int(lane)) for lane in np.flatnonzero(over[last]))
            p_values[start : start + last + 1] = found[: last + 1]
            start, size = start + last + 1, SHORTEST if over[last].any() else min(2 * size, LONGEST)
        return Seen(self._kept(), tuple(alarms), p_values)

    def _move(self, rows: slice, capital: Floats, held: Floats) -> None:
        self._bags.add(self._bins[rows], self._at[rows])
        # As shares: only their ratios count, and products of many factors would leave what a number can be.
        self._capital = capital / capital.sum(axis=1, keepdims=True)
        self._held = held

    def _restart(self, lanes: NDArray[np.bool_]) -> None:
        self._bags.restart(lanes)
        self._capital[lanes] = _EVEN
        self._held[lanes] = 0.0

    def _kept(self) -> tuple[Lane, ...]:
        capital = [(each[0], each[1], each[2]) for each in self._capital.tolist()]
        kept = zip(self._bags.kept(), capital, self._held.tolist(), self._seen, strict=True)
        return tuple(Lane(*each) for each in kept)


def jumped(capital: Floats, p_values: Floats) -> Floats:
    """The capital of each opinion after each p-value, (rows, lanes, 3), from (lanes, 3) and (rows, lanes).

    >>> jumped(np.full((1, 3), 1 / 3), np.array([[0.25]])).round(3).tolist()
    [[[0.5, 0.333, 0.167]]]
    """
    bets: Floats = 1.0 + 2.0 * np.multiply.outer(p_values - 0.5, OPINIONS)
    mixed = np.empty_like(capital)
    for row in range(len(bets)):
        np.matmul(bets[row - 1] if row else capital, _MIXING, out=mixed)
        bets[row] *= mixed
    return bets


def factors(before: Floats, path: Floats) -> Floats:
    """The logarithm of what each row made of the whole capital, (rows, lanes).

    >>> factors(np.array([[1.0, 1.0, 2.0]]), np.full((2, 1, 3), 2.0)).round(3).tolist()
    [[0.405], [0.0]]
    """
    totals = np.concatenate((before.sum(axis=1)[None], path.sum(axis=2)))
    found: Floats = np.diff(np.log(totals), axis=0)
    return found
