"""How long things took, as counts that add up: an hour's and an hour's are a day's, and quantiles stay right to 1 %.

Counts stand in cells whose bounds grow by a factor: DDSketch (Masson, Rim and Lee 2019, "DDSketch: A fast and
fully-mergeable quantile sketch with relative-error guarantees"), section 2.
"""

import math
from typing import Final

import msgspec
import numpy as np

from headgate.monitors.columns import Ints

GROWTH: Final = 1.02
"""Each cell ends at so many times the end of the one before: (GROWTH - 1) / (GROWTH + 1) < 1 % to either side."""
_STEP: Final = math.log(GROWTH)


class Times(msgspec.Struct, frozen=True):
    """Whole microseconds, counted by size.

    >>> one, other = Times.of(np.arange(1, 500)), Times.of(np.arange(500, 1001))
    >>> one.merged(other).count, round(one.merged(other).quantile(0.99), 3)
    (1000, 0.993)
    """

    cells: tuple[int, ...] = ()
    """Numbers of those that hold anything, in order; cell n ends at ``GROWTH ** n`` microseconds."""
    counts: tuple[int, ...] = ()

    @classmethod
    def of(cls, values: Ints) -> "Times":
        """So many microseconds each; what took less than one counts as one."""
        numbers = np.ceil(np.log(np.maximum(values, 1)) / _STEP).astype(np.int64)
        cells, counts = np.unique(numbers, return_counts=True)
        return cls(tuple(cells.tolist()), tuple(counts.tolist()))

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)

    def merged(self, other: "Times") -> "Times":
        """Both together, the same as if they had been counted as one."""
        found = dict(zip(self.cells, self.counts, strict=True))
        for cell, count in zip(other.cells, other.counts, strict=True):
            found[cell] = found.get(cell, 0) + count
        return Times(tuple(sorted(found)), tuple(found[cell] for cell in sorted(found)))

    def quantile(self, share: float) -> float | None:
        """The smallest time that a `share` of all do not exceed, in milliseconds; None where there is none."""
        if not self.counts:
            return None
        reached = np.cumsum(self.counts)
        cell = self.cells[int(np.searchsorted(reached, math.ceil(share * int(reached[-1]))))]
        # The value from which both ends of the cell are equally far, relatively.
        return 2 * GROWTH**cell / (GROWTH + 1) / 1000
