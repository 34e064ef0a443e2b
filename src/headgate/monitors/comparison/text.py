"""A comparison for a terminal."""

from typing import Final

from headgate.evaluation.table import digits, table
from headgate.monitors.comparison.compared import Comparison, Figure

_HEAD: Final = ("column", "standing", "PSI", "Jensen-Shannon", "Wasserstein/sd", "adjusted p")
_SHOWN: Final = ("psi", "jensen_shannon", "wasserstein_normed")


def as_text(comparison: Comparison) -> str:
    """One line per column with its figures, then in words why; what is no letter, sign or blank becomes a blank.

    >>> from headgate.monitors.comparison.compared import unmeasured
    >>> from headgate.monitors.standing import broken
    >>> print(as_text(Comparison((unmeasured("late", broken("the window has no such column")),), 0.05)))
    column  standing  PSI  Jensen-Shannon  Wasserstein/sd  adjusted p
    late    broken      -               -               -           -
    <BLANKLINE>
    late: the window has no such column
    """
    rows = [
        [
            _visible(each.name),
            each.standing.value,
            *(_short(each.effects.get(name)) for name in _SHOWN),
            "-" if each.adjusted_p is None else f"{each.adjusted_p:.2g}",
        ]
        for each in comparison.columns
    ]
    reasons = (_visible(f"{each.name}: {each.reason}") for each in comparison.columns)
    return "\n".join([table(_HEAD, rows, left=2), "", *reasons])


def _visible(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)


def _short(figure: Figure | None) -> str:
    return "-" if figure is None or figure.value is None else digits(figure.value)
