"""How far groups lie apart: the differences and ratios of Fairlearn, by its names and definitions, with intervals.

The largest of many rates is above the smallest by chance alone. So an interval here comes from intervals of every
group that hold all at once (Bonferroni), and holds at least as often as it says.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from headgate.evaluation.estimate import Estimate, quantile_of, wilson
from headgate.monitors.fairness.groups import Group, Treated


class Method(StrEnum):
    """What a group is compared with; Fairlearn's words."""

    BETWEEN_GROUPS = "between_groups"
    """The highest with the lowest group."""
    TO_OVERALL = "to_overall"
    """Each group with everybody, the farthest counting."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of how far groups lie apart."""

    estimate: Estimate
    """A difference of rates, 0 where groups are alike, or a ratio, 1 where they are."""
    lowest: str = ""
    """The group with the lowest rate, of the rate that decides."""
    highest: str = ""

    def within(self, limit: float) -> bool | None:
        """Whether a difference is at most the limit; None while its interval holds the limit, or without a value.

        >>> Gap(estimate=Estimate("demographic_parity_difference", 0.05, 0.02, 0.09, 900)).within(0.1)
        True
        """
        if self.estimate.low is None or self.estimate.high is None:
            return None
        if self.estimate.high <= limit:
            return True
        return False if self.estimate.low > limit else None


Bounds = tuple[float, float, float]
"""Value, lower and upper bound."""
Rated = tuple[str, Estimate, float, float]
"""A group's name, its rate, and the rate's simultaneous bounds."""
_ODDS: Final = ("true_positive_rate", "false_positive_rate")
_FAMILIES: Final = {
    "demographic_parity": ("selection_rate",),
    "equal_opportunity": ("true_positive_rate",),
    "equalized_odds": _ODDS,
}
"""Rates of each family; of several the worst counts (Fairlearn's ``agg="worst_case"``)."""
GAPS: Final = tuple(f"{family}_{kind}" for family in _FAMILIES for kind in ("difference", "ratio"))


def gaps(found: Treated, *, method: Method, confidence: float) -> dict[str, Gap]:
    """Every difference and ratio by its name in Fairlearn.

    A rate that a group has too few rows for leaves that group out of it; Fairlearn takes a rate over no rows for 0.
    """
    made: dict[str, Gap] = {}
    for family, rates in _FAMILIES.items():
        sides = [_rated(found, name, method, 1 - (1 - confidence) / len(rates)) for name in rates]
        short = next((each for each in sides if isinstance(each, str)), None)
        ready = [each for each in sides if not isinstance(each, str)]
        for kind, measured in (("difference", _difference), ("ratio", _ratio)):
            name = f"{family}_{kind}"
            if short is not None:
                made[name] = Gap(estimate=Estimate(name, None, None, None, found.overall.rows, short))
            else:
                made[name] = _worst(name, ready, measured, method, largest=kind == "difference")
    return made


def _rated(found: Treated, rate: str, method: Method, confidence: float) -> list[Rated] | str:
    """The groups that have the rate, everybody first where they are compared with; or why nothing is compared."""
    known = [(each.name, _of(each, rate)) for each in found.groups]
    known = [(name, each) for name, each in known if each.value is not None]
    if len(known) < 2:
        return f"fewer than two groups are large enough for their {rate.replace('_', ' ')}"
    if method is Method.TO_OVERALL:
        known.insert(0, (found.overall.name, _of(found.overall, rate)))
    z = quantile_of(1 - (1 - confidence) / len(known))
    return [(name, each, *wilson((each.value or 0.0) * each.rows, each.rows, z)) for name, each in known]


def _of(group: Group, rate: str) -> Estimate:
    found: Estimate = getattr(group, rate)
    return found


def _worst(
    name: str, sides: Sequence[list[Rated]], measured: Callable[[Sequence[Rated]], Bounds | None], method: Method, *,
    largest: bool,
) -> Gap:  # fmt: skip
    """The farthest apart of all that is compared; bounds are those of a largest (or smallest) of several."""
    compared = [pair for side in sides for pair in _pairs(side, method)]
    found = [(each, pair) for pair in compared if (each := measured(pair)) is not None]
    rows = sum(each.rows for _, each, _, _ in sides[0])
    if not found:
        return Gap(estimate=Estimate(name, None, None, None, rows, "the rate is 0 in every group, and so has no ratio"))
    pick = max if largest else min
    value, low, high = (pick(each[place] for each, _ in found) for place in range(3))
    decides = pick(found, key=lambda each: each[0][0])[1]
    ranked = sorted(decides, key=lambda each: each[1].value or 0.0)
    return Gap(estimate=Estimate(name, value, low, high, rows), lowest=ranked[0][0], highest=ranked[-1][0])


def _pairs(side: list[Rated], method: Method) -> list[Sequence[Rated]]:
    """What is compared at once: all groups, or each with everybody."""
    return [side] if method is Method.BETWEEN_GROUPS else [(side[0], each) for each in side[1:]]


def _difference(rated: Sequence[Rated]) -> Bounds:
    values = [each.value or 0.0 for _, each, _, _ in rated]
    lows, highs = [low for _, _, low, _ in rated], [high for _, _, _, high in rated]
    return max(values) - min(values), max(0.0, max(lows) - min(highs)), max(highs) - min(lows)


def _ratio(rated: Sequence[Rated]) -> Bounds | None:
    values = [each.value or 0.0 for _, each, _, _ in rated]
    if max(values) == 0.0:
        return None
    lows, highs = [low for _, _, low, _ in rated], [high for _, _, _, high in rated]
    most = min(highs) / max(lows) if max(lows) > 0 else 1.0
    return min(values) / max(values), min(lows) / max(highs), min(1.0, most)
