"""How far groups lie apart: the differences and ratios of Fairlearn, by its names and definitions, with intervals.

The largest of many rates is above the smallest by chance alone. So an interval here comes from intervals of every
group that hold all at once (Bonferroni), and holds at least as often as it says.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final

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
        known = {name: [each for each in found.groups if _of(each, name).value is not None] for name in rates}
        short = next((name for name, groups in known.items() if len(groups) < 2), None)
        why = "" if short is None else f"fewer than two groups are large enough for their {short.replace('_', ' ')}"
        rows = sum(_of(each, name).rows for name in rates for each in known[name])
        share = 1 - (1 - confidence) / len(rates)
        pairs = (pair for name in rates for pair in _compared(found, known[name], name, method, share))
        compared = [] if why else list(pairs)
        for kind, measured, worst in (("difference", _difference, max), ("ratio", _ratio, min)):
            name = f"{family}_{kind}"
            nothing = Gap(estimate=Estimate(name, None, None, None, rows, why or "the rate is 0 in every group"))
            bounds = [(each, pair) for pair in compared if (each := measured(pair)) is not None]
            made[name] = _worst(name, bounds, worst, rows) if bounds else nothing
    return made


def _compared(
    found: Treated, known: Sequence[Group], rate: str, method: Method, confidence: float
) -> list[Sequence[Rated]]:
    """What is compared at once, with bounds that hold all together: all groups, or each with everybody."""
    rated = [(each.name, _of(each, rate)) for each in known]
    if method is Method.TO_OVERALL:
        rated.insert(0, (found.overall.name, _of(found.overall, rate)))
    z = quantile_of(1 - (1 - confidence) / len(rated))
    bounded = [(name, each, *wilson((each.value or 0.0) * each.rows, each.rows, z)) for name, each in rated]
    return [bounded] if method is Method.BETWEEN_GROUPS else [(bounded[0], each) for each in bounded[1:]]


def _of(group: Group, rate: str) -> Estimate:
    found: Estimate = getattr(group, rate)
    return found


def _worst(name: str, bounds: Sequence[tuple[Bounds, Sequence[Rated]]], worst: Callable[..., Any], rows: int) -> Gap:
    """The farthest apart of all that is compared; the bounds of a largest are the largest bounds, and so on.

    `worst` is ``max`` or ``min``.
    """
    value, low, high = (worst(each[place] for each, _ in bounds) for place in range(3))
    _, decides = worst(bounds, key=lambda each: each[0][0])
    ranked = sorted(decides, key=lambda each: each[1].value or 0.0)
    return Gap(estimate=Estimate(name, value, low, high, rows), lowest=ranked[0][0], highest=ranked[-1][0])


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


def calibration_difference(found: Treated) -> Gap:
    """How far the calibration gaps of the groups lie apart, whose intervals must hold all at once.

    >>> from headgate.evaluation.estimate import Estimate
    >>> from headgate.monitors.fairness.groups import Group
    >>> def group(name, gap):
    ...     rate, gap = Estimate("rate", 0.5, 0.4, 0.6, 90), Estimate("gap", gap, gap - 0.02, gap + 0.02, 90)
    ...     return Group(name=name, rows=90, labelled=90, selection_rate=rate, true_positive_rate=rate,
    ...         false_positive_rate=rate, calibration_gap=gap)
    >>> pair = (group("f", 0.1), group("m", -0.05))
    >>> round(calibration_difference(Treated(groups=pair, overall=pair[0], too_small=())).estimate.value, 3)
    0.15
    """
    known = [
        (each.name, gap, gap.low, gap.high)
        for each in found.groups
        if (gap := each.calibration_gap).value is not None and gap.low is not None and gap.high is not None
    ]
    name, rows = "calibration_difference", sum(gap.rows for _, gap, _, _ in known)
    if len(known) < 2:
        why = "fewer than two groups are large enough for their calibration gap"
        return Gap(estimate=Estimate(name, None, None, None, rows, why))
    return _worst(name, [(_difference(known), known)], max, rows)
