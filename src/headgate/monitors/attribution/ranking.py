"""Which field's shift explains how much of what other inputs cost.

`attribute` asks when the inputs have moved. The value of a set of fields is what the metric would be on the reference
if these fields, together, had the distribution they have now, and the others followed them as they did: reference rows
are weighted by the density ratio of these fields alone. A field's part is its Shapley value (Shapley 1953; for drift
Budhathoki et al. 2021, "Why did the distribution change?"): the mean of what it adds to every set of the others, over
all orders in which they could be added. Parts sum to the value of all less that of none. At most `PLAYERS` fields play,
so there are at most 15 fits.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats, Undefined
from headgate.evaluation.weighted import Reweigh
from headgate.monitors.attribution import regression
from headgate.monitors.attribution.basis import JOINT, Basis, Moved
from headgate.monitors.attribution.overlap import FARTHEST
from headgate.processor import side_by_side

PLAYERS: Final = 4
"""Fields whose parts are worked out; the surest of those that moved."""


class Shift(msgspec.Struct, frozen=True):
    """One field whose distribution moved."""

    field: str
    distance: float
    """The largest standardised difference of means among its columns."""
    p_value: float
    """Chance of as much if nothing had moved, over all fields; 0 where it is too small for a number."""
    cost: float | None
    """Its part in the drop of the metric, positive for worse; None where it is not worked out."""
    reason: str = ""
    """Why there is no cost."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """Density ratios of current to reference rows in some fields, each fitted once for all metrics."""

    columns: Basis
    is_current: NDArray[np.bool_]
    _known: dict[tuple[str, ...], Floats] = field(default_factory=dict)

    def of_all(self, sets: Sequence[tuple[str, ...]]) -> list[Floats]:
        """By each of these sets of fields, the ratio of each of the reference's rows; at most `FARTHEST`."""
        new = [each for each in sets if each not in self._known]
        found = side_by_side(lambda each: _ratio(each, self.columns, self.is_current), new)
        self._known.update(zip(new, found, strict=True))
        return [self._known[each] for each in sets]


def shifts(moved: Sequence[Moved], ratios: Ratios, before: Reweigh | Undefined) -> tuple[Shift, ...]:
    """The fields that moved, those with the largest effect on the metric first, cost or gain; those without one last.

    `before` is the metric as a function of the reference rows' weights, more being worse.
    """
    players = [each.field for each in moved if each.field != JOINT][:PLAYERS]
    costs = _costs(players, ratios, before)
    found = [_shift(each, players, costs) for each in moved]
    return tuple(sorted(found, key=lambda each: (each.cost is None, -abs(each.cost or 0.0), each.p_value)))


def _shift(each: Moved, players: Sequence[str], costs: Mapping[str, float] | Undefined) -> Shift:
    p_value = math.exp(each.log_p)
    if each.field == JOINT:
        return Shift(each.field, each.distance, p_value, None, "it is no field of its own")
    if each.field not in players:
        return Shift(each.field, each.distance, p_value, None, f"only the {PLAYERS} that moved most surely are weighed")
    if isinstance(costs, Undefined):
        return Shift(each.field, each.distance, p_value, None, costs.reason)
    return Shift(each.field, each.distance, p_value, costs[each.field])


def _costs(players: Sequence[str], ratios: Ratios, before: Reweigh | Undefined) -> dict[str, float] | Undefined:
    """What each player's shift costs, or why the metric cannot be weighed."""
    if isinstance(before, Undefined):
        return before
    worth: dict[frozenset[str], float] = {}
    sets = [each for size in range(len(players) + 1) for each in combinations(players, size)]
    for chosen, ratio in zip(sets, ratios.of_all(sets), strict=True):
        value = before(ratio)
        if isinstance(value, Undefined):
            return value
        worth[frozenset(chosen)] = value.value
    return shapley(players, worth)


def shapley(players: Sequence[str], worth: Mapping[frozenset[str], float]) -> dict[str, float]:
    """Each player's part of what all of them add to none; `worth` is that of every set of them.

    >>> worth = {frozenset(): 0.0, frozenset("a"): 1.0, frozenset("b"): 3.0, frozenset("ab"): 6.0}
    >>> shapley("ab", worth)
    {'a': 2.0, 'b': 4.0}
    """
    count = len(players)
    parts = {}
    for player in players:
        adds = {chosen: worth[chosen | {player}] - worth[chosen] for chosen in worth if player not in chosen}
        parts[player] = sum(added / (count * math.comb(count - 1, len(chosen))) for chosen, added in adds.items())
    return parts


def _ratio(chosen: Sequence[str], columns: Basis, is_current: NDArray[np.bool_]) -> Floats:
    here = int(is_current.sum())
    if not chosen:
        return np.ones(len(is_current) - here)
    odds = regression.fitted(columns.of(chosen), is_current)[~is_current]
    ratio: Floats = np.exp(np.clip(odds - math.log(here / (len(is_current) - here)), None, math.log(FARTHEST)))
    return ratio
