"""How all columns of a window stand, judged together.

All at once, since of fifty columns without drift two or three have a p-value below 0.05.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from headgate.evaluation.table import digits
from headgate.evidence.mixture import check_alpha
from headgate.evidence.multiple import adjusted_p_values
from headgate.monitors.comparison.compared import ComparedColumn, Comparison
from headgate.monitors.standing import BY_URGENCY, Standing

ALPHA: Final = 0.05
"""Share of the columns that alarm which is expected not to have drifted, at most."""
FEWEST: Final = 30
"""Values on either side below which no difference found does not mean that there is none."""
SMALL, LARGE = 0.1, 0.25
"""PSI below which a shift is called small, and from which on it is called large, as in credit risk."""


def judged(measured: Sequence[ComparedColumn], alpha: float = ALPHA) -> Comparison:
    """How all columns stand, judged together and ordered by how much has changed.

    A column alarms where its p-value stands after Benjamini and Hochberg's correction over all columns that were
    tested; without drift in any of them, one is found in a share alpha of the windows, as long as the columns are
    independent or move together. Raises BadInput when alpha does not lie between 0 and 1.

    >>> from headgate.monitors.comparison.compared import Present
    >>> found = judged([ComparedColumn(name="a", p=0.001, reference=Present(90), current=Present(90)),
    ...                 ComparedColumn(name="b", p=0.04, reference=Present(90), current=Present(90)),
    ...                 ComparedColumn(name="c", p=0.2, reference=Present(90), current=Present(9))])
    >>> [(each.name, each.standing.value) for each in found.columns]
    [('a', 'alarm'), ('c', 'undecided'), ('b', 'steady')]
    """
    check_alpha(alpha)
    tested = {each.name: each.p for each in measured if each.p is not None}
    adjusted = dict(zip(tested, adjusted_p_values(list(tested.values())), strict=True))
    return Comparison(tuple(sorted((_stands(each, adjusted, alpha) for each in measured), key=_rank)), alpha)


def _stands(column: ComparedColumn, adjusted: Mapping[str, float], alpha: float) -> ComparedColumn:
    if column.p is None:
        return column
    p = adjusted[column.name]
    fewest = min(column.reference.finite, column.current.finite)
    if p <= alpha:
        standing, reason = Standing.ALARM, _difference(column, p)
    elif fewest < FEWEST:
        standing = Standing.UNDECIDED
        reason = f"{fewest} values on one side; {FEWEST} are needed to say that nothing has changed"
    else:
        standing, reason = Standing.STEADY, column.reason or f"no difference found, {_tested(column)}"
    return msgspec.structs.replace(column, adjusted_p=p, standing=standing, reason=reason)


def _difference(column: ComparedColumn, p: float) -> str:
    """Why a column alarms, and by how much it differs."""
    if column.drifted_by_absence:
        now, then = column.current, column.reference
        said = f"missing in {now.missing_share:.2%} of the rows, in the reference in {then.missing_share:.2%}"
        infinite = f"; infinite in {now.infinite} rows, in the reference in {then.infinite}"
        return f"{said}{infinite if now.infinite + then.infinite else ''}, p {p:.2g} among all columns"
    said = f"{column.aspect} differ, {_tested(column)}, {p:.2g} among all columns"
    return "; ".join((said, *_sizes(column)))


def _sizes(column: ComparedColumn) -> list[str]:
    """The sizes of the difference that others know, with what makes them comparable."""
    figures = {name: each.value for name, each in column.effects.items() if each.value is not None}
    said = []
    if "psi" in figures:
        psi = figures["psi"]
        word = "small" if psi < SMALL else "large" if psi >= LARGE else "moderate"
        chance = f"chance makes {digits(figures['psi_critical'])} of it at this size"
        said.append(f"PSI {digits(psi)} over {column.bins} ({word}; {chance})")
    if "jensen_shannon" in figures:
        others = ", ".join(
            f"{digits(figures[f'jensen_shannon_{name}'])} as {title} has it"
            for name, title in (("evidently", "Evidently"), ("tfdv", "TFDV"))
        )
        said.append(f"Jensen-Shannon {digits(figures['jensen_shannon'])} ({others})")
    return said


def _tested(column: ComparedColumn) -> str:
    return f"{column.test} {column.statistic}, p {column.p:.2g}" if column.test else f"p {column.p:.2g}"


def _rank(column: ComparedColumn) -> tuple[int, float, str]:
    """Alarms first, the largest effect before smaller ones; then what could not be told; steady last."""
    size = column.effects.get("jensen_shannon")
    far = size.value if size is not None and column.standing is Standing.ALARM else None
    return BY_URGENCY.index(column.standing), -(far or 0.0), column.name
