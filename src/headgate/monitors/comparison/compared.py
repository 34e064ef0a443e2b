"""What is said of a window's columns beside a reference's: for each a test, its effects, and how it stands, in words.

`measured` makes these values and `judgement` says how they stand. Whatever could not be measured is `broken` or
`undecided` with its reason; a figure that does not exist is None and says why.
"""

import msgspec

from headgate.evaluation.table import digits
from headgate.monitors.standing import Shortfall, Standing


class Figure(msgspec.Struct, frozen=True):
    """A number with its error bound, or why there is none.

    >>> str(Figure(0.125)), str(Figure(0.125, 0.001)), str(Figure(None, reason="no rows"))
    ('0.1250', '0.1250 +- 0.001000', 'none: no rows')
    """

    value: float | None
    error: float = 0.0
    """The truth lies no further than this from the value; 0 for one that is exact."""
    reason: str = ""
    """Why there is no value."""

    def __str__(self) -> str:
        if self.value is None:
            return f"none: {self.reason}"
        return digits(self.value) + (f" +- {digits(self.error)}" if self.error else "")


class Present(msgspec.Struct, frozen=True):
    """How many rows of a column have what kind of value.

    >>> Present(finite=98, missing=2).missing_share
    0.02
    """

    finite: int
    """Values that are compared."""
    missing: int = 0
    infinite: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.finite + self.missing + self.infinite

    @property
    def missing_share(self) -> float:
        """Nulls and NaN in all rows, 0 to 1; 0 without a row."""
        return self.missing / self.rows if self.rows else 0.0


class ComparedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a window beside the reference's; ``msgspec.json.encode`` is its JSON."""

    name: str
    aspect: str = ""
    """What is compared: values, categories, true or false, lengths of texts, hours of the day or days of the week."""
    reference: Present = Present(0)
    current: Present = Present(0)
    test: str = ""
    """``Kolmogorov-Smirnov``, ``chi-square`` or ``Fisher's exact``."""
    statistic: Figure = Figure(None, reason="not measured")
    p: float | None = None
    """Of the column alone: of its values or of what is missing, the smaller one, doubled where both were tested."""
    absent_p: float | None = None
    """Of what is missing or infinite alone; None where nothing is."""
    adjusted_p: float | None = None
    """Among all columns: the smallest false discovery rate at which this one is found (Benjamini and Hochberg 1995)."""
    bins: str = ""
    """What rows were counted in for distances of counts: ``10 bins at the reference's deciles``, ``3 categories``."""
    effects: dict[str, Figure] = {}
    """How much has changed, by the name of the distance."""
    standing: Standing = Standing.MEASURED
    """An alarm where it differs from the reference by more than chance; `measured` until all columns are judged."""
    reason: str = ""
    """The standing in words."""

    @property
    def drifted_by_absence(self) -> bool:
        """Whether it is what is missing or infinite that decides its p-value, and not its values."""
        return self.p is not None and self.absent_p is not None and 2 * self.absent_p <= self.p


class Comparison(msgspec.Struct, frozen=True):
    """All columns of a window beside a reference, those that differ most first."""

    columns: tuple[ComparedColumn, ...]
    alpha: float
    """Of the columns that alarm, a share of at most this is expected not to have drifted."""

    def named(self, name: str) -> ComparedColumn:
        """The column of this name; KeyError when there is none."""
        return {each.name: each for each in self.columns}[name]

    def with_standing(self, standing: Standing) -> tuple[str, ...]:
        """The names of the columns that stand so."""
        return tuple(each.name for each in self.columns if each.standing is standing)


def unmeasured(name: str, why: Shortfall, aspect: str = "") -> ComparedColumn:
    """A column that could not be measured.

    >>> from headgate.monitors.standing import broken
    >>> unmeasured("distance", broken("the window has no such column")).standing.value
    'broken'
    """
    return ComparedColumn(name=name, aspect=aspect, standing=why.standing, reason=why.reason)
