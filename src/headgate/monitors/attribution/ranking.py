"""Which field's shift explains how much of what other inputs cost.

`attribute` asks when the inputs have moved. The value of a set of fields is what the metric would be on the reference
if these fields, together, had the distribution they have now, and the others followed them as they did: reference rows
are weighted by the density ratio of these fields alone. A field's part is its Shapley value (Shapley 1953; for drift
Budhathoki et al. 2021, "Why did the distribution change?"): the mean of what it adds to every set of the others. Parts
sum to the value of all. At most `PLAYERS` fields play, so there are at most 15 fits.
"""

import math
from collections.abc import Sequence
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


def shifts(
    moved: Sequence[Moved], columns: Basis, is_current: NDArray[np.bool_], before: Reweigh | Undefined
) -> tuple[Shift, ...]:
    """The fields that moved, costliest first; those without a cost last.

    `before` is the metric as a function of the reference rows' weights, more being worse.
    """
    fields = [each for each in moved if each.field != JOINT]
    players = [each.field for each in fields[:PLAYERS]]
    if isinstance(before, Undefined):
        costs, reason = dict.fromkeys(players), before.reason
    else:
        costs = shapley(players, _values(players, columns, is_current, before))
        reason = f"only the {PLAYERS} fields that moved most surely are weighed"
    found = [_shift(each, costs.get(each.field), reason) for each in fields]
    joint = [_shift(each, None, "it is no field of its own") for each in moved if each.field == JOINT]
    return tuple(sorted((*found, *joint), key=lambda each: (each.cost is None, -abs(each.cost or 0.0), each.p_value)))


def _shift(each: Moved, cost: float | None, reason: str) -> Shift:
    return Shift(each.field, each.distance, math.exp(each.log_p), cost, "" if cost is not None else reason)


def shapley(players: Sequence[str], values: dict[frozenset[str], float | None]) -> dict[str, float | None]:
    """Each player's part of the value of all; None for all where any set has no value.

    >>> worth = {frozenset(): 0.0, frozenset("a"): 1.0, frozenset("b"): 3.0, frozenset("ab"): 6.0}
    >>> shapley("ab", worth)
    {'a': 2.0, 'b': 4.0}
    """
    known = {chosen: value for chosen, value in values.items() if value is not None}
    if len(known) < len(values):
        return dict.fromkeys(players)
    count = len(players)
    parts: dict[str, float | None] = {}
    for player in players:
        adds = {chosen: known[chosen | {player}] - known[chosen] for chosen in known if player not in chosen}
        parts[player] = sum(added / (count * math.comb(count - 1, len(chosen))) for chosen, added in adds.items())
    return parts


def _values(
    players: Sequence[str], columns: Basis, is_current: NDArray[np.bool_], before: Reweigh
) -> dict[frozenset[str], float | None]:
    """The metric of the reference under the present distribution of every set of players."""
    found: dict[frozenset[str], float | None] = {}
    for size in range(len(players) + 1):
        for chosen in combinations(players, size):
            value = before(_ratio(chosen, columns, is_current))
            found[frozenset(chosen)] = None if isinstance(value, Undefined) else value.value
    return found


def _ratio(chosen: Sequence[str], columns: Basis, is_current: NDArray[np.bool_]) -> Floats:
    """Density ratio of current to reference rows in some fields, for the reference's rows; clipped at `FARTHEST`."""
    here = int(is_current.sum())
    if not chosen:
        return np.ones(len(is_current) - here)
    odds = regression.fitted(columns.of(chosen), is_current)[~is_current]
    ratio: Floats = np.exp(np.clip(odds - math.log(here / (len(is_current) - here)), None, math.log(FARTHEST)))
    return ratio
