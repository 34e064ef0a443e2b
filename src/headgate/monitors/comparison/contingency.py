"""Two samples of categories: whether chance alone explains their difference, and how strong it is.

The table has two rows, the reference and the window. A test that takes the reference's shares for the truth, as some
tools do, forgets that the reference is a sample too and alarms far too often (97 % of quiet windows at 5 %, when the
window is five times as large).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import chdtrc, gammaincc

from headgate.evaluation.estimate import Floats, Undefined
from headgate.monitors.comparison.distances import Counts
from headgate.monitors.solvers import fisher_p_value

LEAST_EXPECTED: Final = 5.0
"""Rows that chi-square expects in every cell at least (Cochran 1954)."""
LEAST_BY_MOMENTS: Final = 2.0
"""The same where its distribution is fitted to the table at hand; rarer categories are counted together."""


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Pearson's test of a table with two rows."""

    statistic: float
    p: float
    freedom: int
    """Categories that occur, less one."""


def chi_square(reference: Counts, current: Counts) -> ChiSquare | Undefined:
    """Whether both samples have the same shares: `scipy.stats.chi2_contingency` of the 2 x k table, to the last digit.

    Categories that occur in neither are left out; with two categories Yates' correction is applied, as SciPy does.

    >>> found = chi_square(np.array([50, 50]), np.array([40, 60]))
    >>> round(found.statistic, 3), round(found.p, 3), found.freedom
    (1.636, 0.201, 1)
    >>> chi_square(np.array([50, 0]), np.array([40, 0]))
    Undefined(reason='all rows of both samples are of one category')
    """
    table = np.stack((np.asarray(reference, np.float64), np.asarray(current, np.float64)))
    if not table.sum(axis=1).all():
        return Undefined("one of the samples has no rows")
    table = table[:, table.sum(axis=0) > 0]
    freedom = table.shape[1] - 1
    if freedom == 0:
        return Undefined("all rows of both samples are of one category")
    expected = _expected(table)
    apart = np.abs(table - expected)
    if freedom == 1:
        apart -= np.minimum(apart, 0.5)
    statistic = float((np.square(apart) / expected).sum())
    return ChiSquare(statistic, float(chdtrc(freedom, statistic)), freedom)


def chi_square_by_moments(reference: Counts, current: Counts) -> ChiSquare | Undefined:
    """The same of a table with few rows in many cells, without Yates' correction.

    Of all tables with these sums of rows and columns, which are equally likely where both samples come from one
    distribution, statistic and p-value take the exact mean and variance (Haldane 1940, as in Mielke and Berry 1985):
    a gamma distribution with both stands in for chi-square's, which has them only where no cell is small.

    >>> reference, current = np.full(50, 100), np.tile([1, 7], 25)
    >>> found = chi_square_by_moments(reference, current)
    >>> round(found.statistic, 1), round(found.p, 6)
    (108.3, 2e-06)
    """
    found = chi_square(reference, current)
    if isinstance(found, Undefined):
        return found
    table = np.stack((np.asarray(reference, np.float64), np.asarray(current, np.float64)))
    table = table[:, table.sum(axis=0) > 0]
    total, expected = float(table.sum()), _expected(table)
    if total <= 3:
        return Undefined("three rows have no variance to fit a distribution to")
    statistic = float((np.square(table - expected) / expected).sum())
    margins = table.sum(axis=1), table.sum(axis=0)
    spare = [(len(each) - 1) * (total - len(each)) / (total - 1) for each in margins]
    uneven = [(float((total / each).sum()) - len(each) ** 2) / (total - 2) for each in margins]
    mean = found.freedom * total / (total - 1)
    variance = 2 * total / (total - 3) * math.prod(a - b for a, b in zip(spare, uneven, strict=True))
    variance += total**2 / (total - 1) * math.prod(uneven)
    p = float(gammaincc(mean**2 / variance, statistic * mean / variance))
    return ChiSquare(statistic, p, found.freedom)


def without_rare(reference: Counts, current: Counts, least: float = LEAST_EXPECTED) -> tuple[Counts, Counts]:
    """The table with the categories of too few expected rows as one, at its end.

    Which are rare is decided by both samples together, so that neither their difference nor its test has a say. If even
    together they are too few, the rarest of the others joins them.

    >>> before, after = without_rare(np.array([90, 6, 4, 4]), np.array([90, 8, 4, 4]))
    >>> before.tolist(), after.tolist()
    ([90, 6, 8], [90, 8, 8])
    """
    before, after = np.asarray(reference), np.asarray(current)
    both = before + after
    smaller = min(before.sum(), after.sum()) / max(both.sum(), 1)
    order = np.argsort(-both, kind="stable")
    kept = int((both * smaller >= least).sum())
    if kept < len(both) and both[order[kept:]].sum() * smaller < least:
        kept = max(kept - 1, 0)
    if len(both) - kept <= 1:
        return before, after
    rest = order[kept:]
    kept_in_order = np.sort(order[:kept])
    return np.append(before[kept_in_order], before[rest].sum()), np.append(after[kept_in_order], after[rest].sum())


@dataclass(frozen=True, slots=True)
class TableTest:
    """Whether two samples of categories differ, by the test that suits their numbers."""

    name: str
    """``chi-square`` or ``Fisher's exact``."""
    statistic: float
    """Chi-square; or the difference of the share of the most frequent category, where few rows have another one."""
    p: float


def table_test(reference: Counts, current: Counts) -> TableTest | Undefined:
    """Chi-square of the table without its rare categories; where none is left to compare, Fisher's test of two.

    Where fewer categories are rare once chi-square's distribution is fitted to the table, it is. Fisher's two are the
    category with most rows and all the others. Undefined where all rows are of one category.

    >>> table_test(np.array([90, 60]), np.array([80, 70])).name, table_test(np.array([99, 1]), np.array([98, 2])).name
    ('chi-square', "Fisher's exact")
    """
    before, after = np.asarray(reference), np.asarray(current)
    plain, fine = (without_rare(before, after, least) for least in (LEAST_EXPECTED, LEAST_BY_MOMENTS))
    found = chi_square_by_moments(*fine) if len(fine[0]) > max(len(plain[0]), 2) else chi_square(*plain)
    if isinstance(found, ChiSquare):
        return TableTest("chi-square", found.statistic, found.p)
    both = before + after
    if not (before.sum() and after.sum()) or both.max() == both.sum():
        return found
    first = int(both.argmax())
    table = [[int(each[first]), int(each.sum() - each[first])] for each in (before, after)]
    apart = abs(table[0][0] / sum(table[0]) - table[1][0] / sum(table[1]))
    return TableTest("Fisher's exact", apart, fisher_p_value(table))


def cramers_v(reference: Counts, current: Counts, *, by_rows: bool = False) -> float | Undefined:
    """Cramér's V between category and sample without its bias, 0 (the same shares) to 1 (no category in common).

    Bergsma 2013, "A bias-correction for Cramér's V and Tschuprow's T": phi² = max(0, chi²/n - (k-1)(r-1)/(n-1)) over
    min(k - (k-1)²/(n-1), r - (r-1)²/(n-1)) - 1, here with r = 2 samples; chi² is Pearson's, without correction.

    That is V of the table as it stands, which `by_rows` asks for. With shares p and q, and a the reference's part of
    all n rows, chi²/n is a (1-a) times the sum of (p-q)²/(ap + (1-a)q): the smaller one sample beside the other, the
    smaller V, with the same shares. So, unless asked, both samples weigh the same, as if the larger one were drawn from
    down to the other's size, which is what deepchecks does: a is 1/2, and n is 4 / (1/rows + 1/other rows), of which
    the bias is that of this sum. With samples of one size both are the same figure.

    >>> round(cramers_v(np.array([100, 0]), np.array([0, 100])), 6)
    1.0
    >>> cramers_v(np.array([50, 50]), np.array([51, 49]))
    0.0
    >>> large, small = np.array([5000, 5000]), np.array([60, 40])
    >>> round(cramers_v(large, small), 3), round(cramers_v(large, small, by_rows=True), 3)
    (0.087, 0.017)
    """
    before, after = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    seen = before + after > 0
    before, after = before[seen], after[seen]
    categories, ours, theirs = len(before), float(before.sum()), float(after.sum())
    if not (categories > 1 and ours and theirs):
        return Undefined("all rows are of one category, or of one sample")
    part, rows = (ours / (ours + theirs), ours + theirs) if by_rows else (0.5, 4 / (1 / ours + 1 / theirs))
    before, after = before / ours, after / theirs
    least = min(size - (size - 1) ** 2 / (rows - 1) - 1 for size in (categories, 2))
    if least <= 0:
        return Undefined("there are too few rows for so many categories")
    apart = float((np.square(before - after) / (part * before + (1 - part) * after)).sum())
    phi = part * (1 - part) * apart - (categories - 1) / (rows - 1)
    return min(1.0, math.sqrt(max(0.0, phi) / least))


def _expected(table: Floats) -> Floats:
    """What each cell would hold if both samples had the same shares."""
    found: Floats = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return found
