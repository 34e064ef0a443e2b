"""How much more one version loses than another on the same rows, with an interval that rows of one day do not fool.

Rows that come together share weather, offers and faults, so differences of neighbours are alike and a standard error
over rows is too small. The interval here is the wider of two: over rows, and over batches of consecutive ones.
"""

from dataclasses import dataclass

from scipy.special import stdtrit

from headgate.evaluation.batches import over_batches
from headgate.evaluation.estimate import Floats, Reading, standard_error


@dataclass(frozen=True, slots=True)
class Gap:
    """How much more ours lose than a multiple of theirs."""

    value: float
    errors: tuple[tuple[float, int], ...]
    """Standard errors with their degrees of freedom; empty below two rows."""

    def bounds(self, alpha: float) -> tuple[float, float] | None:
        """Between which the truth lies; it is beyond either end with a probability of about `alpha`.

        >>> low, high = Gap(1.0, ((0.5, 1000),)).bounds(0.05)
        >>> round(low, 2), round(high, 2)
        (0.18, 1.82)
        """
        if not self.errors:
            return None
        half = max(float(stdtrit(freedom, 1 - alpha)) * error for error, freedom in self.errors)
        return self.value - half, self.value + half


def gap(ours: Reading, theirs: Reading, *, share: float = 0.0) -> Gap:
    """Ours less (1 + `share`) times theirs, both losses on the same rows in the order of time."""
    factor = 1.0 + share
    moved: Floats = ours.influence - factor * theirs.influence
    errors = [(each, freedom) for each, freedom in (_over_rows(moved), over_batches(moved)) if freedom]
    return Gap(ours.value - factor * theirs.value, tuple(errors))


def _over_rows(moved: Floats) -> tuple[float, int]:
    error = standard_error(moved)
    return (0.0, 0) if error is None else (error, len(moved) - 1)
