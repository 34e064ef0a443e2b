"""How groups of people were treated, as counts that add up over days; `fairness` compares them.

Groups are named by their field's value, those of several fields at once by all of them. Numbers are cut where the first
day on which there were enough of them has its quarters, and there ever after, so that a group is the same all along.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from headgate.evaluation.estimate import Estimate, Floats, proportion, quantile_of, wilson
from headgate.evaluation.slices import MISSING, OTHERS, SMALLEST
from headgate.monitors.columns import Bools, Ints, floats, text
from headgate.monitors.fairness.groups import FEWEST, Group, Treated

MOST: Final = 50
"""Groups of a field that are told apart; those that come later share ``(others)``."""
QUARTERS: Final = (0.25, 0.5, 0.75)
ENOUGH: Final = 200
"""Numbers of a day from which it is cut."""


class Counted(msgspec.Struct, frozen=True):
    """One group."""

    rows: int = 0
    called: int = 0
    """Answered with the positive class."""
    positives: int = 0
    """Labelled with it."""
    hits: int = 0
    """Those of them that were answered so."""
    negatives: int = 0
    """Labelled otherwise."""
    wrongs: int = 0
    """Those of them that were answered with it."""
    stated: int = 0
    """Labelled with a stated chance."""
    true: int = 0
    """Those of them labelled with the positive class."""
    apart: float = 0.0
    """Sum of stated chances less truths."""
    squares: float = 0.0
    """Sum of the squares of these differences."""

    def added(self, other: "Counted") -> "Counted":
        """Both together."""
        return Counted(*(one + two for one, two in zip(*map(msgspec.structs.astuple, (self, other)), strict=True)))


Treatment = dict[str, dict[str, Counted]]
"""By the field, or ``sex and region`` for those crossed, and by the group."""
Cuts = dict[str, tuple[float, ...]]
"""Where the numbers of a field are cut."""


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What was decided of the rows of a day, and what turned out; flat arrays."""

    called: Bools
    truth: Bools
    known: Bools
    chance: Floats
    """Stated, NaN where there is none."""

    def counts(self, codes: Ints, count: int) -> list[Counted]:
        """What each of so many groups adds up to."""
        stated = self.known & np.isfinite(self.chance)
        apart = np.where(stated, np.nan_to_num(self.chance) - self.truth, 0.0)
        masks = (
            np.ones(len(codes), np.bool_),
            self.called,
            self.known & self.truth,
            self.known & self.truth & self.called,
            self.known & ~self.truth,
            self.known & ~self.truth & self.called,
            stated,
            stated & self.truth,
        )
        sums = [np.bincount(codes[mask], minlength=count).tolist() for mask in masks]
        weights = [np.bincount(codes, weights=each, minlength=count).tolist() for each in (apart, apart * apart)]
        return [Counted(*each) for each in zip(*sums, *weights, strict=True)]


def treatment_of(columns: Mapping[str, Sequence[str]], decisions: Decisions) -> Treatment:
    """The groups of each field, and of all of them crossed where there are several; `columns` name every row's."""
    wanted = {field: list(column) for field, column in columns.items()}
    if len(columns) > 1:
        pairs = zip(*columns.values(), strict=True)
        crossed = [", ".join(f"{field}={each}" for field, each in zip(columns, row, strict=True)) for row in pairs]
        wanted[" and ".join(columns)] = crossed
    found: Treatment = {}
    for field, column in wanted.items():
        names, codes = np.unique(np.array(column, dtype=object).astype(str), return_inverse=True)
        found[field] = dict(zip(names.tolist(), decisions.counts(codes.reshape(-1), len(names)), strict=True))
    return found


def together(one: Treatment, other: Treatment) -> Treatment:
    """Both added up; groups beyond the fiftieth of a field are laid together."""
    found = {field: dict(groups) for field, groups in one.items()}
    for field, groups in other.items():
        held = found.setdefault(field, {})
        for name, counted in sorted(groups.items(), key=lambda each: (-each[1].rows, each[0])):
            place = name if name in held or len(held) < MOST - 1 else OTHERS
            held[place] = held.get(place, Counted()).added(counted)
    return found


def names_of(column: pa.ChunkedArray, cuts: tuple[float, ...]) -> list[str]:
    """The group of every row.

    >>> names_of(pa.chunked_array([[18.0, 40.0, None]]), (20.0, 30.0))
    ['below 20', '30 and more', '(missing)']
    """
    if not _is_number(column.type):
        return [MISSING if each is None else each[:60] for each in text(column).to_pylist()]
    if not cuts:
        return [MISSING] * len(column)
    values = floats(column)
    edges = [f"{each:.6g}" for each in cuts]
    names = [f"below {edges[0]}", *(f"{low} to {high}" for low, high in pairwise(edges))]
    names += [f"{edges[-1]} and more", MISSING]
    places = np.where(np.isnan(values), len(names) - 1, np.searchsorted(np.array(cuts), values, side="right"))
    return [names[each] for each in places.tolist()]


def cuts_of(column: pa.ChunkedArray) -> tuple[float, ...]:
    """Where the numbers of a first day are cut; nowhere where there are too few, and where they are no numbers."""
    if not _is_number(column.type):
        return ()
    values = floats(column)
    values = values[np.isfinite(values)]
    if len(values) < ENOUGH:
        return ()
    return tuple(sorted({float(each) for each in np.quantile(values, QUARTERS)}))


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def treated_of(groups: Mapping[str, Counted], confidence: float) -> Treated:
    """The rates of every group that is large enough, with intervals of that confidence.

    Of calibration gaps they hold all at once (Bonferroni), as `headgate.monitors.fairness.gaps` makes those of rates.
    """
    large = {name: each for name, each in groups.items() if each.rows >= SMALLEST}
    z, strict = (quantile_of(1 - (1 - confidence) / each) for each in (1, max(1, len(large))))
    everybody = Counted()
    for each in groups.values():
        everybody = everybody.added(each)
    return Treated(
        groups=tuple(_group(name, large[name], z, strict) for name in sorted(large)),
        overall=_group("everybody", everybody, z, z),
        too_small=tuple((name, each.rows) for name, each in sorted(groups.items()) if name not in large),
    )


def _group(name: str, counted: Counted, z: float, strict: float) -> Group:
    return Group(
        name=name,
        rows=counted.rows,
        labelled=counted.positives + counted.negatives,
        selection_rate=_rate("selection_rate", counted.called, counted.rows, z),
        true_positive_rate=_rate("true_positive_rate", counted.hits, counted.positives, z),
        false_positive_rate=_rate("false_positive_rate", counted.wrongs, counted.negatives, z),
        calibration_gap=_calibration(counted, strict),
    )


def _rate(name: str, hits: int, rows: int, z: float) -> Estimate:
    if rows < FEWEST:
        return Estimate(name, None, None, None, rows, f"{rows} rows are too few; {FEWEST} are needed")
    return proportion(name, hits, rows, z)


def _calibration(counted: Counted, z: float) -> Estimate:
    name, rows = "calibration_gap", counted.stated
    if rows < FEWEST:
        return Estimate(name, None, None, None, rows, f"{rows} labelled rows have a probability; {FEWEST} are needed")
    value = counted.apart / rows
    if counted.true in (0, rows):  # as in `headgate.monitors.fairness.groups`: so little variation warrants nothing
        stated, (least, most) = value + counted.true / rows, wilson(counted.true, rows, z)
        return Estimate(name, value, stated - most, stated - least, rows)
    error = math.sqrt(max(0.0, counted.squares / rows - value * value) / (rows - 1))
    return Estimate(name, value, max(-1.0, value - z * error), min(1.0, value + z * error), rows)
