"""The groups of a field, or of several fields at once, and how a classifier treats each. `measure` asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, Floats, around, estimate, proportion, quantile_of, wilson
from headgate.evaluation.rows import Column
from headgate.evaluation.slices import Groups, groups

Bools = NDArray[np.bool_]

FEWEST: Final = 10
"""Rows a rate needs to be a rate of: labelled positives for a true positive rate."""
RATES: Final = ("selection_rate", "true_positive_rate", "false_positive_rate")


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """What was decided, row by row, and what turned out."""

    called: Bools
    """Answered with the positive class."""
    truth: Bools
    """Labelled with it."""
    known: Bools
    """Labelled at all."""
    chance: Floats | str
    """The stated chance of it, NaN where a row has none; or why there is none at all."""

    def take(self, chosen: Bools) -> "Decided":
        """The rows of a mask."""
        chance = self.chance if isinstance(self.chance, str) else self.chance[chosen]
        return Decided(self.called[chosen], self.truth[chosen], self.known[chosen], chance)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """How one group is treated; a rate's ``rows`` are those it is a share of."""

    name: str
    """A value of the field, or ``sex=f, region=north`` for several fields."""
    rows: int
    labelled: int
    selection_rate: Estimate
    """Share of the rows that were answered with the positive class."""
    true_positive_rate: Estimate
    """The same among rows labelled positive."""
    false_positive_rate: Estimate
    """The same among rows labelled otherwise."""
    calibration_gap: Estimate
    """Mean stated chance of the positive class less how often it was true; above 0 the group is overrated."""


class Treated(msgspec.Struct, frozen=True, kw_only=True):
    """All groups of a field, and everybody."""

    groups: tuple[Group, ...]
    """Those large enough to be measured, by name."""
    overall: Group
    too_small: tuple[tuple[str, int], ...]
    """Groups left out, and how many rows they have."""


def crossed(sensitive: Mapping[str, Column]) -> Groups:
    """The groups that differ in any of these fields; those without rows are left out.

    >>> made = crossed({"sex": ["f", "m", "f"], "region": ["n", "n", "s"]})
    >>> made.names, made.codes.tolist()
    (('sex=f, region=n', 'sex=f, region=s', 'sex=m, region=n'), [0, 2, 1])
    """
    parts = {field: groups(column) for field, column in sensitive.items()}
    if len(parts) == 1:
        return next(iter(parts.values()))
    codes = np.column_stack([each.codes for each in parts.values()])
    seen, places = np.unique(codes, axis=0, return_inverse=True)
    names = (
        ", ".join(f"{field}={part.names[code]}" for (field, part), code in zip(parts.items(), row, strict=True))
        for row in seen
    )
    return Groups(tuple(names), places.reshape(-1))


def treated(cut: Groups, decided: Decided, *, smallest: int, confidence: float) -> Treated:
    """Every group with at least `smallest` rows, and everybody."""
    counts = np.bincount(cut.codes, minlength=len(cut.names)).tolist()
    z, sized = quantile_of(confidence), list(enumerate(zip(cut.names, counts, strict=True)))
    return Treated(
        groups=tuple(
            _group(name, decided.take(cut.codes == code), z) for code, (name, count) in sized if count >= smallest
        ),
        overall=_group("everybody", decided, z),
        too_small=tuple((name, count) for _, (name, count) in sized if 0 < count < smallest),
    )


def _group(name: str, decided: Decided, z: float) -> Group:
    called, truth, known = decided.called, decided.truth, decided.known
    return Group(
        name=name,
        rows=len(called),
        labelled=int(known.sum()),
        selection_rate=_rate("selection_rate", called, "answered", z),
        true_positive_rate=_rate("true_positive_rate", called[known & truth], "labelled positive", z),
        false_positive_rate=_rate("false_positive_rate", called[known & ~truth], "labelled negative", z),
        calibration_gap=_calibration(decided, z),
    )


def _rate(name: str, called: Bools, of_what: str, z: float) -> Estimate:
    rows = len(called)
    if rows < FEWEST:
        return Estimate(name, None, None, None, rows, f"{rows} rows are {of_what}; {FEWEST} are needed")
    return proportion(name, int(called.sum()), rows, z)


def _calibration(decided: Decided, z: float) -> Estimate:
    name = "calibration_gap"
    if isinstance(decided.chance, str):
        return Estimate(name, None, None, None, 0, decided.chance)
    chosen = decided.known & np.isfinite(decided.chance)
    rows = int(chosen.sum())
    if rows < FEWEST:
        return Estimate(name, None, None, None, rows, f"{rows} labelled rows have a probability; {FEWEST} are needed")
    apart = decided.chance[chosen] - decided.truth[chosen]
    value, hits = float(apart.mean()), int(decided.truth[chosen].sum())
    if hits in (0, rows):
        # No label stands out, so the differences hardly vary; no sample warrants an interval that small.
        stated, (least, most) = float(decided.chance[chosen].mean()), wilson(hits, rows, z)
        return Estimate(name, value, stated - most, stated - least, rows)
    return estimate(name, around(value, apart - value, z, floor=-1.0, ceiling=1.0), rows)
