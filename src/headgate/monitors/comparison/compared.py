"""What is said of a window's columns beside a reference's: for each a test, its effects, and a verdict in plain words.

`judged` looks at all columns at once, since of fifty columns without drift two or three have a p-value below
0.05. Whatever could not be measured is `broken` or `undecided` with its reason; a figure that does not exist is None
and says why.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from headgate.evaluation.table import digits, table
from headgate.evidence.multiple import adjusted_p_values

FEWEST: Final = 30
"""Values on either side below which no difference found does not mean that there is none."""
SMALL, LARGE = 0.1, 0.25
"""PSI below which a shift is called small, and from which on it is called large, as in credit risk."""


class Drift(StrEnum):
    """What is said of one column."""

    STEADY = "steady"
    """No difference from the reference was found, in rows enough to find one."""
    DRIFTED = "drifted"
    """It differs from the reference by more than chance."""
    UNDECIDED = "undecided"
    """There are too few rows to say that it does not differ."""
    BROKEN = "broken"
    """It could not be measured."""


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
    """What is compared: values, categories, lengths in characters, hours of the day or days of the week."""
    reference: Present = Present(0)
    current: Present = Present(0)
    test: str = ""
    """``Kolmogorov-Smirnov`` or ``chi-square``."""
    statistic: Figure = Figure(None, reason="not measured")
    p: float | None = None
    """Of the column alone: of its values or of what is missing, the smaller one, doubled where both were tested."""
    absent_p: float | None = None
    """Of what is missing or infinite alone; None where nothing is."""
    adjusted_p: float | None = None
    """Among all columns: the smallest false discovery rate at which this one is found (Benjamini and Hochberg 1995)."""
    effects: dict[str, Figure] = {}
    """How much has changed, by the name of the distance."""
    verdict: Drift = Drift.UNDECIDED
    reason: str = ""
    """The verdict in words."""


class Comparison(msgspec.Struct, frozen=True):
    """All columns of a window beside a reference, those that differ most first."""

    columns: tuple[ComparedColumn, ...]
    alpha: float
    """Of the columns said to have drifted, a share of at most this is expected not to have."""

    def named(self, name: str) -> ComparedColumn:
        """The column of this name; KeyError when there is none."""
        return {each.name: each for each in self.columns}[name]

    def with_verdict(self, verdict: Drift) -> tuple[str, ...]:
        """The names of the columns of which this is said."""
        return tuple(each.name for each in self.columns if each.verdict is verdict)


def broken(name: str, reason: str, aspect: str = "") -> ComparedColumn:
    """A column that could not be measured."""
    return ComparedColumn(name=name, aspect=aspect, verdict=Drift.BROKEN, reason=reason)


def judged(measured: Sequence[ComparedColumn], alpha: float = 0.05) -> Comparison:
    """The verdicts on all columns together, ordered by how much has changed.

    A column has drifted where its p-value stands after Benjamini and Hochberg's correction over all columns that were
    tested; without drift in any of them, one is found in a share alpha of the windows.

    >>> found = judged([ComparedColumn(name="a", p=0.001, reference=Present(90), current=Present(90)),
    ...                 ComparedColumn(name="b", p=0.04, reference=Present(90), current=Present(90)),
    ...                 ComparedColumn(name="c", p=0.2, reference=Present(90), current=Present(9))])
    >>> [each.verdict.value for each in found.columns]
    ['drifted', 'undecided', 'steady']
    """
    tested = [each for each in measured if each.p is not None and each.verdict is not Drift.BROKEN]
    adjusted = dict(
        zip((each.name for each in tested), adjusted_p_values([each.p or 0.0 for each in tested]), strict=True)
    )
    columns = [_verdict(each, adjusted, alpha) for each in measured]
    return Comparison(tuple(sorted(columns, key=_rank)), alpha)


def _verdict(column: ComparedColumn, adjusted: Mapping[str, float], alpha: float) -> ComparedColumn:
    if column.name not in adjusted:
        return column
    p = adjusted[column.name]
    fewest = min(column.reference.finite, column.current.finite)
    if p <= alpha:
        verdict, reason = Drift.DRIFTED, _difference(column, p)
    elif fewest < FEWEST:
        verdict = Drift.UNDECIDED
        reason = f"{fewest} values on one side; {FEWEST} are needed to say that nothing has changed"
    else:
        verdict, reason = Drift.STEADY, column.reason or f"no difference found, {_tested(column)}"
    return msgspec.structs.replace(column, adjusted_p=p, verdict=verdict, reason=reason)


def _difference(column: ComparedColumn, p: float) -> str:
    said = [f"{column.aspect} differ, {_tested(column)}, {p:.2g} among all columns"]
    size = column.effects.get("psi")
    if size is not None and size.value is not None:
        word = "small" if size.value < SMALL else "large" if size.value >= LARGE else "moderate"
        said.append(f"PSI {digits(size.value)} ({word})")
    if column.absent_p is not None and column.absent_p * 2 == column.p:
        now, then = column.current.missing_share, column.reference.missing_share
        said = [f"missing in {now:.2%} of the rows, in the reference in {then:.2%}, p {p:.2g} among all columns"]
        if column.current.infinite + column.reference.infinite:
            said.append(f"infinite in {column.current.infinite} rows, in the reference in {column.reference.infinite}")
    return "; ".join(said)


def _tested(column: ComparedColumn) -> str:
    return f"{column.test} {column.statistic}, p {column.p:.2g}" if column.test else f"p {column.p:.2g}"


def _rank(column: ComparedColumn) -> tuple[int, float, str]:
    """Drifted first, the largest effect before smaller ones; then what could not be decided; steady last."""
    order = (Drift.DRIFTED, Drift.BROKEN, Drift.UNDECIDED, Drift.STEADY)
    if column.verdict is not Drift.DRIFTED:
        return order.index(column.verdict), 0.0, column.name
    size = column.effects.get("jensen_shannon")
    return 0, -(size.value or 0.0) if size is not None else 0.0, column.name


def as_text(comparison: Comparison) -> str:
    """The comparison for a terminal: one line per column, then in words why."""
    rows = [
        [
            each.name,
            each.verdict.value,
            *(_short(each.effects.get(name)) for name in ("psi", "jensen_shannon", "wasserstein_normed")),
            "-" if each.adjusted_p is None else f"{each.adjusted_p:.2g}",
        ]
        for each in comparison.columns
    ]
    head = ["column", "verdict", "PSI", "Jensen-Shannon", "Wasserstein/sd", "adjusted p"]
    return "\n".join([table(head, rows, left=2), "", *(f"{each.name}: {each.reason}" for each in comparison.columns)])


def _short(figure: Figure | None) -> str:
    return "-" if figure is None or figure.value is None else digits(figure.value)
