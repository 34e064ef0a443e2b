"""What the losses of a reference say: the bounds beyond which losses have changed, season by season.

    bound = mean of the reference's losses + half the width of its interval + tolerance

so that neither chance in the reference nor a difference that nobody minds is a change. Where losses come and go with
the hour each season has a bound of its own: a model that errs more by night than by day has not changed at dusk.
"""

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import quantile_of, standard_error
from headgate.evaluation.metrics import CONFIDENCE
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints, Reference
from headgate.evidence.serial import serial_within
from headgate.monitors.alarms.alarms import ALIKE, faulty
from headgate.monitors.standing import Shortfall, broken, undecided

LEAST: Final = 1000
"""Labelled rows a reference needs: with fewer its own uncertainty is as large as what one would like to find."""
LEAST_OF_SEASON: Final = 100
"""The same of each season: half of the width of an interval is 6 points then where one in ten is wrong."""
TOLERANCE: Final = 0.01
"""How much more loss is tolerated at most, where nobody says otherwise."""
RELATIVE: Final = 0.1
"""The same as a share of the reference's mean; the smaller of both counts."""
Direction = Literal["worse", "better"]


def fault(losses: NDArray[Any], rows: int) -> str:
    """What is wrong with the losses of so many rows, in words; empty where nothing is.

    >>> fault(np.array([0.0, 1.5]), 2)
    '1 of 2 losses are no numbers from 0 to 1'
    """
    if losses.shape != (rows,) or losses.dtype.kind not in "biuf":
        return "losses are not one number per row"
    bad = int((~((losses >= 0) & (losses <= 1))).sum())
    return f"{bad:,} of {rows:,} losses are no numbers from 0 to 1" if bad else ""


def shortfall(losses: NDArray[Any], at: Ints | None) -> Shortfall | None:
    """Why a reference of these losses, at the moments `at` if known, cannot be compared with; None where it can."""
    why = fault(losses, len(losses)) or ("" if at is None else faulty(at, len(losses)))
    if why:
        return broken(f"in the reference {why}")
    if len(losses) < LEAST:
        return undecided(f"the reference has {len(losses):,} labelled rows; at least {LEAST:,} are needed")
    return None


def bounds_of(
    losses: Floats, seasons: Ints, count: int, tolerance: float | None, direction: Direction
) -> tuple[float, ...] | Shortfall:
    """The bound of each of `count` seasons; why there is none, where a season is thin or leaves no room for a change.

    >>> [round(each, 4) for each in bounds_of(np.tile([0.0] * 9 + [1.0], 200), np.zeros(2000, int), 1, None, "worse")]
    [0.1232]
    """
    if thin := int((np.bincount(seasons, minlength=count) < LEAST_OF_SEASON).sum()):
        few = f"the reference has fewer than {LEAST_OF_SEASON} labelled rows in {thin} of {count} seasons"
        return undecided(f"{few}; compare within a coarser one")
    found = tuple(_bound(losses[seasons == each], tolerance, direction) for each in range(count))
    if min(found) > 0 and max(found) < 1:
        return found
    mean = losses.mean()
    room = "none can be worse by" if direction == "worse" else "they leave no room to become better by"
    apart = max(abs(each - mean) for each in found)
    return undecided(f"losses are {mean:.3g} on average in the reference: {room} {apart:.3g}")


def _bound(losses: Floats, tolerance: float | None, direction: Direction) -> float:
    mean = float(losses.mean())
    apart = _half_width(losses, mean) + (min(TOLERANCE, RELATIVE * mean) if tolerance is None else tolerance)
    return mean + apart if direction == "worse" else mean - apart


def _half_width(losses: Floats, mean: float) -> float:
    """Of the normal interval of the mean; not below what as many rows without any loss would have (Wilson 1927)."""
    z = quantile_of(CONFIDENCE)
    least = z * z / (len(losses) + z * z)
    return max(z * (standard_error(losses - mean) or 0.0), least)


def warnings_of(losses: Floats, at: Ints | None, seasons: Ints, count: int) -> tuple[str, ...]:
    """What the reference says against the stated rate: that losses which follow each other are alike.

    Bounds hold for the mean given the past. Where errors come in runs it is larger within one, though nothing changes.
    """
    order = np.arange(len(losses)) if at is None else np.argsort(at, kind="stable")
    losses, seasons = losses[order], seasons[order]
    bins = Reference.of(losses, losses[:0], at=seasons[:0], seasons=count)
    return (ALIKE,) if serial_within(bins, losses, seasons).warns() else ()
